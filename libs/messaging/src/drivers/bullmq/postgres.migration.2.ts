/**
 * Replacing, cancelling, what turns leave, subscriptions. Where a function of the first migration gets more parameters, the
 * shorter one stays: the longer one calls it, and so do processes of the version before.
 *
 * No two turns can wait for each other: each locks its own job first, which nobody else waits for while it says 'active';
 * then the ids it sends, in their order; and only then jobs that it replaces, which belong to the ids it has locked.
 */
export const MIGRATION_2 = `
-- Which actor gets a copy of which events.
CREATE TABLE callsheet.subscription (
  type text COLLATE "C" NOT NULL,
  actor text COLLATE "C" NOT NULL,
  PRIMARY KEY (type, actor)
);
CREATE INDEX subscription_actor_idx ON callsheet.subscription (actor);

-- Makes p_types the events of p_actor. One at a time for each actor: of two that differ one counts, not both.
CREATE FUNCTION callsheet.subscribe(p_actor text, p_types text[]) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('callsheet:subscribe:' || p_actor, 0));
  DELETE FROM callsheet.subscription WHERE actor = p_actor AND type <> ALL (p_types);
  INSERT INTO callsheet.subscription (type, actor) SELECT unnest(p_types), p_actor ON CONFLICT DO NOTHING;
END $$;

-- Notifies. What is too long for that is left out, because it would undo the step that it tells of.
CREATE FUNCTION callsheet.notify(p_channel text, p_payload text) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  IF octet_length(p_payload) < 8000 THEN PERFORM pg_notify(p_channel, p_payload); END IF;
END $$;

-- Tells whoever waits for it that a message has ended: '<inbox> <public id>'.
CREATE FUNCTION callsheet.tell(p_queue text, p_id text) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  message record;
BEGIN
  SELECT opts->'callsheet'->>'replyTo' AS inbox, COALESCE(opts->'callsheet'->>'id', id) AS id INTO message
    FROM job WHERE queue = p_queue AND id = p_id;
  IF message.inbox IS NOT NULL THEN
    PERFORM callsheet.notify('callsheet_ended', message.inbox || ' ' || message.id);
  END IF;
END $$;

-- Removes the message that is to be replaced, wherever it is. Raises CS002 when it is in work. Looks again after it had to
-- wait for a row: the message may have been taken, redriven or given up meanwhile.
CREATE FUNCTION callsheet.evict(p_queue text, p_id text, p_public_id text) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  held record;
BEGIN
  LOOP
    SELECT queue, state INTO held FROM job WHERE id = p_id AND queue IN (p_queue, p_queue || '.dead');
    EXIT WHEN NOT FOUND;
    IF held.state = 'active' THEN
      RAISE EXCEPTION 'callsheet: message is in work' USING ERRCODE = 'CS002', DETAIL = p_public_id;
    END IF;
    DELETE FROM job WHERE queue = held.queue AND id = p_id AND state <> 'active';
  END LOOP;
END $$;

-- As before; and a job with 'replace' takes the place of whatever has its id. Raises CS002 when that one is in work.
CREATE OR REPLACE FUNCTION callsheet.send(p_jobs jsonb, p_window_ms bigint) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  entry record;
  known text;
  repeated bigint[] := '{}';
BEGIN
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
      SELECT 1 FROM job WHERE queue = (entry.job->>'queue') || '.dead' AND id = entry.job->>'id');
    PERFORM add_job(
      entry.job->>'queue', entry.job->>'id', entry.job->>'name', entry.job->'data', entry.job->'opts',
      (entry.job->>'priority')::integer, (entry.job->>'delay')::bigint, (entry.job->>'timestamp')::bigint, 1,
      NULL, NULL, NULL, NULL, NULL, false);
  END LOOP;
END $$;

-- Handled, with what the turn leaves. Raises BM001 when the lock is lost, CS001 and CS002 as send does. The message ends
-- before the sends, so that one of them can take its place.
CREATE FUNCTION callsheet.complete(
  p_queue text, p_id text, p_token text, p_return_value jsonb, p_finished_on bigint, p_sends jsonb, p_window_ms bigint
) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM move_to_completed(p_queue, p_id, p_token, p_return_value, p_finished_on, false, NULL, NULL);
  PERFORM callsheet.tell(p_queue, p_id);
  PERFORM callsheet.send(p_sends, p_window_ms);
END $$;

-- Given up, with what the turn leaves. Raises as complete does.
CREATE FUNCTION callsheet.bury(
  p_queue text, p_id text, p_token text, p_finished_on bigint, p_reason text, p_stacktrace jsonb, p_progress jsonb,
  p_sends jsonb, p_window_ms bigint
) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM callsheet.bury(p_queue, p_id, p_token, p_finished_on, p_reason, p_stacktrace, p_progress);
  PERFORM callsheet.tell(p_queue || '.dead', p_id);
  PERFORM callsheet.send(p_sends, p_window_ms);
END $$;

-- Ended without being handled; p_progress says that it was cancelled. Raises BM001 when the lock is lost.
CREATE FUNCTION callsheet.quit(
  p_queue text, p_id text, p_token text, p_finished_on bigint, p_progress jsonb
) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM move_to_completed(p_queue, p_id, p_token, NULL, p_finished_on, false, NULL, NULL);
  UPDATE job SET progress = p_progress WHERE queue = p_queue AND id = p_id;
  PERFORM callsheet.tell(p_queue, p_id);
END $$;

-- Due again at p_process_at: after a failed attempt, or, when p_progress is null, as if it had not been given out. One that was
-- cancelled in work is due at once, because it only has to be told so. Raises BM001 when the lock is lost.
CREATE OR REPLACE FUNCTION callsheet.postpone(
  p_queue text, p_id text, p_token text, p_process_at bigint, p_delay bigint,
  p_reason text, p_stacktrace jsonb, p_progress jsonb
) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  too_late bigint;
BEGIN
  SELECT CASE WHEN opts ? 'callsheetCancelled' THEN p_delay ELSE 0 END INTO too_late
    FROM job WHERE queue = p_queue AND id = p_id FOR UPDATE;
  PERFORM move_to_delayed(p_queue, p_id, p_token, p_process_at - too_late, p_delay - too_late,
    p_progress IS NULL, p_reason, p_stacktrace);
  UPDATE job SET progress = COALESCE(p_progress, progress),
      attempts_started = attempts_started - CASE WHEN p_progress IS NULL THEN 1 ELSE 0 END
    WHERE queue = p_queue AND id = p_id;
END $$;

-- Cancels a message: 'cancelled', 'cancelling', 'ended' or 'unknown', as the engine's cancel. An occurrence of a schedule
-- that has not started is only marked, and ends when its time comes: BullMQ would forget the schedule with it.
CREATE FUNCTION callsheet.cancel(p_queue text, p_id text, p_now bigint) RETURNS text
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  held record;
BEGIN
  -- Twice: one that moved to or from the dead letters while it was waited for is found where it is now.
  FOR look IN 1..2 LOOP
    SELECT queue, state, scheduler_id, progress INTO held
      FROM job WHERE id = p_id AND queue IN (p_queue, p_queue || '.dead') FOR UPDATE;
    EXIT WHEN FOUND;
  END LOOP;
  IF held.state IS NULL THEN RETURN 'unknown'; END IF;
  IF held.queue <> p_queue OR held.state IN ('completed', 'failed') THEN RETURN 'ended'; END IF;
  IF held.state = 'active' OR held.scheduler_id IS NOT NULL THEN
    UPDATE job SET opts = opts || jsonb_build_object('callsheetCancelled', p_now) WHERE queue = p_queue AND id = p_id;
    IF held.state <> 'active' THEN RETURN 'cancelled'; END IF;
    PERFORM callsheet.notify('callsheet_cancelled', p_id);
    RETURN 'cancelling';
  END IF;
  -- Taken and ended in one step: all that BullMQ does at the end of a job is done.
  UPDATE job SET state = 'active', lock_token = 'cancel' WHERE queue = p_queue AND id = p_id;
  PERFORM callsheet.quit(p_queue, p_id, 'cancel', p_now,
    CASE WHEN jsonb_typeof(held.progress->'attempts') = 'array' THEN held.progress ELSE '{"attempts":[]}' END
      || jsonb_build_object('cancelled', p_now));
  RETURN 'cancelled';
END $$;

-- As before; and with other data, and what its types say, when p_data is not null. Who redrives it wants it handled.
CREATE FUNCTION callsheet.redrive(p_queue text, p_id text, p_progress jsonb, p_data jsonb, p_types jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  UPDATE job
     SET data = COALESCE(p_data, data),
         opts = (opts - 'callsheetCancelled') || CASE WHEN p_data IS NULL THEN '{}' ELSE
           jsonb_build_object('callsheet', COALESCE(opts->'callsheet', '{}') - 'types'
             || jsonb_strip_nulls(jsonb_build_object('types', p_types))) END
   WHERE queue = p_queue || '.dead' AND id = p_id AND state = 'failed';
  RETURN callsheet.redrive(p_queue, p_id, p_progress);
END $$;

-- Drops dead letters that are too old or too many (null: they may be), at most 1,000 of each; answers how many.
CREATE FUNCTION callsheet.trim_dead(p_queue text, p_died_until bigint, p_count bigint) RETURNS bigint
LANGUAGE sql SET search_path = bullmq, pg_temp AS $$
  WITH dropped AS (
    DELETE FROM job WHERE queue = p_queue AND state = 'failed' AND id IN (
      (SELECT id FROM job WHERE queue = p_queue AND state = 'failed' AND finished_at_ms <= p_died_until
        ORDER BY finished_at_ms LIMIT 1000)
      UNION ALL
      (SELECT id FROM job WHERE queue = p_queue AND state = 'failed' AND p_count IS NOT NULL
        ORDER BY finished_at_ms DESC, id COLLATE "C" DESC OFFSET p_count LIMIT 1000))
    RETURNING id)
  SELECT count(*) FROM dropped;
$$;
`;
