import { Pool } from 'pg';
import type { StoreInfo } from '../../engine.js';
import { StoreError } from '../../messaging.errors.js';
import { withinTime } from '../../within.time.js';
import { checkClock } from '../../clock.skew.js';
import { SqlStore, type SqlOptions } from './sql.store.js';
import { safeUrl } from './store.url.js';

/** How long a send waits for a key that somebody's transaction has, ms. */
const LOCK_TIMEOUT = 4_000;

/** A PostgreSQL 13+ server. */
export class PostgresStore extends SqlStore {
  info: StoreInfo = { name: 'PostgreSQL', durability: 'memory', shared: true, sql: true };
  /** Of queues and workers. */
  protected readonly pool: Pool;
  /** Of senders, who wait for a key as long as somebody's transaction has it: turns must go on meanwhile. */
  protected override readonly sender: Pool;
  /**
   * Of renewals. Turns that end wait for keys too, on the pool of workers: a renewal behind them would come too late, however
   * short each of them waits. Connections are made when a turn lasts long enough, and closed soon after.
   */
  protected override readonly renewer: Pool;

  constructor(options: SqlOptions) {
    super(options);
    // One of them listens.
    this.pool = this.connections(21, '');
    this.sender = this.connections(10, ` -c lock_timeout=${LOCK_TIMEOUT}`);
    this.renewer = this.connections(1, '');
  }

  private connections(max: number, settings: string): Pool {
    const pool = new Pool({
      connectionString: this.options.url,
      options: `-c search_path=bullmq -c default_transaction_isolation=read\\ committed${settings}`,
      connectionTimeoutMillis: 5_000,
      // Long enough for a migration; a server that is frozen must not keep callers for ever.
      query_timeout: 15_000,
      keepAlive: true,
      // The system's own default is hours: so long a connection that only listens would not miss what it does not hear.
      keepAliveInitialDelayMillis: 10_000,
      max,
    });
    // An idle connection that breaks is replaced; unheard, the event would end the process.
    pool.on('error', () => undefined);
    // One in use hears of it itself, and its query, if it has one, fails.
    pool.on('connect', (client) => client.on('error', () => undefined));
    // Each queue and worker listens too.
    return pool.setMaxListeners(0);
  }

  async open(): Promise<void> {
    try {
      await this.prepare();
      const { rows } = await this.pool.query(
        `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync,
                current_setting('synchronous_commit') AS commit`,
      );
      const { version, fsync, commit } = rows[0] as Record<string, string>;
      this.info = {
        name: `PostgreSQL ${version?.split(' ')[0]}`,
        durability: fsync === 'on' && commit !== 'off' ? 'power-safe' : 'process-safe',
        shared: true,
        sql: true,
      };
      await checkClock(this.info.name, async () => {
        const now = await this.pool.query('SELECT extract(epoch FROM clock_timestamp()) AS now');
        return Number((now.rows[0] as { now: string }).now) * 1_000;
      });
    } catch (error) {
      await this.close();
      throw new StoreError(
        `cannot use PostgreSQL at ${safeUrl(this.options.url)}: ${reasonOf(error)}`,
        {
          cause: error,
        },
      );
    }
  }

  async close(): Promise<void> {
    await this.leave();
    await withinTime(2_000, Promise.all([this.pool.end(), this.sender.end(), this.renewer.end()]));
  }
}

/** Node reports a refused connection to a name with several addresses as an AggregateError without message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError)
    return error.errors.map((each: Error) => each.message).join('; ');
  return (error as Error).message;
}
