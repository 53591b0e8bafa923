import { EventEmitter } from 'node:events';
import { types, type PGlite } from '@electric-sql/pglite';
import type { PoolLike } from './sql.store.js';

type Result = Awaited<ReturnType<PoolLike['query']>>;

/** As `pg` does: 64-bit integers stay text, because BullMQ converts them itself. */
const OPTIONS = { parsers: { [types.INT8]: (text: string) => text } };
/** How long queries may follow each other without a pause, ms. */
const LONGEST_BREATH = 5;
/** BullMQ's statement has comments before it. */
const LISTEN = /^\s*(?:--[^\n]*\n\s*)*LISTEN\s+"?(\w+)"?/i;
const BEGIN = /^\s*BEGIN\b/i;
const END = /^\s*(COMMIT|ROLLBACK)\b/i;

/**
 * A `pg.Pool` over PGlite in this process. PGlite is one session: a client that begins a transaction has it alone until it
 * ends, everyone else waits; LISTEN goes through PGlite itself, which reaches the right client, and waits like everything else:
 * in a transaction of somebody else it would be undone with it.
 */
export class PglitePool extends EventEmitter implements PoolLike {
  /** BullMQ reads this: no connection can break silently, so it need not poll. */
  readonly options = { keepAlive: true };
  private breathedAt = 0;
  /** The client whose transaction has the session. */
  private owner: PgliteClient | undefined;
  /** Whether a transaction, or a statement of its own, has the session. Who waits is given it in the order of asking. */
  private isTaken = false;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly database: PGlite) {
    super();
    this.setMaxListeners(0);
  }

  async query(text: string, params?: unknown[]): Promise<Result> {
    return this.run(undefined, text, params);
  }

  async connect(): Promise<PgliteClient> {
    return new PgliteClient(this);
  }

  /** The database is closed by who opened it. */
  async end(): Promise<void> {}

  async run(
    client: PgliteClient | undefined,
    text: string,
    params: unknown[] = [],
  ): Promise<Result> {
    if (!client || this.owner !== client) {
      if (!client || !BEGIN.test(text)) return this.alone(() => this.execute(text, params));
      await this.take();
      this.owner = client;
    }
    try {
      return await this.execute(text, params);
    } finally {
      if (END.test(text)) this.free(client);
    }
  }

  /** Resolves to what ends it. */
  async listen(
    client: PgliteClient,
    channel: string,
    notify: (payload: string) => void,
  ): Promise<() => Promise<void>> {
    const listen = () => this.database.listen(channel, notify);
    const end = await (this.owner === client ? listen() : this.alone(listen));
    return () => this.alone(end);
  }

  /** Something that is no part of a transaction. */
  private async alone<T>(work: () => Promise<T>): Promise<T> {
    await this.take();
    try {
      return await work();
    } finally {
      this.giveBack();
    }
  }

  /** For a statement of its own too: one that is on its way when a transaction begins would become a part of it. */
  private async take(): Promise<void> {
    if (this.isTaken) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.isTaken = true;
  }

  private giveBack(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.isTaken = false;
  }

  /** A client that goes away in the middle of a transaction must not keep it, nor leave it to the next one. */
  release(client: PgliteClient): void {
    if (this.owner !== client) return;
    void this.execute('ROLLBACK', [])
      .catch(() => undefined)
      .finally(() => this.free(client));
  }

  private free(client: PgliteClient): void {
    if (this.owner !== client) return;
    this.owner = undefined;
    this.giveBack();
  }

  /** A query is computation in this process: a worker that asks one after the other would leave no time for anything else. */
  private async breathe(): Promise<void> {
    if (performance.now() - this.breathedAt < LONGEST_BREATH) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.breathedAt = performance.now();
  }

  private async execute(text: string, params: unknown[]): Promise<Result> {
    await this.breathe();
    if (params.length === 0) {
      const results = await this.database.exec(text, OPTIONS);
      return (results.at(-1) as Result | undefined) ?? { rows: [] };
    }
    const values = params.map((value) => (value === undefined ? null : value));
    return (await this.database.query(text, values, OPTIONS)) as Result;
  }
}

/** One client of a {@link PglitePool}. */
export class PgliteClient extends EventEmitter {
  private readonly subscriptions: (() => Promise<void>)[] = [];

  constructor(private readonly pool: PglitePool) {
    super();
    this.setMaxListeners(0);
  }

  async query(text: string, params?: unknown[]): Promise<Result> {
    const channel = LISTEN.exec(text)?.[1];
    if (channel === undefined) return this.pool.run(this, text, params);
    const notify = (payload: string) => this.emit('notification', { channel, payload });
    this.subscriptions.push(await this.pool.listen(this, channel, notify));
    return { rows: [] };
  }

  release(): void {
    this.pool.release(this);
    for (const unsubscribe of this.subscriptions.splice(0))
      void unsubscribe().catch(() => undefined);
  }

  async end(): Promise<void> {
    this.release();
  }
}
