import { MIGRATION_2 } from './postgres.migration.2.js';
import { MIGRATION_3 } from './postgres.migration.3.js';
import { MIGRATION_4 } from './postgres.migration.4.js';
import { MIGRATION_5 } from './postgres.migration.5.js';
import { MIGRATION_6 } from './postgres.migration.6.js';
import { MIGRATION_7 } from './postgres.migration.7.js';
import { MIGRATION_8 } from './postgres.migration.8.js';
import { MIGRATION_9 } from './postgres.migration.9.js';
import { MIGRATION_10 } from './postgres.migration.10.js';
import { MIGRATION_11 } from './postgres.migration.11.js';
import { MIGRATION_12 } from './postgres.migration.12.js';
import { MIGRATION_13 } from './postgres.migration.13.js';
import { MIGRATION_14 } from './postgres.migration.14.js';

/** What a connection to PostgreSQL or PGlite can do. */
export interface Queryable {
  query(text: string, params?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

/** SQLSTATE when an id was used for another body; the detail is the message's public id. */
export const CONFLICT = 'CS001';
/** SQLSTATE when a message that is in work was to be replaced; the detail is its public id. */
export const ACTIVE = 'CS002';
/** SQLSTATE when the mailbox of a key is full; the detail is JSON: actor, key, max. */
export const FULL = 'CS003';
/** SQLSTATE when the state of a key is no longer the one that a turn began with. */
export const STALE = 'CS004';
/** SQLSTATE when a message with a key is sent in a transaction that reads what was committed before it. */
export const ISOLATED = 'CS005';

/**
 * Our own schema, beside BullMQ's (`bullmq`). Migrations are applied in order, once, in one transaction; a released one is
 * never edited. All functions run in BullMQ's search_path, because its functions use unqualified names.
 */
export const MIGRATIONS: readonly string[] = [
  `
-- Ids chosen by senders, remembered after their message is gone.
CREATE TABLE callsheet.sent (
  id text PRIMARY KEY,
  fingerprint text NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX sent_expires_idx ON callsheet.sent (expires_at);

-- Stores messages, all or none. p_jobs: array of { queue, id, name, data, opts, priority, delay, timestamp, publicId,
-- fingerprint? }. Raises CS001 for an id that was used for another body. Ids are claimed in their order, so that two
-- overlapping batches cannot wait for each other; jobs are added in the order given.
CREATE FUNCTION callsheet.send(p_jobs jsonb, p_window_ms bigint) RETURNS void
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
    CONTINUE WHEN entry.place = ANY (repeated) OR EXISTS (
      SELECT 1 FROM job WHERE queue = (entry.job->>'queue') || '.dead' AND id = entry.job->>'id');
    PERFORM add_job(
      entry.job->>'queue', entry.job->>'id', entry.job->>'name', entry.job->'data', entry.job->'opts',
      (entry.job->>'priority')::integer, (entry.job->>'delay')::bigint, (entry.job->>'timestamp')::bigint, 1,
      NULL, NULL, NULL, NULL, NULL, false);
  END LOOP;
END $$;

-- Forgets handled messages that are too old or too many.
CREATE FUNCTION callsheet.trim_done(p_queue text, p_finished_before bigint, p_count integer) RETURNS void
LANGUAGE sql SET search_path = bullmq, pg_temp AS $$
  DELETE FROM job WHERE queue = p_queue AND state = 'completed' AND finished_at_ms < p_finished_before;
  DELETE FROM job WHERE queue = p_queue AND id IN (
    SELECT id FROM job WHERE queue = p_queue AND state = 'completed'
     ORDER BY finished_at_ms DESC, seq DESC OFFSET p_count);
$$;

-- Moves a job and its log lines to another queue. The log refers to its job, so the copy comes first.
CREATE FUNCTION callsheet.transfer(p_from text, p_id text, p_to text) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  INSERT INTO job
    SELECT (jsonb_populate_record(j, jsonb_build_object('queue', p_to))).*
      FROM job j WHERE queue = p_from AND id = p_id;
  UPDATE job_log SET queue = p_to WHERE queue = p_from AND job_id = p_id;
  DELETE FROM job WHERE queue = p_from AND id = p_id;
END $$;

-- A failed attempt: due again at p_process_at. Raises BM001 when the lock is lost.
CREATE FUNCTION callsheet.postpone(
  p_queue text, p_id text, p_token text, p_process_at bigint, p_delay bigint,
  p_reason text, p_stacktrace jsonb, p_progress jsonb
) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM move_to_delayed(p_queue, p_id, p_token, p_process_at, p_delay, false, p_reason, p_stacktrace);
  UPDATE job SET progress = p_progress WHERE queue = p_queue AND id = p_id;
END $$;

-- Given up: the message becomes a dead letter. Raises BM001 when the lock is lost.
CREATE FUNCTION callsheet.bury(
  p_queue text, p_id text, p_token text, p_finished_on bigint, p_reason text, p_stacktrace jsonb, p_progress jsonb
) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM move_to_failed(p_queue, p_id, p_token, p_reason, p_stacktrace, p_finished_on, false, NULL, NULL);
  UPDATE job SET progress = p_progress WHERE queue = p_queue AND id = p_id;
  PERFORM callsheet.transfer(p_queue, p_id, p_queue || '.dead');
  PERFORM publish_event(p_queue || '.dead', 'failed',
    jsonb_build_object('jobId', p_id, 'failedReason', p_reason, 'prev', 'active'));
END $$;

-- Puts a dead letter back into its actor's queue; false when there is no such dead letter.
CREATE FUNCTION callsheet.redrive(p_queue text, p_id text, p_progress jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM 1 FROM job WHERE queue = p_queue || '.dead' AND id = p_id AND state = 'failed' FOR UPDATE;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM callsheet.transfer(p_queue || '.dead', p_id, p_queue);
  UPDATE job SET progress = p_progress, stalled_count = 0 WHERE queue = p_queue AND id = p_id;
  RETURN reprocess_job(p_queue, p_id, 'failed', false, true, true) = 1;
END $$;
`,
  MIGRATION_2,
  MIGRATION_3,
  MIGRATION_4,
  MIGRATION_5,
  MIGRATION_6,
  MIGRATION_7,
  MIGRATION_8,
  MIGRATION_9,
  MIGRATION_10,
  MIGRATION_11,
  MIGRATION_12,
  MIGRATION_13,
  MIGRATION_14,
];

const MIGRATION_LOCK = 0x63616c6c;

/**
 * Brings our schema up to date; concurrent starters wait for the first.
 *
 * @param session one connection, never a pool: the lock and the transaction share it
 * @param migrations all there are, or the first of them
 */
export async function migrate(session: Queryable, migrations = MIGRATIONS): Promise<void> {
  await session.query('BEGIN');
  try {
    await session.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await session.query('CREATE SCHEMA IF NOT EXISTS callsheet');
    await session.query(
      'CREATE TABLE IF NOT EXISTS callsheet.migration (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
    );
    const { rows } = await session.query(
      'SELECT COALESCE(MAX(version), 0)::int AS version FROM callsheet.migration',
    );
    const current = Number(rows[0]?.['version']);
    for (const [index, sql] of migrations.entries()) {
      if (index < current) continue;
      await session.query(sql);
      await session.query('INSERT INTO callsheet.migration (version) VALUES ($1)', [index + 1]);
    }
    await session.query('COMMIT');
  } catch (error) {
    await session.query('ROLLBACK');
    throw error;
  }
}
