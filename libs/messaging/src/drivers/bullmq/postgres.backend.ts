import { setTimeout as sleep } from 'node:timers/promises';
import { createPostgresBackend, PostgresQueueBackend, type BackendFactory, type Job } from 'bullmq';
import type {
  AttemptRecord,
  Cancellation,
  Edited,
  Effects,
  MessagePlace,
  MessageRecord,
  MessageState,
  StoredState,
} from '../../engine.js';
import { actorOf, DEAD, redriven, toAnswer, toEnvelope, type JobProgress } from './bullmq.job.js';
import type { Failure, Keep, NextJob, TurnBackend } from './bullmq.store.js';
import type { ResolvedOptions } from '../../messaging.options.js';
import { URGENT } from '../../priority.js';
import { pauseAfterError } from './error.pause.js';
import type { PoolLike } from './sql.store.js';
import { NOW, onServerClock } from './postgres.clock.js';
import { PostgresEnds } from './postgres.ends.js';
import { placesIn } from './postgres.places.js';
import { toSends } from './postgres.sends.js';
import { PostgresMailboxes } from './postgres.mailboxes.js';
import { retryLost, retryTransient } from './postgres.retry.js';
import { isOther, type ReservedTurns } from './reserved.turns.js';
import { redriveAll } from './redrive.all.js';

/**
 * Whether an urgent message could be taken. Who takes the next one then may still get another: if somebody is quicker, or if one
 * that is due has to wait for others of its key.
 *
 * $1 queue, $2 the worst priority that is urgent
 */
const HAS_URGENT = `
SELECT EXISTS (SELECT 1 FROM bullmq.job WHERE queue = $1 AND state = 'waiting' AND priority <= $2)
    OR EXISTS (SELECT 1 FROM bullmq.job
                WHERE queue = $1 AND state = 'delayed' AND process_at_ms <= ${NOW} AND priority <= $2) AS value`;

/** The end of a turn; and of one that writes into the journal of its key, or forgets it. */
const COMPLETE =
  'SELECT callsheet.complete($1, $2, $3, $4::jsonb, $5, $6::jsonb, $7, $8, $9, $10, $11::json)';
const COMPLETE_KEPT = COMPLETE.replace(/\)$/, ', $12, $13::json, $14)');

/** How long an answer of PostgreSQL may be on its way, ms. */
const JUST_BEFORE = 1_000;

/** How soon a worker whose free turns are all reserved looks again for an urgent message, ms: a look costs more than on Redis. */
const LOOK_AGAIN = 5;

/** The most of one kind that `callsheet.trim_dead` and `trim_done` drop at once, and how often at most in one go. */
const TRIMMED = 1_000;
const TRIM_ROUNDS = 10;

/** How long ids that senders chose are remembered, and a silent worker keeps its jobs, ms. */
type Spans = Pick<ResolvedOptions, 'idempotencyWindow' | 'lockDuration'>;

/** BullMQ's PostgreSQL backend with the ends of a turn, as functions of our schema. */
export class PostgresTurnBackend extends PostgresQueueBackend implements TurnBackend {
  readonly mailboxes: PostgresMailboxes;
  reserved?: ReservedTurns;
  private readonly ends: PostgresEnds;
  private readonly renewals?: PostgresQueueBackend;

  /** @param renewer connections on which locks are renewed, if those are not the same as for everything else */
  constructor(
    private readonly spans: Spans,
    renewer: PoolLike | undefined,
    ...base: ConstructorParameters<typeof PostgresQueueBackend>
  ) {
    super(...base);
    onServerClock(this);
    if (renewer) this.renewals = renewalsOn(renewer, this.queueName, this.opts);
    const pool = this.connection.pool as unknown as PoolLike;
    this.ends = new PostgresEnds(pool, this.queueName, spans.lockDuration, renewer);
    this.mailboxes = new PostgresMailboxes(this.connection.pool, this.queueName);
  }

