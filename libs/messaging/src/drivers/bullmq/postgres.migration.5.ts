/**
 * Keys are locked by rows, not by advisory locks.
 *
 * The server keeps advisory locks in memory that all its sessions share, on default settings 6,400 of them: a batch of a thousand
 * keys took a thousand, and a few at once made everybody fail. A row that is locked takes no memory. Keys share 16,384 rows by
 * their hash: two that share one cost waiting, nothing else. Locks are taken in the order of the hash, as before.
 */
export const MIGRATION_5 = `
CREATE TABLE callsheet.slot (id smallint PRIMARY KEY);
INSERT INTO callsheet.slot SELECT generate_series(-8192, 8191);

-- The row by which a key is locked: the first bits of its hash, so that the order of hashes is that of rows.
CREATE FUNCTION callsheet.slot_of(p_queue text, p_key text) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
  SELECT (hashtextextended('callsheet:key:' || p_queue || ':' || p_key, 0) >> 50)::smallint;
$$;

CREATE OR REPLACE FUNCTION callsheet.lock_key(p_queue text, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM 1 FROM callsheet.slot WHERE id = callsheet.slot_of(p_queue, p_key) FOR UPDATE;
END $$;

-- Locks the keys of messages that are to be stored, of those that they replace, and one more, in their order.
CREATE OR REPLACE FUNCTION callsheet.lock_keys(p_jobs jsonb, p_queue text, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  slots smallint[];
BEGIN
  SELECT array_agg(callsheet.slot_of(k.queue, k.key)) INTO slots FROM (
    SELECT p_queue AS queue, p_key AS key
    UNION
    SELECT j->>'queue', j->'opts'->'callsheet'->>'key' FROM jsonb_array_elements(p_jobs) AS j
    UNION
    SELECT job.queue, job.opts->'callsheet'->>'key'
      FROM jsonb_array_elements(p_jobs) AS j JOIN job ON job.queue = j->>'queue' AND job.id = j->>'id'
     WHERE j ? 'replace'
  ) AS k WHERE k.key IS NOT NULL;
  -- What is read under the lock must not be older than the lock.
  IF slots IS NOT NULL AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'callsheet: messages with a key need isolation level read committed' USING ERRCODE = 'CS005';
  END IF;
  PERFORM 1 FROM callsheet.slot WHERE id = ANY (slots) ORDER BY id FOR UPDATE;
END $$;

-- Most that are dropped have left long ago: retention must not hold up the keys of all of them.
CREATE OR REPLACE FUNCTION callsheet.leave(p_queue text, p_id text, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  place bigint;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM callsheet.mailbox WHERE queue = p_queue AND id = p_id) THEN RETURN; END IF;
  PERFORM callsheet.lock_key(p_queue, p_key);
  DELETE FROM callsheet.mailbox WHERE queue = p_queue AND id = p_id RETURNING arrival INTO place;
  IF NOT FOUND THEN RETURN; END IF;
  IF NOT EXISTS (SELECT 1 FROM callsheet.mailbox WHERE queue = p_queue AND key = p_key AND arrival < place) THEN
    PERFORM callsheet.advance(p_queue, p_key);
  END IF;
END $$;

-- Forgets a thousand of the handled messages that are too old or too many; answers how many.
DROP FUNCTION callsheet.trim_done(text, bigint, integer);
CREATE FUNCTION callsheet.trim_done(p_queue text, p_finished_before bigint, p_count bigint) RETURNS bigint
LANGUAGE sql SET search_path = bullmq, pg_temp AS $$
  WITH gone AS (
    DELETE FROM job WHERE queue = p_queue AND id IN (
      (SELECT id FROM job WHERE queue = p_queue AND state = 'completed' AND finished_at_ms < p_finished_before LIMIT 1000)
      UNION
      (SELECT id FROM job WHERE queue = p_queue AND state = 'completed' AND p_count IS NOT NULL
        ORDER BY finished_at_ms DESC, seq DESC OFFSET p_count LIMIT 1000))
    RETURNING 1)
  SELECT count(*) FROM gone;
$$;

CREATE OR REPLACE FUNCTION callsheet.on_job() RETURNS trigger
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  box text := COALESCE(NEW.opts, OLD.opts)->'callsheet'->>'key';
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM callsheet.leave(OLD.queue, OLD.id, box);
  ELSIF NEW.state IN ('completed', 'failed') THEN
    PERFORM callsheet.leave(NEW.queue, NEW.id, box);
  ELSIF EXISTS (SELECT 1 FROM callsheet.mailbox WHERE queue = NEW.queue AND id = NEW.id)
    OR EXISTS (SELECT 1 FROM callsheet.trait WHERE queue = NEW.queue AND name = 'read ' || NEW.name) THEN
    RETURN NULL;
  ELSE
    IF TG_OP = 'UPDATE' AND OLD.state = 'delayed' THEN
      PERFORM 1 FROM callsheet.slot WHERE id = callsheet.slot_of(NEW.queue, box) FOR UPDATE SKIP LOCKED;
      IF NOT FOUND THEN
        UPDATE job SET state = 'delayed', process_at_ms = 20 + extract(epoch FROM clock_timestamp()) * 1000
         WHERE queue = NEW.queue AND id = NEW.id;
        RETURN NULL;
      END IF;
    END IF;
    PERFORM callsheet.arrive(NEW.queue, NEW.id, box, NEW.name);
  END IF;
  RETURN NULL;
END $$;

-- As before; but one that says 'replace' and is sent again, because the answer to it was lost, changes nothing.
CREATE OR REPLACE FUNCTION callsheet.send(p_jobs jsonb, p_window_ms bigint) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  entry record;
  known text;
  box text;
  repeated bigint[] := '{}';
BEGIN
  PERFORM callsheet.lock_keys(p_jobs, NULL, NULL);
  FOR entry IN
    SELECT job, place FROM jsonb_array_elements(p_jobs) WITH ORDINALITY AS j(job, place)
     WHERE job ? 'fingerprint' ORDER BY job->>'id', place
  LOOP
    IF entry.job ? 'replace' THEN
      INSERT INTO callsheet.sent VALUES
        (entry.job->>'id', entry.job->>'fingerprint', now() + p_window_ms * interval '1 millisecond')
      ON CONFLICT (id) DO UPDATE SET fingerprint = EXCLUDED.fingerprint, expires_at = EXCLUDED.expires_at;
      CONTINUE;
    END IF;
    DELETE FROM callsheet.sent WHERE id = entry.job->>'id' AND expires_at < now();
    INSERT INTO callsheet.sent VALUES
      (entry.job->>'id', entry.job->>'fingerprint', now() + p_window_ms * interval '1 millisecond')
    ON CONFLICT (id) DO NOTHING;
    IF FOUND THEN
      SELECT COALESCE(opts->'callsheet'->>'fingerprint', '') INTO known FROM job
       WHERE id = entry.job->>'id' AND queue IN (entry.job->>'queue', (entry.job->>'queue') || '.dead');
    ELSE
      SELECT fingerprint INTO known FROM callsheet.sent WHERE id = entry.job->>'id';
    END IF;
    IF known <> entry.job->>'fingerprint' THEN
      RAISE EXCEPTION 'callsheet: id used for another body'
        USING ERRCODE = 'CS001', DETAIL = entry.job->>'publicId';
    ELSIF known IS NOT NULL THEN
      repeated := repeated || entry.place;
    END IF;
  END LOOP;

  FOR entry IN
    SELECT job, place FROM jsonb_array_elements(p_jobs) WITH ORDINALITY AS j(job, place) ORDER BY place
  LOOP
    CONTINUE WHEN entry.place = ANY (repeated);
    IF entry.job ? 'replace' THEN
      CONTINUE WHEN EXISTS (SELECT 1 FROM job WHERE id = entry.job->>'id'
        AND queue IN (entry.job->>'queue', (entry.job->>'queue') || '.dead')
        AND added_at_ms = (entry.job->>'timestamp')::bigint AND opts->'callsheet' = entry.job->'opts'->'callsheet');
      PERFORM callsheet.evict(entry.job->>'queue', entry.job->>'id', entry.job->>'publicId');
    END IF;
    CONTINUE WHEN EXISTS (
      SELECT 1 FROM job WHERE id = entry.job->>'id'
         AND queue IN (entry.job->>'queue', (entry.job->>'queue') || '.dead'));
    PERFORM add_job(
      entry.job->>'queue', entry.job->>'id', entry.job->>'name', entry.job->'data', entry.job->'opts',
      (entry.job->>'priority')::integer, (entry.job->>'delay')::bigint, (entry.job->>'timestamp')::bigint, 1,
      NULL, NULL, NULL, NULL, NULL, false);
    SELECT key INTO box FROM callsheet.mailbox WHERE queue = entry.job->>'queue' AND id = entry.job->>'id'
       AND entry.job->'opts'->'callsheet' ? 'key';
    IF FOUND THEN PERFORM callsheet.require_room(entry.job->>'queue', box); END IF;
  END LOOP;
END $$;

-- As BullMQ's; and keys of the queue that stopped are let go, with the last of its messages.
CREATE FUNCTION callsheet.obliterate(p_queue text, p_count integer, p_force boolean) RETURNS integer
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  result integer := obliterate(p_queue, p_count, p_force);
  each record;
BEGIN
  IF result = 0 THEN
    FOR each IN
      SELECT key FROM callsheet.quarantine WHERE queue = p_queue ORDER BY callsheet.slot_of(queue, key)
    LOOP
      PERFORM callsheet.release(p_queue, each.key);
    END LOOP;
  END IF;
  RETURN result;
END $$;
`;
