import type { Json } from '@callsheet/messaging';
import type { Pull, Pulled, Source } from '../pipeline.js';
import { ConnectorOptions } from './connector.options.js';
import { PostgresDatabase, quoted } from './postgres.database.js';

/** Options of {@link postgresTable}. */
export interface PostgresTableOptions {
  /** `postgres://user:password@host:port/database`. */
  url: string;
  /** Table or view, with its schema if that is not in the search path: 'crm.contacts'. */
  table: string;
  /** Column that identifies a row; with `version` it orders the rows, so have an index on (version, key). Default 'id'. */
  key?: string;
  /**
   * Column that grows with each change of a row. Of type timestamptz, set from `now()` or `clock_timestamp()` of the server
   * (default 'updated_at'); or of type xid8, set from `pg_current_xact_id()`, which depends on no clock. Not of type timestamp,
   * which does not say in what zone it was taken.
   */
  version?: string;
  /** Columns to read. Default: all. */
  columns?: readonly string[];
  /**
   * Whether to stop before what a transaction that is still open may add: without it rows whose transaction commits late are
   * missed. False for tables that nobody writes while they are read, or whose version is of another type. Default true.
   */
  horizon?: boolean;
}

/** A place between two rows. */
interface Place {
  version: string;
  key: string;
}

type Row = Record<string, unknown>;

/**
 * Rows of a table in the order of their changes, without those that were deleted, each as it is now: a row that changes while the
 * table is read comes again. `until` of a backfill is a cursor: `{ version, key }`.
 *
 * @throws OptionError for a bad option
 */
export function postgresTable(options: PostgresTableOptions): Source<Row> {
  const given = new ConnectorOptions('postgresTable', options, [
    'url',
    'table',
    'key',
    'version',
    'columns',
    'horizon',
  ]);
  return new PostgresTable({
    url: given.url('url', ['postgres:', 'postgresql:']),
    table: given.text('table'),
    key: given.text('key', 'id'),
    version: given.text('version', 'updated_at'),
    columns: given.has('columns') ? given.names('columns') : ['*'],
    horizon: given.flag('horizon', true),
  });
}

class PostgresTable implements Source<Row> {
  private readonly database: PostgresDatabase;
  private types: { version: string; key: string } | undefined;

  constructor(private readonly options: Required<PostgresTableOptions>) {
    this.database = new PostgresDatabase(options.url, options.table);
  }

  async pull(cursor: Json, { limit, until }: Pull): Promise<Pulled<Row>> {
    const types = (this.types ??= await this.columnTypes());
    // Before the rows, in a statement of its own: what has ended by then is seen by the next one.
    const { horizon, at } = await this.horizon(types.version);
    const { text, params } = this.statement(types, {
      after: cursor as unknown as Place | null,
      until: until as unknown as Place | undefined,
      horizon,
      limit,
    });
    const found = await this.database.query<Row & { _version: string; _key: string }>(text, params);
    const rows = found.map(({ _version, _key, ...row }) => row);
    const last = found.at(-1);
    const more = found.length === limit;
    return {
      rows,
      cursor: last ? { version: last._version, key: last._key } : cursor,
      more,
      ...(!more && { at: new Date(at) }),
    };
  }

  close(): Promise<void> {
    return this.database.close();
  }

  /**
   * Rows behind a place and before the horizon, in order.
   *
   * $1 limit; then, if given, version and key of the place, of the end, and the horizon. Answers rows with `_version` and `_key`,
   * their place as text, which has all its digits.
   */
  private statement(
    types: { version: string; key: string },
    page: { after: Place | null; until: Place | undefined; horizon: string | null; limit: number },
  ): { text: string; params: unknown[] } {
    const { table, columns } = this.options;
    const [version, key] = [quoted(this.options.version), quoted(this.options.key)];
    const params: unknown[] = [page.limit];
    const value = (text: string, type: string): string => `$${params.push(text)}::${type}`;
    const place = ({ version: v, key: k }: Place): string =>
      `(${value(v, types.version)}, ${value(k, types.key)})`;
    const where = [
      ...(page.after ? [`(${version}, ${key}) > ${place(page.after)}`] : []),
      ...(page.until ? [`(${version}, ${key}) <= ${place(page.until)}`] : []),
      ...(page.horizon === null ? [] : [`${version} < ${value(page.horizon, types.version)}`]),
    ];
    const list = columns.map((column) => (column === '*' ? '*' : quoted(column))).join(', ');
    const text = `
      select ${list}, ${version}::text as _version, ${key}::text as _key
      from ${quoted(table)}
      where ${[`${version} is not null`, ...where].join(' and ')}
      order by ${version}, ${key}
      limit $1`;
    return { text, params };
  }

  /**
   * What is before it is final: no transaction can add to it any more.
   *
   * By transaction ids: the oldest that is in progress. By times: the start of the oldest transaction in this database, whose
   * `now()` that is; a tenth of a second ago at the latest, for one that has taken its time and has not told yet. Of prepared
   * transactions nobody knows when they began: a day before they were prepared at most, say we.
   */
  private async horizon(type: string): Promise<{ horizon: string | null; at: number }> {
    if (!this.options.horizon) return { horizon: null, at: Date.now() };
    if (type === 'xid8') {
      // The oldest that is in progress, in whatever database it is; of other users' transactions the start may be hidden.
      const [row] = await this.database.query<{ horizon: string; at: number }>(`
        select pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
          extract(epoch from least(min(xact_start), clock_timestamp()))::float8 * 1000 as at
        from pg_stat_activity where pid <> pg_backend_pid() and backend_xid is not null`);
      return { horizon: row?.horizon ?? '0', at: row?.at ?? Date.now() };
    }
    const [row] = await this.database.query<{ horizon: string; at: number; hidden: boolean }>(`
      with open as (
        select xact_start, query = '<insufficient privilege>' as hidden
        from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()
          and (backend_type = 'client backend' or backend_type is null)
      )
      select
        coalesce(bool_or(hidden), false) as hidden,
        least(
          min(xact_start),
          (select min(prepared) - interval '1 day' from pg_prepared_xacts where database = current_database()),
          clock_timestamp() - interval '100 milliseconds'
        )::text as horizon,
        extract(epoch from least(min(xact_start), clock_timestamp()))::float8 * 1000 as at
      from open`);
    if (!row || row.hidden) {
      throw new Error(
        `${this.options.table}: transactions of other users cannot be seen, so rows that they commit late would be missed. ` +
          'Grant pg_read_all_stats, use a version of type xid8, or set horizon: false',
      );
    }
    return { horizon: row.horizon, at: row.at };
  }

  /** Types of the two columns, as `::type` takes them. */
  private async columnTypes(): Promise<{ version: string; key: string }> {
    const { table, version, key, horizon } = this.options;
    const found = await this.database.query<{ name: string; type: string }>(
      `select attname as name, format_type(atttypid, -1) as type from pg_attribute
       where attrelid = $1::regclass and attname in ($2, $3) and attnum > 0`,
      [quoted(table), version, key],
    );
    const typeOf = (column: string): string => {
      const type = found.find(({ name }) => name === column)?.type;
      if (type === undefined) throw new Error(`${table} has no column '${column}'`);
      return type;
    };
    const types = { version: typeOf(version), key: typeOf(key) };
    const isOrdered = /^(xid8|timestamp(\(\d\))? with time zone)$/.test(types.version);
    if (horizon && !isOrdered) {
      throw new Error(
        `${table}.${version} is of type ${types.version}, of which nobody can tell what is still to be committed: ` +
          'use a version of type timestamptz or xid8, or set horizon: false',
      );
    }
    return types;
  }
}