  async complete(
    job: Job,
    token: string,
    { sends, reply, state, forget, journal, sql = [] }: Effects,
    _keep: Keep,
    fetchNext = false,
  ): Promise<NextJob> {
    const { key, replyTo } = toEnvelope(job);
    const isPlain =
      sends.length + sql.length === 0 && !reply && replyTo === undefined && key === undefined;
    if (isPlain) return this.completePlain(job, token, fetchNext);
    const { revision, version, ...value } = state ?? {};
    const answer = toAnswer({ reply, sends });
    const params: unknown[] = [
      this.queueName,
      job.id,
      token,
      answer && JSON.stringify(answer),
      Date.now(),
      toSends(sends),
      this.spans.idempotencyWindow,
      key,
      revision ?? forget?.revision,
      version,
      state && JSON.stringify(value),
    ];
    if (forget ?? journal) {
      const rows = journal && JSON.stringify(journal.rows.slice(-journal.keep));
      params.push(forget !== undefined, rows, journal?.keep);
    }
    await this.ends.end(job, (forget ?? journal) ? COMPLETE_KEPT : COMPLETE, params, sql);
    return undefined;
  }

  async note({ id }: Job, token: string, progress: JobProgress): Promise<boolean> {
    const noted = await this.ask(
      `UPDATE bullmq.job SET progress = $4::jsonb
        WHERE queue = $1 AND id = $2 AND state = 'active' AND lock_token = $3 RETURNING true AS value`,
      [this.queueName, id, token, JSON.stringify(progress)],
    );
    return noted === true;
  }

  async quarantine(
    job: Job,
    token: string,
    failure: Failure,
    attempt: AttemptRecord,
  ): Promise<boolean> {
    const { key } = toEnvelope(job);
    if (key === undefined) return false;
    const text =
      'SELECT callsheet.quarantine($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9::json) AS value';
    const params = [
      ...[this.queueName, job.id, token, Date.now()],
      ...fieldsOf(failure),
      ...[key, JSON.stringify(attempt)],
    ];
    return (
      (await this.ends.ending(job, token, () => this.ends.patiently(text, params), true)) === true
    );
  }

  async stateOf(job: Job): Promise<StoredState | undefined> {
    const { key } = toEnvelope(job);
    return key === undefined ? undefined : this.mailboxes.state(key);
  }

  // What operators do locks jobs before their keys, and may lose a deadlock: then it was undone whole, and is done again.

  // BullMQ passes parked messages over, which wait like others; its triggers make the next of a key runnable.
  override async drain(delayed: boolean): ReturnType<PostgresQueueBackend['drain']> {
    await this.ask(
      `DELETE FROM bullmq.job
        WHERE queue = $1 AND state = 'waiting-children' AND opts->'callsheet' ? 'key'`,
      [this.queueName],
    );
    return retryTransient(() => super.drain(delayed));
  }

  override cleanJobsByState(
    ...args: Parameters<PostgresQueueBackend['cleanJobsByState']>
  ): ReturnType<PostgresQueueBackend['cleanJobsByState']> {
    return retryTransient(() => super.cleanJobsByState(...args));
  }

  // With the keys that stopped, of which BullMQ knows nothing.
  override async obliterate(
    ...[{ count, force }]: Parameters<PostgresQueueBackend['obliterate']>
  ): Promise<number> {
    const cursor = await this.ask('SELECT callsheet.obliterate($1, $2, $3) AS value', [
      ...[this.queueName, count, force],
    ]);
    if (cursor === -1) throw new Error('Cannot obliterate non-paused queue');
    if (cursor === -2) throw new Error('Cannot obliterate queue with active jobs');
    return Number(cursor);
  }

  override remove(
    ...args: Parameters<PostgresQueueBackend['remove']>
  ): ReturnType<PostgresQueueBackend['remove']> {
    return retryTransient(() => super.remove(...args));
  }

