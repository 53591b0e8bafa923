import { runMigrations } from 'bullmq';
import type {
  Bindings,
  SearchPage,
  Sightings,
  Signal,
  StoreInfo,
  Transaction,
} from '../../engine.js';
import type { Envelope } from '../../envelope.js';
import type { Json } from '../../json.js';
import { StoreError, UnknownOutcomeError } from '../../messaging.errors.js';
import type { ResolvedOptions } from '../../messaging.options.js';
import { MOST_RELEASES } from '../../release.js';
import type { Found } from '../../search.result.js';
import type { BullmqStore, FoundPlace } from './bullmq.store.js';
import { turnBackendFactory } from './postgres.backend.js';
import { NOW } from './postgres.clock.js';
import { PostgresNotices, SIGNALS, toPayload, type Session } from './postgres.notices.js';
import { foundIn } from './postgres.places.js';
import { retryLost, retryTransient } from './postgres.retry.js';
import { migrate, type Queryable } from './postgres.schema.js';
import { refusalOf, toSends } from './postgres.sends.js';
import { withinTime } from '../../within.time.js';

/** What a store is made of. */
export type SqlOptions = Pick<ResolvedOptions, 'url' | 'idempotencyWindow' | 'lockDuration'>;

/** What PostgresStore needs of `pg.Pool`; PGlite's adapter has the same shape. */
export interface PoolLike extends Queryable {
  connect(): Promise<Session>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** How often ids that need no longer be remembered are dropped. */
const FORGET_EVERY = 10 * 60_000;

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

  constructor(protected readonly options: SqlOptions) {
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

  async bind(owner: string, value: Json | undefined, only?: 'higher'): Promise<boolean> {
    const json = value === undefined ? null : JSON.stringify(value);
    const bind = 'SELECT callsheet.bind($1, $2, $3) AS changed';
    const { rows } = await retryTransient(() =>
      this.pool.query(bind, [owner, json, only === 'higher']),
    );
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

  async note(name: string, value: Json, age: number): Promise<Json> {
    const note = 'SELECT callsheet.take_note($1, $2::json, $3) AS value';
    const params = [name, JSON.stringify(value), Math.ceil(age)];
    const { rows } = await retryTransient(() => this.pool.query(note, params));
    return rows[0]?.['value'] as Json;
  }

  async noted(name: string): Promise<Json | undefined> {
    const text = 'SELECT value FROM callsheet.note WHERE name = $1 AND expires_at > now()';
    const { rows } = await this.pool.query(text, [name]);
    return rows[0]?.['value'] as Json | undefined;
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

  async search(
    actors: readonly string[],
    term: string,
    page: SearchPage,
  ): Promise<Found<FoundPlace>> {
    return foundIn(this.pool, actors, term, page);
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
    const forget = async () => {
      for (const table of ['sent', 'note']) {
        const text = `DELETE FROM callsheet.${table} WHERE expires_at < now()`;
        await this.pool.query(text).catch(() => undefined);
      }
    };
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
