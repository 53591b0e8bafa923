/**
 * Keys whose order depended on luck: messages of a type that is no longer declared to only read.
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
`;