  async postpone(
    job: Job,
    token: string,
    delay: number,
    failure: Failure | undefined,
  ): Promise<void> {
    await this.ends.end(
      job,
      `SELECT callsheet.postpone($1, $2, $3, ${NOW} + $4::bigint, $4::bigint, $5, $6::jsonb, $7::jsonb)`,
      [this.queueName, job.id, token, delay, ...(failure ? fieldsOf(failure) : [null, null, null])],
    );
  }

  async bury(job: Job, token: string, failure: Failure, sends: Effects['sends']): Promise<void> {
    await this.ends.end(
      job,
      'SELECT callsheet.bury($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8::jsonb, $9, $10)',
      [
        this.queueName,
        job.id,
        token,
        Date.now(),
        ...fieldsOf(failure),
        toSends(sends),
        this.spans.idempotencyWindow,
        toEnvelope(job).key,
      ],
    );
  }

  async quit(
    job: Job,
    token: string,
    progress: JobProgress,
    _keep: Keep,
    sends: Effects['sends'],
  ): Promise<void> {
    await this.ends.end(
      job,
      'SELECT callsheet.quit($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7, $8)',
      [
        this.queueName,
        job.id,
        token,
        Date.now(),
        JSON.stringify(progress),
        toSends(sends),
        this.spans.idempotencyWindow,
        toEnvelope(job).key,
      ],
    );
  }

  cancel(id: string): Promise<Cancellation> {
    return this.cancelBy('callsheet.cancel($1, $2, $3, true)', id);
  }

  withdraw(id: string): Promise<Cancellation> {
    return this.cancelBy('callsheet.withdraw($1, $2, $3)', id);
  }

  private async cancelBy(call: string, id: string): Promise<Cancellation> {
    const params = [this.queueName, id, Date.now()];
    return (await this.ask(`SELECT ${call} AS value`, params)) as Cancellation;
  }

  async redrive(id: string, progress: unknown, edited?: Edited): Promise<boolean> {
    const answer = await this.ask(
      'SELECT callsheet.redrive($1, $2, $3::jsonb, $4::jsonb, $5::jsonb, true, $6::jsonb) AS value',
      [
        actorOf(this.queueName),
        id,
        JSON.stringify(redriven(progress)),
        edited && JSON.stringify(edited.data),
        edited?.types && JSON.stringify(edited.types),
        edited?.terms && JSON.stringify(edited.terms),
      ],
    );
    return answer === true;
  }

  async rewrite(letter: MessageRecord, failure: Failure): Promise<boolean> {
    const { storageId, finishedAt, redrives, envelope } = letter;
    const { data, types, terms } = envelope;
    const rewritten = await this.ask(
      `UPDATE bullmq.job SET data = $5::jsonb, failed_reason = $7, stacktrace = $8::jsonb, progress = $9::jsonb,
              opts = opts || jsonb_build_object('callsheet', COALESCE(opts->'callsheet', '{}') - 'types' - 'terms'
                || jsonb_strip_nulls(jsonb_build_object('types', $6::jsonb, 'terms', $10::jsonb)))
        WHERE queue = $1 AND id = $2 AND state = 'failed' AND finished_at_ms = $3::bigint
          AND COALESCE((progress->>'redrives')::integer, 0) = $4 RETURNING true AS value`,
      [
        ...[this.queueName, storageId, finishedAt, redrives, JSON.stringify(data)],
        ...[types && JSON.stringify(types), ...fieldsOf(failure), terms && JSON.stringify(terms)],
      ],
    );
    return rewritten === true;
  }

  async oldest(): Promise<number | undefined> {
    const oldest = await this.ask(
      `SELECT min(COALESCE((opts->'callsheet'->>'dueAt')::bigint, added_at_ms)) AS value
         FROM bullmq.job WHERE queue = $1 AND (state = 'waiting'
          OR (state = 'waiting-children' AND opts->'callsheet' ? 'key'))`,
      [this.queueName],
    );
    return oldest === null || oldest === undefined ? undefined : Number(oldest);
  }

