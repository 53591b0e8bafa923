import { ErrorCode, type Job } from 'bullmq';
import type { SqlStatement } from '../../engine.js';
import { TurnSqlError } from '../../messaging.errors.js';
import { DEAD } from './bullmq.job.js';
import { NOW } from './postgres.clock.js';
import { isLocked, isLost, retryBusy, retryLost } from './postgres.retry.js';
import type { Queryable } from './postgres.schema.js';
import { refusalOf } from './postgres.sends.js';
import type { PoolLike } from './sql.store.js';

/** What the end of a turn fails with when the job is no longer this worker's: our functions', and as BullMQ translates it. */
const LOCK_LOST: unknown[] = ['BM001', ErrorCode.JobNotInState, ErrorCode.JobLockMismatch];

/**
 * How long the end of a turn waits for a lock, ms; then it gives its connection back and asks again, as long as it takes. A key
 * may be held by a transaction of the user's: nobody else should wait for that, nor his statement run into the time that `pg`
 * allows for it.
 */
const PATIENCE = 250;

/**
 * Renews the lock of a job whose turn ends. Never waits: who has the row ends the job, or only looks at it, and then the next
 * time is soon enough.
 *
 * $1 queue, $2 id, $3 token, $4 for how long, ms
 */
const RENEW = `
UPDATE bullmq.job SET locked_until_ms = ${NOW} + $4::bigint WHERE (queue, id) IN (
  SELECT queue, id FROM bullmq.job
   WHERE queue = $1 AND id = $2 AND state = 'active' AND lock_token = $3 FOR UPDATE SKIP LOCKED)`;

/** How the turns of one queue end on PostgreSQL: under the lock of their job, which is renewed meanwhile. */
export class PostgresEnds {
  /**
   * @param lockDuration how long a silent worker keeps its jobs, ms
   * @param renewer connections on which locks are renewed, if those are not the same as for everything else
   */
  constructor(
    private readonly pool: PoolLike,
    private readonly queueName: string,
    private readonly lockDuration: number,
    private readonly renewer: PoolLike | undefined,
  ) {}

  /** @param params the second is the id of the job, the third the token of its lock */
  async end(
    job: Job,
    text: string,
    params: unknown[],
    sql: readonly SqlStatement[] = [],
  ): Promise<void> {
    const isPlain = sql.length === 0;
    const commit = (): Promise<unknown> =>
      isPlain ? this.patiently(text, params) : this.transaction(text, params, sql);
    await this.ending(job, String(params[2]), commit, undefined);
  }

  /**
   * The end of a turn: what it sends can be refused. Answers `stored` when the connection broke, and the repeat finds that the
   * end was stored all the same: it is fenced by the lock, which went with it.
   */
  async ending<T, S>(job: Job, token: string, end: () => Promise<T>, stored: S): Promise<T | S> {
    const attempt = async (isRepeat: boolean): Promise<T | S> => {
      try {
        return await retryBusy(end);
      } catch (error) {
        const isOver = isRepeat && LOCK_LOST.includes((error as { code?: unknown }).code);
        if (isOver && !(await this.wasRecovered(job))) return stored;
        throw refusalOf(error) ?? error;
      }
    };
    const renewing =
      this.renewer && setInterval(() => this.renew(job, token), this.lockDuration / 4);
    try {
      return await retryLost(attempt);
    } finally {
      clearInterval(renewing);
    }
  }

  /** BullMQ renews no lock of a turn that is over; but its end may have to wait for a key. */
  private renew({ id }: Job, token: string): void {
    const params = [this.queueName, id, token, this.lockDuration];
    this.renewer?.query(RENEW, params).catch(() => undefined);
  }

  /** Whether a job that this worker has taken is gone, or was taken from it: that counts a crash. */
  private async wasRecovered({ id, stalledCounter }: Job): Promise<boolean> {
    const { rows } = await this.pool.query(
      'SELECT stalled_count FROM bullmq.job WHERE id = $1 AND queue IN ($2, $3)',
      [id, this.queueName, this.queueName + DEAD],
    );
    return rows[0]?.['stalled_count'] !== stalledCounter;
  }

  /**
   * Ends the turn first, under its lock; then what the user adds, in the search path that the database has for him. A process
   * that freezes meanwhile holds others up, who want the key or what the user's SQL touches, no longer than its lock lasts.
   */
  private async transaction(
    text: string,
    params: unknown[],
    sql: readonly SqlStatement[],
  ): Promise<void> {
    const session = await this.pool.connect();
    let isBroken = false;
    try {
      await session.query(
        `BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${this.lockDuration};
         SET LOCAL lock_timeout = ${PATIENCE}`,
      );
      await session.query(text, params);
      await session.query(
        'SET LOCAL search_path TO "$user", public; SET LOCAL lock_timeout TO DEFAULT',
      );
      for (const statement of sql) await runStatement(session, statement);
      // Deferred constraints fail here.
      await runStatement(session, { text: 'COMMIT', params: [] });
    } catch (error) {
      await session.query('ROLLBACK').catch(() => (isBroken = true));
      throw lossOf(error, isBroken) ?? error;
    } finally {
      session.release(isBroken);
    }
  }

  /**
   * The column `value` of what one function answers, which waits for locks for so long only. The pool's own `query` would give
   * up the connection with the wait, and let who asks again for one go before those that have waited for it.
   *
   * @param text selects the function
   */
  async patiently(text: string, params: unknown[]): Promise<unknown> {
    const session = await this.pool.connect();
    let isBroken = false;
    try {
      const patience = `SELECT set_config('lock_timeout', '${PATIENCE}', true),`;
      const { rows } = await session.query(text.replace('SELECT', patience), params);
      return rows[0]?.['value'];
    } catch (error) {
      isBroken = !isLocked(error);
      throw error;
    } finally {
      session.release(isBroken);
    }
  }
}

/** @throws TurnSqlError */
async function runStatement(session: Queryable, { text, params }: SqlStatement): Promise<void> {
  try {
    await session.query(text, [...params]);
  } catch (error) {
    throw new TurnSqlError(text, error as Error);
  }
}

/**
 * What broke the connection under SQL of a turn, if that is why it failed. The SQL may raise the same codes, because it asked
 * another server say: then the server that it ran on said so, and still answers.
 */
function lossOf(error: unknown, isBroken: boolean): Error | undefined {
  const { cause } = error as { cause?: unknown };
  if (!(error instanceof TurnSqlError) || !isLost(cause)) return undefined;
  const isFromServer = 'severity' in (cause as Error);
  return isBroken || !isFromServer ? (cause as Error) : undefined;
}
