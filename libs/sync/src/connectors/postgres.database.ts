import { Pool, types, type PoolClient } from 'pg';

/** Types whose text says all of them; what JavaScript would make of the others loses digits, microseconds or zones. */
const AS_VALUES = new Set<number>([
  types.builtins.BOOL,
  types.builtins.INT2,
  types.builtins.INT4,
  types.builtins.FLOAT4,
  types.builtins.FLOAT8,
  types.builtins.JSON,
  types.builtins.JSONB,
]);

/** So that text of values is the same whatever the server is set to. */
const SESSION =
  '-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=iso_8601 -c extra_float_digits=1 -c bytea_output=hex';
/** Of an attempt two, and one that an attempt which was given up still has. */
const MOST_CONNECTIONS = 3;

/**
 * Connections to one database, made when the first is needed. Values come as PostgreSQL prints them, as text, but for booleans,
 * numbers that fit, and JSON.
 */
export class PostgresDatabase {
  private pool: Pool | undefined;

  /** @param isComplete whether a table of which row-level security hides rows is an error */
  constructor(
    private readonly url: string,
    private readonly name: string,
    private readonly isComplete = false,
  ) {}

  async query<R extends object>(text: string, params: unknown[] = []): Promise<R[]> {
    const { rows } = await this.opened().query<R>(text, params);
    return rows;
  }

  /** A connection of one's own, to be released. One that breaks fails its next query. */
  async connect(): Promise<PoolClient> {
    const client = await this.opened().connect();
    // The pool listens only while nobody has it, and an error that nobody hears ends the process.
    if (client.listenerCount('error') === 0) client.on('error', () => undefined);
    return client;
  }

  /** Runs `work` in a transaction. */
  async transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.connect();
    let broken: Error | undefined;
    try {
      await client.query('begin');
      const answer = await work(client);
      await client.query('commit');
      return answer;
    } catch (error) {
      await client.query('rollback').catch((problem: Error) => (broken = problem));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async close(): Promise<void> {
    await this.pool?.end();
    this.pool = undefined;
  }

  private opened(): Pool {
    if (this.pool) return this.pool;
    this.pool = new Pool({
      connectionString: this.url,
      max: MOST_CONNECTIONS,
      options: this.isComplete ? `${SESSION} -c row_security=off` : SESSION,
      application_name: `callsheet sync ${this.name}`.slice(0, 63),
      connectionTimeoutMillis: 10_000,
      types: {
        getTypeParser: ((id: number) => (text: string) =>
          valueOf(id, text)) as typeof types.getTypeParser,
      },
    });
    // Whoever uses a connection is told by its query.
    this.pool.on('error', () => undefined);
    return this.pool;
  }
}

/** What the text of a type, by its oid, comes as. NaN and infinities stay text: JSON has no numbers for them. */
export function valueOf(type: number, text: string): unknown {
  if (!AS_VALUES.has(type)) return text;
  const value = (types.getTypeParser(type, 'text') as (text: string) => unknown)(text);
  return typeof value === 'number' && !Number.isFinite(value) ? text : value;
}

/** A name as SQL has it; one with dots names a schema too. */
export function quoted(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
}