  async overdue(priority: number, before: number, limit: number): Promise<string[]> {
    const ids = await this.ask(
      `SELECT COALESCE(json_agg(id), '[]') AS value FROM (
         SELECT id FROM bullmq.job WHERE queue = $1 AND state = 'waiting' AND priority > $2
            AND COALESCE((opts->'callsheet'->>'dueAt')::bigint, added_at_ms) <= $3
          ORDER BY priority, seq LIMIT $4) old`,
      [this.queueName, priority, before, limit],
    );
    return ids as string[];
  }

  async discard(id: string): Promise<boolean> {
    const discarded = await this.ask(
      `DELETE FROM bullmq.job WHERE queue = $1 AND id = $2 AND state = 'failed' RETURNING id AS value`,
      [this.queueName, id],
    );
    return discarded !== undefined;
  }

  async forgetDead({ age, count }: Keep): Promise<void> {
    const diedUntil = Number.isFinite(age) ? Date.now() - age : null;
    const most = Number.isFinite(count) ? count : null;
    await this.trim('SELECT callsheet.trim_dead($1, $2, $3) AS value', diedUntil, most);
  }

  /** In pieces, so that nobody waits for long for what is locked meanwhile. */
  private async trim(text: string, before: number | null, most: number | null): Promise<void> {
    for (let round = 1; round <= TRIM_ROUNDS; round++) {
      const dropped = await this.ask(text, [this.queueName, before, most]);
      if (Number(dropped) < TRIMMED) break;
    }
  }

  // BullMQ's own retention sorts all handled jobs of the queue after each one.
  async forgetDone({ age, count }: Keep): Promise<void> {
    const most = Number.isFinite(count) ? count : null;
    await this.trim('SELECT callsheet.trim_done($1, $2, $3) AS value', Date.now() - age, most);
  }

  places(
    state: MessageState,
    after: MessagePlace | undefined,
    limit: number,
  ): Promise<MessagePlace[]> {
    const pool = this.connection.pool as unknown as PoolLike;
    return placesIn(pool, this.queueName, state, after, limit);
  }

  // A button on the dashboard: retrying a dead letter is redriving it.
  override async retryFinishedJob(
    ...args: Parameters<PostgresQueueBackend['retryFinishedJob']>
  ): Promise<void> {
    if (!this.queueName.endsWith(DEAD)) {
      return retryTransient(() => super.retryFinishedJob(...args));
    }
    const [job] = args;
    await this.redrive(job.id ?? '', job.progress);
  }

  override async retryFinishedJobs(
    ...args: Parameters<PostgresQueueBackend['retryFinishedJobs']>
  ): Promise<number> {
    if (!this.queueName.endsWith(DEAD)) {
      return retryTransient(() => super.retryFinishedJobs(...args));
    }
    await redriveAll(this, args[2]);
    return 0;
  }

  override moveToActive(
    ...args: Parameters<PostgresQueueBackend['moveToActive']>
  ): ReturnType<PostgresQueueBackend['moveToActive']> {
    const since = performance.now();
    const take = async (): Promise<NextJob> =>
      retryLost(
        async (isRepeat) =>
          (isRepeat && (await this.taken(args[0], since))) || super.moveToActive(...args),
      );
    const none: NextJob = [null, '', 0, 0];
    const limited = async (): Promise<NextJob> => {
      if (!(await this.value(HAS_URGENT, [this.queueName, URGENT]))) return none;
      const taken = await take();
      if (!isOther(taken)) return taken;
      // It comes before the others of its priority again.
      await this.moveJobFromActiveToWait(taken[1], args[0]);
      return none;
    };
    return pauseAfterError(async () =>
      this.reserved ? this.reserved.fetch((isLimited) => (isLimited ? limited() : take())) : take(),
    ) as ReturnType<PostgresQueueBackend['moveToActive']>;
  }

  override async waitForJob(timeout: number): ReturnType<PostgresQueueBackend['waitForJob']> {
    if (!this.reserved?.isFull) return super.waitForJob(timeout);
    await sleep(LOOK_AGAIN);
    return null;
  }

