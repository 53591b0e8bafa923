import type { Json } from '@callsheet/messaging';
import { Client } from 'pg';
import type { Pull, Pulled, Source } from '../pipeline.js';
import { ConnectorOptions } from './connector.options.js';
import { PostgresDatabase, quoted } from './postgres.database.js';

/** Options of {@link postgresOutbox}. */
export interface PostgresOutboxOptions {
  /** `postgres://user:password@host:port/database`. */
  url: string;
  /** Table into which applications insert what is to be sent, in their own transactions. Rows are deleted when they are. */
  table: string;
  /** Column that identifies a row and orders them: a bigserial, say. Default 'id'. */
  key?: string;
  /**
   * Channel of PostgreSQL on which somebody says `notify` after an insert, a trigger say; a run begins then. Give the pipeline `every`
   * too: what is said while nobody listens is lost. Default: nobody listens.
   */
  channel?: string;
}

type Row = Record<string, unknown>;

/**
 * Rows of an outbox: each is pushed once and then deleted, in the order of their keys as far as their transactions have committed. A
 * row whose transaction commits late comes late; none is missed, because what is still there was not pushed.
 *
 * @throws OptionError for a bad option
 */
export function postgresOutbox(options: PostgresOutboxOptions): Source<Row> {
  const given = new ConnectorOptions('postgresOutbox', options, ['url', 'table', 'key', 'channel']);
  return new PostgresOutbox(
    given.url('url', ['postgres:', 'postgresql:']),
    given.text('table'),
    given.text('key', 'id'),
    given.has('channel') ? given.text('channel') : undefined,
  );
}

class PostgresOutbox implements Source<Row> {
  readonly watch: Source['watch'];
  private readonly database: PostgresDatabase;

  constructor(
    private readonly url: string,
    private readonly table: string,
    private readonly key: string,
    channel: string | undefined,
  ) {
    this.database = new PostgresDatabase(url, table);
    this.watch =
      channel === undefined ? undefined : (wake, signal) => this.listen(channel, wake, signal);
  }

  /**
   * The cursor has the keys of the last page: it is committed, and so they are done with. They are one text of JSON, because a state
   * has only so many values.
   */
  async pull(cursor: Json, { limit }: Pull): Promise<Pulled<Row>> {
    const { done } = (cursor as { done: string } | null) ?? { done: '[]' };
    const keys = JSON.parse(done) as string[];
    const [table, key] = [quoted(this.table), quoted(this.key)];
    if (keys.length > 0) {
      await this.database.query(`delete from ${table} where ${key} = any($1)`, [keys]);
    }
    const found = await this.database.query<Row & { _key: string }>(
      `select *, ${key}::text as _key from ${table} order by ${key} limit $1`,
      [limit],
    );
    const rows = found.map(({ _key, ...row }) => row);
    // One more page takes away what the last one has pushed.
    const pushed = JSON.stringify(found.map(({ _key }) => _key));
    return { rows, cursor: { done: pushed }, more: found.length > 0 };
  }

  close(): Promise<void> {
    return this.database.close();
  }

  private async listen(channel: string, wake: () => void, signal: AbortSignal): Promise<void> {
    const client = new Client({ connectionString: this.url, keepAlive: true });
    const ended = new Promise<void>((resolve, reject) => {
      client.on('error', reject);
      client.on('end', resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    ended.catch(() => undefined);
    client.on('notification', wake);
    try {
      await client.connect();
      await client.query(`listen ${quoted(channel)}`);
      // What was said before.
      wake();
      await ended;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
