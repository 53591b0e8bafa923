/**
 * Mailboxes and states of keys.
 *
 * Every message is a BullMQ job. Of those that stand in a key's mailbox BullMQ sees the first as it sees any job; the others
 * are parked as 'waiting-children', from where it takes nothing by itself. Triggers keep that true on every way a job is
 * stored, promoted, ended or removed, by hand too; jobs without key pay for looking whether they have one.
 *
 * Locks: the keys that a step touches come first, in their order, each an advisory lock until the transaction ends (a row since the
 * fifth migration); then as in the migration before. So the steps of turns, sends and cancels never wait for each other in a ring. What BullMQ itself does
 * to jobs with keys at an operator's command (removing, cleaning) locks the job before its key: PostgreSQL may break such a ring
 * with 40P01, which rolls one side back whole; the driver repeats its own. For promotion see the next migration.
 */
export const MIGRATION_3 = `
-- Messages that stand in the mailbox of their key, in the order of arrival.
CREATE TABLE callsheet.mailbox (
  queue text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  arrival bigint NOT NULL,
  id text COLLATE "C" NOT NULL,
  PRIMARY KEY (queue, id)
);
CREATE INDEX mailbox_line_idx ON callsheet.mailbox (queue, key, arrival);
CREATE SEQUENCE callsheet.arrival_seq;
CREATE SEQUENCE callsheet.death_seq;

-- Keys that stopped; attempt is the failure that stopped it.
CREATE TABLE callsheet.quarantine (
  queue text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  since bigint NOT NULL,
  storage_id text NOT NULL,
  attempt json NOT NULL,
  PRIMARY KEY (queue, key)
);

-- What consumers declare of a queue: 'mailbox', the most messages that wait per key, and 'read <type>'.
CREATE TABLE callsheet.trait (
  queue text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  value integer NOT NULL,
  PRIMARY KEY (queue, name)
);

-- States of keys; value is { data, types }.
CREATE TABLE callsheet.state (
  queue text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  version integer NOT NULL,
  value json NOT NULL,
  PRIMARY KEY (queue, key)
);

CREATE FUNCTION callsheet.lock_key(p_queue text, p_key text) RETURNS void
LANGUAGE sql SET search_path = bullmq, pg_temp AS $$
  SELECT pg_advisory_xact_lock(hashtextextended('callsheet:key:' || p_queue || ':' || p_key, 0));
$$;

-- Locks the keys of messages that are to be stored, of those that they replace, and one more, in their order.
CREATE FUNCTION callsheet.lock_keys(p_jobs jsonb, p_queue text, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  each record;
BEGIN
  FOR each IN
    SELECT hashtextextended('callsheet:key:' || k.queue || ':' || k.key, 0) AS hash FROM (
      SELECT p_queue AS queue, p_key AS key
      UNION
      SELECT j->>'queue', j->'opts'->'callsheet'->>'key' FROM jsonb_array_elements(p_jobs) AS j
      UNION
      SELECT job.queue, job.opts->'callsheet'->>'key'
        FROM jsonb_array_elements(p_jobs) AS j JOIN job ON job.queue = j->>'queue' AND job.id = j->>'id'
       WHERE j ? 'replace'
    ) AS k WHERE k.key IS NOT NULL ORDER BY 1
  LOOP
    PERFORM pg_advisory_xact_lock(each.hash);
  END LOOP;
END $$;

-- The first of a key becomes runnable, behind all that wait with its priority: so no key holds up another for more than one
-- turn. The key is locked.
CREATE FUNCTION callsheet.advance(p_queue text, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  first text;
BEGIN
  IF EXISTS (SELECT 1 FROM callsheet.quarantine WHERE queue = p_queue AND key = p_key) THEN RETURN; END IF;
  LOOP
    SELECT id INTO first FROM callsheet.mailbox WHERE queue = p_queue AND key = p_key ORDER BY arrival LIMIT 1;
    EXIT WHEN NOT FOUND;
    UPDATE job SET state = 'waiting', seq = nextval('job_seq')
     WHERE queue = p_queue AND id = first AND state = 'waiting-children';
    IF FOUND THEN PERFORM pg_notify('bullmq_jobs', p_queue); END IF;
    EXIT WHEN FOUND OR EXISTS (SELECT 1 FROM job WHERE queue = p_queue AND id = first);
    DELETE FROM callsheet.mailbox WHERE queue = p_queue AND id = first;
  END LOOP;
END $$;

-- A waiting message comes into the mailbox of its key, and is parked when it is not the first. One that only reads does not.
CREATE FUNCTION callsheet.arrive(p_queue text, p_id text, p_key text, p_name text) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  place bigint;
BEGIN
  IF EXISTS (SELECT 1 FROM callsheet.trait WHERE queue = p_queue AND name = 'read ' || p_name) THEN RETURN; END IF;
  PERFORM callsheet.lock_key(p_queue, p_key);
  place := nextval('callsheet.arrival_seq');
  INSERT INTO callsheet.mailbox VALUES (p_queue, p_key, place, p_id) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN; END IF;
  IF EXISTS (SELECT 1 FROM callsheet.mailbox WHERE queue = p_queue AND key = p_key AND arrival < place)
    OR EXISTS (SELECT 1 FROM callsheet.quarantine WHERE queue = p_queue AND key = p_key) THEN
    UPDATE job SET state = 'waiting-children' WHERE queue = p_queue AND id = p_id;
  END IF;
END $$;

-- A message that ended or is gone leaves its mailbox, if it stands in one.
CREATE FUNCTION callsheet.leave(p_queue text, p_id text, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  place bigint;
BEGIN
  PERFORM callsheet.lock_key(p_queue, p_key);
  DELETE FROM callsheet.mailbox WHERE queue = p_queue AND id = p_id RETURNING arrival INTO place;
  IF NOT FOUND THEN RETURN; END IF;
  IF NOT EXISTS (SELECT 1 FROM callsheet.mailbox WHERE queue = p_queue AND key = p_key AND arrival < place) THEN
    PERFORM callsheet.advance(p_queue, p_key);
  END IF;
END $$;

CREATE FUNCTION callsheet.on_job() RETURNS trigger
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM callsheet.leave(OLD.queue, OLD.id, OLD.opts->'callsheet'->>'key');
  ELSIF NEW.state IN ('completed', 'failed') THEN
    PERFORM callsheet.leave(NEW.queue, NEW.id, NEW.opts->'callsheet'->>'key');
  ELSE
    PERFORM callsheet.arrive(NEW.queue, NEW.id, NEW.opts->'callsheet'->>'key', NEW.name);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER callsheet_stored AFTER INSERT ON bullmq.job FOR EACH ROW
  WHEN (NEW.state = 'waiting' AND NEW.opts->'callsheet' ? 'key') EXECUTE FUNCTION callsheet.on_job();
CREATE TRIGGER callsheet_moved AFTER UPDATE OF state ON bullmq.job FOR EACH ROW
  WHEN (NEW.state IN ('waiting', 'completed', 'failed') AND OLD.state <> NEW.state AND OLD.state <> 'active'
    AND NEW.opts->'callsheet' ? 'key') EXECUTE FUNCTION callsheet.on_job();
CREATE TRIGGER callsheet_ended AFTER UPDATE OF state ON bullmq.job FOR EACH ROW
  WHEN (OLD.state = 'active' AND NEW.state IN ('completed', 'failed')
    AND NEW.opts->'callsheet' ? 'key') EXECUTE FUNCTION callsheet.on_job();
CREATE TRIGGER callsheet_removed AFTER DELETE ON bullmq.job FOR EACH ROW
  WHEN (OLD.opts->'callsheet' ? 'key') EXECUTE FUNCTION callsheet.on_job();

-- Raises CS003 when more messages of a key wait than may; the detail is { actor, key, max }. The first does not wait while it
-- is in work.
CREATE FUNCTION callsheet.require_room(p_queue text, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  most integer;
  standing bigint;
  working text;
BEGIN
  SELECT value INTO most FROM callsheet.trait WHERE queue = p_queue AND name = 'mailbox';
  IF NOT FOUND THEN RETURN; END IF;
  SELECT count(*) INTO standing FROM
    (SELECT 1 FROM callsheet.mailbox WHERE queue = p_queue AND key = p_key LIMIT most + 2) AS standing_there;
  IF standing <= most THEN RETURN; END IF;
  SELECT j.state INTO working FROM callsheet.mailbox m JOIN job j ON j.queue = m.queue AND j.id = m.id
   WHERE m.queue = p_queue AND m.key = p_key ORDER BY m.arrival LIMIT 1;
  IF standing - (working = 'active')::integer > most THEN
    RAISE EXCEPTION 'callsheet: mailbox is full' USING ERRCODE = 'CS003',
      DETAIL = jsonb_build_object('actor', p_queue, 'key', p_key, 'max', most)::text;
  END IF;
END $$;

-- As before; and raises CS003 when a mailbox is full. What is due later comes into its mailbox then, full or not.
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

-- As before, for a message that may have a key (p_key), with a new state of it when p_revision is not null: then CS004 is
-- raised unless that is the revision stored.
CREATE FUNCTION callsheet.complete(
  p_queue text, p_id text, p_token text, p_return_value jsonb, p_finished_on bigint, p_sends jsonb, p_window_ms bigint,
  p_key text, p_revision bigint, p_version integer, p_value json
) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  stored bigint;
BEGIN
  PERFORM callsheet.lock_keys(p_sends, p_queue, p_key);
  IF p_revision IS NOT NULL THEN
    SELECT revision INTO stored FROM callsheet.state WHERE queue = p_queue AND key = p_key;
    IF COALESCE(stored, 0) <> p_revision THEN
      RAISE EXCEPTION 'callsheet: state has changed' USING ERRCODE = 'CS004';
    END IF;
  END IF;
  PERFORM callsheet.complete(p_queue, p_id, p_token, p_return_value, p_finished_on, p_sends, p_window_ms);
  IF p_revision IS NOT NULL THEN
    INSERT INTO callsheet.state VALUES (p_queue, p_key, p_revision + 1, p_version, p_value)
    ON CONFLICT (queue, key) DO UPDATE
      SET revision = EXCLUDED.revision, version = EXCLUDED.version, value = EXCLUDED.value;
  END IF;
END $$;

-- As before, for a message that may have a key; then its death gets a number.
CREATE FUNCTION callsheet.bury(
  p_queue text, p_id text, p_token text, p_finished_on bigint, p_reason text, p_stacktrace jsonb, p_progress jsonb,
  p_sends jsonb, p_window_ms bigint, p_key text
) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM callsheet.lock_keys(p_sends, p_queue, p_key);
  PERFORM callsheet.bury(
    p_queue, p_id, p_token, p_finished_on, p_reason, p_stacktrace, p_progress, p_sends, p_window_ms);
  IF p_key IS NOT NULL THEN
    UPDATE job SET opts = opts || jsonb_build_object('callsheetDeath', nextval('callsheet.death_seq'))
     WHERE queue = p_queue || '.dead' AND id = p_id;
  END IF;
END $$;

-- A failed attempt that stops the key: the message is parked at the head of its mailbox. False, and nothing changed, when it
-- stands in none. Raises BM001 when the lock is lost.
CREATE FUNCTION callsheet.quarantine(
  p_queue text, p_id text, p_token text, p_now bigint, p_reason text, p_stacktrace jsonb, p_progress jsonb,
  p_key text, p_attempt json
) RETURNS boolean
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM callsheet.lock_key(p_queue, p_key);
  IF NOT EXISTS (SELECT 1 FROM callsheet.mailbox WHERE queue = p_queue AND id = p_id) THEN RETURN false; END IF;
  PERFORM move_to_delayed(p_queue, p_id, p_token, p_now, 0, false, p_reason, p_stacktrace);
  UPDATE job SET state = 'waiting-children', process_at_ms = NULL, progress = p_progress
   WHERE queue = p_queue AND id = p_id;
  INSERT INTO callsheet.quarantine VALUES (p_queue, p_key, p_now, p_id, p_attempt)
  ON CONFLICT (queue, key) DO UPDATE
    SET since = EXCLUDED.since, storage_id = EXCLUDED.storage_id, attempt = EXCLUDED.attempt;
  RETURN true;
END $$;

-- Lets a quarantined key go on; false when it is not quarantined.
CREATE FUNCTION callsheet.release(p_queue text, p_key text) RETURNS boolean
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM callsheet.lock_key(p_queue, p_key);
  DELETE FROM callsheet.quarantine WHERE queue = p_queue AND key = p_key;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM callsheet.advance(p_queue, p_key);
  RETURN true;
END $$;

-- Declares the most that wait per key, and the types that only read; null: as it was. What waits already and only reads leaves
-- its mailbox.
CREATE FUNCTION callsheet.employ(p_queue text, p_mailbox integer, p_reads text[]) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  added text[];
  each record;
BEGIN
  IF p_mailbox IS NOT NULL THEN
    INSERT INTO callsheet.trait VALUES (p_queue, 'mailbox', p_mailbox)
    ON CONFLICT (queue, name) DO UPDATE SET value = EXCLUDED.value;
  END IF;
  IF p_reads IS NULL THEN RETURN; END IF;
  DELETE FROM callsheet.trait
   WHERE queue = p_queue AND name LIKE 'read %' AND name NOT IN (SELECT 'read ' || r FROM unnest(p_reads) AS r);
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
  IF added IS NOT NULL THEN PERFORM pg_notify('bullmq_jobs', p_queue); END IF;
END $$;

-- As before; the key is locked before the message.
CREATE FUNCTION callsheet.cancel(p_queue text, p_id text, p_now bigint, p_keyed boolean) RETURNS text
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  box text;
BEGIN
  SELECT opts->'callsheet'->>'key' INTO box FROM job WHERE queue = p_queue AND id = p_id;
  IF box IS NOT NULL THEN PERFORM callsheet.lock_key(p_queue, box); END IF;
  RETURN callsheet.cancel(p_queue, p_id, p_now);
END $$;

-- As before; but redriven messages of a key stand in the order in which they died, in whatever order they are redriven.
CREATE FUNCTION callsheet.redrive(
  p_queue text, p_id text, p_progress jsonb, p_data jsonb, p_types jsonb, p_keyed boolean
) RETURNS boolean
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  box text;
  death bigint;
  own bigint;
  before record;
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
    -- The first keeps its place.
    EXIT WHEN NOT EXISTS (
      SELECT 1 FROM callsheet.mailbox WHERE queue = p_queue AND key = box AND arrival < before.arrival);
    UPDATE callsheet.mailbox SET arrival = own WHERE queue = p_queue AND id = before.id;
    UPDATE callsheet.mailbox SET arrival = before.arrival WHERE queue = p_queue AND id = p_id;
    own := before.arrival;
  END LOOP;
  RETURN true;
END $$;

-- Mends what triggers could not see: switched off, or a dump that was restored without them. Answers the keys, at most 1,000.
CREATE FUNCTION callsheet.heal(p_queue text) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  each record;
BEGIN
  FOR each IN
    SELECT m.key, m.id, j.state
      FROM callsheet.mailbox m LEFT JOIN job j ON j.queue = m.queue AND j.id = m.id
     WHERE m.queue = p_queue AND (j.id IS NULL OR j.state IN ('completed', 'failed')
        OR (j.state = 'waiting-children'
          AND NOT EXISTS (SELECT 1 FROM callsheet.mailbox b
            WHERE b.queue = m.queue AND b.key = m.key AND b.arrival < m.arrival)
          AND NOT EXISTS (SELECT 1 FROM callsheet.quarantine q WHERE q.queue = m.queue AND q.key = m.key)))
     ORDER BY hashtextextended('callsheet:key:' || m.queue || ':' || m.key, 0), m.arrival LIMIT 1000
  LOOP
    PERFORM callsheet.lock_key(p_queue, each.key);
    IF each.state = 'waiting-children' THEN PERFORM callsheet.advance(p_queue, each.key);
    ELSE PERFORM callsheet.leave(p_queue, each.id, each.key); END IF;
    RETURN NEXT each.key;
  END LOOP;
  FOR each IN
    SELECT j.id, j.opts->'callsheet'->>'key' AS key FROM job j
     WHERE j.queue = p_queue AND j.state = 'waiting-children' AND j.opts->'callsheet' ? 'key'
       AND NOT EXISTS (SELECT 1 FROM callsheet.mailbox m WHERE m.queue = j.queue AND m.id = j.id)
     ORDER BY hashtextextended('callsheet:key:' || j.queue || ':' || (j.opts->'callsheet'->>'key'), 0), j.seq LIMIT 1000
  LOOP
    -- The trigger does the rest.
    UPDATE job SET state = 'waiting' WHERE queue = p_queue AND id = each.id AND state = 'waiting-children';
    RETURN NEXT each.key;
  END LOOP;
END $$;
`;