  override moveJobFromActiveToWait(
    ...args: Parameters<PostgresQueueBackend['moveJobFromActiveToWait']>
  ): Promise<number> {
    return retryLost(() => super.moveJobFromActiveToWait(...args));
  }

  override extendLocks(
    ...args: Parameters<PostgresQueueBackend['extendLocks']>
  ): Promise<string[]> {
    return retryLost(() =>
      this.renewals ? this.renewals.extendLocks(...args) : super.extendLocks(...args),
    );
  }

  // The next occurrence is made between the claim of one and its turn.
  override updateJobSchedulerNextMillis(
    ...args: Parameters<PostgresQueueBackend['updateJobSchedulerNextMillis']>
  ): Promise<string | null> {
    return retryLost(() => super.updateJobSchedulerNextMillis(...args));
  }

  /** By BullMQ's own statement, which can take the next job too. */
  private async completePlain(job: Job, token: string, fetchNext: boolean): Promise<NextJob> {
    const since = performance.now();
    const end = async (): Promise<NextJob> =>
      (await super.moveToCompleted(job, null, false, token, fetchNext)).result;
    const next = await this.ends.ending(job, token, end, 'stored' as const);
    return next === 'stored' ? retryLost(() => this.taken(token, since)) : next;
  }

  /**
   * What was taken with `token` since then, by `performance.now()`: the job of a claim whose answer was lost. Nobody works on it,
   * nor on one that was taken just before: its turn is over, and its end was not stored.
   */
  private async taken(token: string, since: number): Promise<NextJob> {
    const id = await this.value(
      `SELECT id AS value FROM bullmq.job
        WHERE queue = $1 AND state = 'active' AND lock_token = $2 AND processed_at_ms >= ${NOW} - $3::bigint
        ORDER BY processed_at_ms DESC LIMIT 1`,
      [this.queueName, token, Math.ceil(performance.now() - since) + JUST_BEFORE],
    );
    const job = typeof id === 'string' && (await this.getJobData(id));
    return job ? [job, job.id, 0, 0] : undefined;
  }

  /** The column `value` of the first row; repeated when it lost a deadlock. Not within `retryLost`, which repeats it too. */
  private ask(text: string, params: unknown[]): Promise<unknown> {
    return retryTransient(() => this.value(text, params));
  }

  private async value(text: string, params: unknown[]): Promise<unknown> {
    const { rows } = await this.connection.pool.query(text, params);
    return rows[0]?.['value'];
  }
}

/** @param renewer the pool on which workers renew their locks, if it is another than that of everything else */
export function turnBackendFactory(
  spans: Spans,
  renewer: () => PoolLike | undefined,
): BackendFactory<PostgresTurnBackend, never> {
  return (name, opts, factoryOptions = {}) => {
    const isWorker = factoryOptions.withBlockingConnection === true;
    // A worker keeps a connection for LISTEN, so the pool grows by it.
    if (isWorker) grow(opts.connection);
    const base = silent(createPostgresBackend(name, opts, factoryOptions));
    const listener = isWorker ? name : undefined;
    const pool = isWorker ? renewer() : undefined;
    return new PostgresTurnBackend(spans, pool, base.connection, name, opts, true, listener);
  };
}

/** One renews at a time in each worker: with a connection for each none waits for another. */
function renewalsOn(
  pool: PoolLike,
  ...[name, opts]: Parameters<typeof createPostgresBackend>
): PostgresQueueBackend {
  grow(pool);
  return onServerClock(silent(createPostgresBackend(name, { ...opts, connection: pool as never })));
}

function grow(pool: unknown): void {
  const { options } = pool as { options: { max?: number } };
  if (options.max) options.max++;
}

/** Unheard, its errors would end the process; statements fail with them all the same. */
function silent<T extends PostgresQueueBackend>(backend: T): T {
  backend.on('error', () => undefined);
  return backend;
}

function fieldsOf({ reason, stacktrace, progress }: Failure): string[] {
  return [reason, JSON.stringify(stacktrace), JSON.stringify(progress)];
}
