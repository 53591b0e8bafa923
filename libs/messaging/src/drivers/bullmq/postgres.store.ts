import { Pool } from 'pg';
import { runMigrations } from 'bullmq';
import type { Bindings, Sightings, Signal, StoreInfo, Transaction } from '../../engine.js';
import type { Envelope } from '../../envelope.js';
import type { Json } from '../../json.js';
import { StoreError, UnknownOutcomeError } from '../../messaging.errors.js';
import type { ResolvedOptions } from '../../messaging.options.js';
import { MOST_RELEASES } from '../../release.js';
import { checkClock } from './clock.skew.js';
import type { BullmqStore } from './bullmq.store.js';
import { turnBackendFactory } from './postgres.backend.js';
import { NOW } from './postgres.clock.js';
import { PostgresNotices, SIGNALS, toPayload, type Session } from './postgres.notices.js';
import { retryLost, retryTransient } from './postgres.retry.js';
import { migrate, type Queryable } from './postgres.schema.js';
import { refusalOf, toSends } from './postgres.sends.js';
import { safeUrl } from './store.url.js';
import { withinTime } from '../../within.time.js';

type Options = Pick<ResolvedOptions, 'url' | 'idempotencyWindow' | 'lockDuration'>;

/** What PostgresStore needs of `pg.Pool`; PGlite's adapter has the same shape. */
export interface PoolLike extends Queryable {
  connect(): Promise<Session>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** How often ids that need no longer be remembered are dropped. */
const FORGET_EVERY = 10 * 60_000;
/** How long a send waits for a key that somebody's transaction has, ms. */
const LOCK_TIMEOUT = 4_000;

/** Everything but the connection: shared by a PostgreSQL server and embedded PGlite. */
export abstract class SqlStore implements BullmqStore {
  readonly backend: BullmqStore['backend'];
  abstract info: StoreInfo;
  protected abstract pool: PoolLike;
  /** Of senders, if they have one of their own. */
  protected readonly sender?: PoolLike;
  /** Of renewals of locks, if they have one of their own. */
  protected readonly renewer?: PoolLike;
  private readonly notices = new PostgresNotices(() => this.pool.connect());
  private forgetting?: NodeJS.Timeout;

  constructor(protected readonly options: Options) {
    this.backend = turnBackendFactory(options, () => this.renewer) as BullmqStore['backend'];
  }

  get workerConnection(): unknown {
    return this.pool;
  }

  get queueConnection(): unknown {
    return this.pool;
  }

  abstract open(): Promise<void>;
  abstract close(): Promise<void>;

  async send(envelopes: readonly Envelope[], tx?: Transaction): Promise<void> {
    const text = 'SELECT callsheet.send($1::jsonb, $2)';
    const params = [toSends(envelopes), this.options.idempotencyWindow];
    try {
      // The caller's transaction is his to repeat.
      if (tx) await tx.query(text, params);
      else await retryLost(() => (this.sender ?? this.pool).query(text, params));
    } catch (error) {
      throw refusalOf(error) ?? explainSend(error);
    }
  }

  async listen(inbox: string, ended: (id: string) => void): Promise<() => Promise<void>> {
    return this.notices.listen(inbox, ended).catch(this.away);
  }

  async onCancel(cancelled: (storageId: string) => void): Promise<() => Promise<void>> {
    return this.notices.onCancel(cancelled).catch(this.away);
  }

  async signal(signals: readonly Signal[]): Promise<void> {
    const notify = 'SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload';
    await this.pool.query(notify, [SIGNALS, signals.map(toPayload)]);
  }

  async onSignal(name: string, hear: (text: string) => void): Promise<() => Promise<void>> {
    return this.notices.onSignal(name, hear).catch(this.away);
  }

  async bind(owner: string, value: Json | undefined): Promise<boolean> {
    const json = value === undefined ? null : JSON.stringify(value);
    const bind = 'SELECT callsheet.bind($1, $2) AS changed';
    const { rows } = await retryTransient(() => this.pool.query(bind, [owner, json]));
    return rows[0]?.['changed'] === true;
  }

  async bound(owner: string): Promise<Json | undefined> {
    const text = 'SELECT value FROM callsheet.binding WHERE owner = $1';
    const { rows } = await this.pool.query(text, [owner]);
    return rows[0]?.['value'] as Json | undefined;
  }

  async bindings(known?: string): Promise<Bindings | undefined> {
    const { rows } = await this.pool.query(
      `SELECT v.id::text AS version, CASE WHEN v.id::text = $1 THEN NULL ELSE
         (SELECT COALESCE(json_object_agg(owner, value), '{}') FROM callsheet.binding) END AS owners
       FROM callsheet.binding_version v`,
      [known ?? null],
    );
    const [{ version, owners } = {}] = rows as { version?: string; owners?: Bindings['owners'] }[];
    return owners ? { version: version ?? '', owners } : undefined;
  }

  async present(actor: string, release: string): Promise<void> {
    const present = 'SELECT callsheet.present($1, $2, $3)';
    await retryTransient(() => this.pool.query(present, [actor, release, MOST_RELEASES]));
  }

  async releases(actor: string): Promise<Sightings> {
    const { rows } = await this.pool.query(
      `SELECT json_build_object('now', ${NOW}, 'releases',
         (SELECT COALESCE(json_agg(json_build_object('id', id, 'seenAt', seen_at_ms)), '[]')
            FROM callsheet.release WHERE actor = $1)) AS sightings`,
      [actor],
    );
    return rows[0]?.['sightings'] as Sightings;
  }

  async ping(): Promise<void> {
    await this.pool.query('SELECT 1');
  }

  /** Brings both schemas up to date on one session. */
  protected async prepare(): Promise<void> {
    const session = await this.pool.connect();
    try {
      await runMigrations(session as never);
      await migrate(session);
    } finally {
      session.release();
    }
    const forget = () =>
      this.pool.query('DELETE FROM callsheet.sent WHERE expires_at < now()').catch(() => undefined);
    await forget();
    this.forgetting = setInterval(forget, FORGET_EVERY).unref();
  }

  /** What has to end before connections are closed. */
  protected async leave(): Promise<void> {
    clearInterval(this.forgetting);
    await withinTime(500, this.notices.close());
  }

  private readonly away = (cause: Error): never => {
    throw new StoreError(`${this.info.name} does not answer: ${cause.message}`, { cause });
  };
}

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

  constructor(options: Options) {
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

function explainSend(error: unknown): Error {
  const { code, message } = error as { code?: string; message: string };
  // Five characters: the server answered and refused, so nothing is stored.
  if (code?.length === 5 && !/^(08|57P)/.test(code)) {
    return new StoreError(`PostgreSQL refused the message: ${message}`, { cause: error });
  }
  return new UnknownOutcomeError(
    `PostgreSQL did not answer (${message}); the message may or may not be stored: sending again is safe with the same id, if it was given one`,
    { cause: error },
  );
}
