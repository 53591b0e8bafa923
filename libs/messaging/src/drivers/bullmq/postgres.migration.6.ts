/**
 * Order of keys that depended on luck: messages of a type that is no longer declared to only read, and redriven ones that come
 * before the first.
 */
export const MIGRATION_6 = `
-- As before; and what waits and no longer only reads comes into the mailbox of its key.
CREATE OR REPLACE FUNCTION callsheet.employ(p_queue text, p_mailbox integer, p_reads text[]) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  added text[];
  dropped text[];
  each record;
BEGIN
  IF p_mailbox IS NOT NULL THEN
    INSERT INTO callsheet.trait VALUES (p_queue, 'mailbox', p_mailbox)
    ON CONFLICT (queue, name) DO UPDATE SET value = EXCLUDED.value;
  END IF;
  IF p_reads IS NULL THEN RETURN; END IF;
  WITH gone AS (
    DELETE FROM callsheet.trait
     WHERE queue = p_queue AND name LIKE 'read %' AND name NOT IN (SELECT 'read ' || r FROM unnest(p_reads) AS r)
    RETURNING substr(name, 6) AS type)
  SELECT array_agg(type) INTO dropped FROM gone;
  WITH new AS (
    INSERT INTO callsheet.trait SELECT DISTINCT p_queue, 'read ' || r, 1 FROM unnest(p_reads) AS r
    ON CONFLICT DO NOTHING RETURNING substr(name, 6) AS type)
  SELECT array_agg(type) INTO added FROM new;
  FOR each IN
    SELECT m.id, m.key FROM callsheet.mailbox m JOIN job j ON j.queue = m.queue AND j.id = m.id
     WHERE m.queue = p_queue AND j.name = ANY (added) AND j.state IN ('waiting', 'waiting-children')
     ORDER BY hashtextextended('callsheet:key:' || m.queue || ':' || m.key, 0), m.arrival
  LOOP
    PERFORM callsheet.leave(p_queue, each.id, each.key);
    UPDATE job SET state = 'waiting', seq = nextval('job_seq')
     WHERE queue = p_queue AND id = each.id AND state = 'waiting-children';
  END LOOP;
  FOR each IN
    SELECT j.id, j.name, j.opts->'callsheet'->>'key' AS key FROM job j
     WHERE j.queue = p_queue AND j.state = 'waiting' AND j.name = ANY (dropped) AND j.opts->'callsheet' ? 'key'
       AND NOT EXISTS (SELECT 1 FROM callsheet.mailbox m WHERE m.queue = j.queue AND m.id = j.id)
     ORDER BY hashtextextended('callsheet:key:' || j.queue || ':' || (j.opts->'callsheet'->>'key'), 0), j.seq
  LOOP
    PERFORM callsheet.lock_key(p_queue, each.key);
    -- Unless somebody takes it meanwhile.
    UPDATE job SET state = 'waiting' WHERE queue = p_queue AND id = each.id AND state = 'waiting';
    IF FOUND THEN PERFORM callsheet.arrive(p_queue, each.id, each.key, each.name); END IF;
  END LOOP;
  IF added IS NOT NULL THEN PERFORM pg_notify('bullmq_jobs', p_queue); END IF;
END $$;

-- As before; but the first gives way too, unless it has begun.
CREATE OR REPLACE FUNCTION callsheet.redrive(
  p_queue text, p_id text, p_progress jsonb, p_data jsonb, p_types jsonb, p_keyed boolean
) RETURNS boolean
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  box text;
  death bigint;
  own bigint;
  before record;
  is_first boolean;
BEGIN
  SELECT opts->'callsheet'->>'key', (opts->>'callsheetDeath')::bigint INTO box, death
    FROM job WHERE queue = p_queue || '.dead' AND id = p_id;
  IF box IS NOT NULL THEN PERFORM callsheet.lock_key(p_queue, box); END IF;
  IF NOT callsheet.redrive(p_queue, p_id, p_progress, p_data, p_types) THEN RETURN false; END IF;
  SELECT arrival INTO own FROM callsheet.mailbox WHERE queue = p_queue AND id = p_id;
  WHILE own IS NOT NULL AND death IS NOT NULL LOOP
    SELECT m.id, m.arrival, (j.opts->>'callsheetDeath')::bigint AS death INTO before
      FROM callsheet.mailbox m JOIN job j ON j.queue = m.queue AND j.id = m.id
     WHERE m.queue = p_queue AND m.key = box AND m.arrival < own ORDER BY m.arrival DESC LIMIT 1;
    EXIT WHEN NOT FOUND OR before.death IS NULL OR before.death < death;
    is_first := NOT EXISTS (
      SELECT 1 FROM callsheet.mailbox WHERE queue = p_queue AND key = box AND arrival < before.arrival);
    IF is_first THEN
      -- Unless somebody takes it meanwhile.
      UPDATE job SET state = 'waiting-children'
       WHERE queue = p_queue AND id = before.id AND state IN ('waiting', 'waiting-children') AND processed_at_ms IS NULL;
      EXIT WHEN NOT FOUND;
    END IF;
    UPDATE callsheet.mailbox SET arrival = own WHERE queue = p_queue AND id = before.id;
    UPDATE callsheet.mailbox SET arrival = before.arrival WHERE queue = p_queue AND id = p_id;
    IF is_first THEN PERFORM callsheet.advance(p_queue, box); END IF;
    own := before.arrival;
  END LOOP;
  RETURN true;
END $$;
`;
