/**
 * Mailboxes as before, with fewer locks.
 *
 * BullMQ promotes all messages that are due in one statement, in no order of ours: a key that somebody else holds must not be
 * waited for there, because he may wait for another of those keys. So one that stands in its mailbox already (between two
 * attempts, handed back, or just made runnable) asks for no lock, and a timer whose key is held is due again a moment later.
 */
export const MIGRATION_4 = `
CREATE OR REPLACE FUNCTION callsheet.arrive(p_queue text, p_id text, p_key text, p_name text) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  place bigint;
BEGIN
  PERFORM callsheet.lock_key(p_queue, p_key);
  place := nextval('callsheet.arrival_seq');
  INSERT INTO callsheet.mailbox VALUES (p_queue, p_key, place, p_id);
  IF EXISTS (SELECT 1 FROM callsheet.mailbox WHERE queue = p_queue AND key = p_key AND arrival < place)
    OR EXISTS (SELECT 1 FROM callsheet.quarantine WHERE queue = p_queue AND key = p_key) THEN
    UPDATE job SET state = 'waiting-children' WHERE queue = p_queue AND id = p_id;
  END IF;
END $$;

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
  ELSIF TG_OP = 'UPDATE' AND OLD.state = 'delayed'
    AND NOT pg_try_advisory_xact_lock(hashtextextended('callsheet:key:' || NEW.queue || ':' || box, 0)) THEN
    UPDATE job SET state = 'delayed', process_at_ms = 20 + extract(epoch FROM clock_timestamp()) * 1000
     WHERE queue = NEW.queue AND id = NEW.id;
  ELSE
    PERFORM callsheet.arrive(NEW.queue, NEW.id, box, NEW.name);
  END IF;
  RETURN NULL;
END $$;

-- As before; but who has lost the lock of the message is told that, whatever became of the state meanwhile.
CREATE OR REPLACE FUNCTION callsheet.complete(
  p_queue text, p_id text, p_token text, p_return_value jsonb, p_finished_on bigint, p_sends jsonb, p_window_ms bigint,
  p_key text, p_revision bigint, p_version integer, p_value json
) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  stored bigint;
BEGIN
  PERFORM callsheet.lock_keys(p_sends, p_queue, p_key);
  PERFORM callsheet.complete(p_queue, p_id, p_token, p_return_value, p_finished_on, p_sends, p_window_ms);
  IF p_revision IS NULL THEN RETURN; END IF;
  SELECT revision INTO stored FROM callsheet.state WHERE queue = p_queue AND key = p_key;
  IF COALESCE(stored, 0) <> p_revision THEN
    RAISE EXCEPTION 'callsheet: state has changed' USING ERRCODE = 'CS004';
  END IF;
  INSERT INTO callsheet.state VALUES (p_queue, p_key, p_revision + 1, p_version, p_value)
  ON CONFLICT (queue, key) DO UPDATE
    SET revision = EXCLUDED.revision, version = EXCLUDED.version, value = EXCLUDED.value;
END $$;
`;
