import { createPostgresBackend, PostgresQueueBackend, type BackendFactory, type Job } from 'bullmq';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeadLetterPlace } from '../../engine.js';
import { actorOf, DEAD, redriven } from './bullmq.job.js';
import type { Failure, TurnBackend } from './bullmq.store.js';
import { pauseAfterError } from './error.pause.js';
import { redriveAll } from './redrive.all.js';

/**
 * Ids of dead letters, newest first, equal times by id.
 *
 * $1 queue, $2 time and $3 id of the place after which to begin (null: the beginning), $4 how many at most
 */
const DEAD_IDS = `
SELECT id FROM bullmq.job
 WHERE queue = $1 AND state = 'failed'
   AND ($2::bigint IS NULL OR (finished_at_ms, id COLLATE "C") < ($2::bigint, $3::text))
 ORDER BY finished_at_ms DESC, id COLLATE "C" DESC
 LIMIT $4`;

/** BullMQ's PostgreSQL backend with the ends of a turn, as functions of our schema. */
export class PostgresTurnBackend extends PostgresQueueBackend implements TurnBackend {
  async postpone(job: Job, token: string, delay: number, failure: Failure): Promise<void> {
    await this.statement(
      `SELECT callsheet.postpone($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb)`,
      [this.queueName, job.id, token, Date.now() + delay, delay, ...fieldsOf(failure)],
    );
  }

  async bury(job: Job, token: string, failure: Failure): Promise<void> {
    await this.statement(`SELECT callsheet.bury($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb)`, [
      this.queueName,
      job.id,
      token,
      Date.now(),
      ...fieldsOf(failure),
    ]);
  }

  async redrive(id: string, progress: unknown): Promise<boolean> {
    const { rows } = await this.connection.pool.query(
      `SELECT callsheet.redrive($1, $2, $3::jsonb) AS redriven`,
      [actorOf(this.queueName), id, JSON.stringify(redriven(progress))],
    );
    return rows[0]?.['redriven'] === true;
  }

  // BullMQ's retention sorts all handled jobs of the queue after each one; `forgetDone` does it now and then.
  override async moveToCompleted(
    ...[job, value, keep, token, fetchNext]: Parameters<PostgresQueueBackend['moveToCompleted']>
  ): ReturnType<PostgresQueueBackend['moveToCompleted']> {
    return retryTransient(() => super.moveToCompleted(job, value, keep ?? false, token, fetchNext));
  }

  async forgetDone({ age, count }: { age: number; count: number }): Promise<void> {
    await this.statement('SELECT callsheet.trim_done($1, $2, $3)', [
      this.queueName,
      Date.now() - age,
      count,
    ]);
  }

  async deadIds(after: DeadLetterPlace | undefined, limit: number): Promise<string[]> {
    const { rows } = await this.connection.pool.query(DEAD_IDS, [
      this.queueName,
      after?.finishedAt ?? null,
      after?.storageId ?? null,
      limit,
    ]);
    return rows.map((row) => String(row['id']));
  }

  // A button on the dashboard: retrying a dead letter is redriving it.
  override async retryFinishedJob(
    ...args: Parameters<PostgresQueueBackend['retryFinishedJob']>
  ): Promise<void> {
    if (!this.queueName.endsWith(DEAD)) return super.retryFinishedJob(...args);
    const [job] = args;
    await this.redrive(job.id ?? '', job.progress);
  }

  override async retryFinishedJobs(
    ...args: Parameters<PostgresQueueBackend['retryFinishedJobs']>
  ): Promise<number> {
    if (!this.queueName.endsWith(DEAD)) return super.retryFinishedJobs(...args);
    await redriveAll(this, args[2]);
    return 0;
  }

  // BullMQ calls these by itself only when it could not record a handler's success. That is no failure of the handler:
  // leave the job locked, recovery hands it out again.
  override async moveToFailed(): ReturnType<PostgresQueueBackend['moveToFailed']> {
    return { result: undefined, finishedOn: Date.now() } as never;
  }

  override async moveToDelayed(): ReturnType<PostgresQueueBackend['moveToDelayed']> {
    return [] as never;
  }

  override async retryJob(): Promise<void> {}

  override moveToActive(
    ...args: Parameters<PostgresQueueBackend['moveToActive']>
  ): ReturnType<PostgresQueueBackend['moveToActive']> {
    return pauseAfterError(() => retryTransient(() => super.moveToActive(...args)));
  }

  private async statement(text: string, params: unknown[]): Promise<void> {
    await retryTransient(() => this.connection.pool.query(text, params));
  }
}

/** Makes backends for BullMQ's classes. */
export const createPostgresTurnBackend: BackendFactory<PostgresTurnBackend, never> = (
  name,
  opts,
  factoryOptions = {},
) => {
  const { options } = opts.connection as { options: { max?: number } };
  // A worker keeps a connection for LISTEN, so the pool grows by it.
  if (factoryOptions.withBlockingConnection && options.max) options.max++;
  const base = createPostgresBackend(name, opts, factoryOptions);
  base.on('error', () => undefined);
  const listener = factoryOptions.withBlockingConnection ? name : undefined;
  return new PostgresTurnBackend(base.connection, name, opts, true, listener);
};

const ATTEMPTS = 5;
/** Deadlock, serialization failure: rolled back, safe to repeat. */
const ROLLED_BACK = new Set(['40P01', '40001']);

/** Repeats a statement that PostgreSQL rolled back on behalf of others. */
export async function retryTransient<T>(statement: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await statement();
    } catch (error) {
      const { code } = error as { code?: string };
      if (attempt >= ATTEMPTS || code === undefined || !ROLLED_BACK.has(code)) throw error;
      await sleep(attempt * 10 * (1 + Math.random()));
    }
  }
}

function fieldsOf({ reason, stacktrace, progress }: Failure): string[] {
  return [reason, JSON.stringify(stacktrace), JSON.stringify(progress)];
}
