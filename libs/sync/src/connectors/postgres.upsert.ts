import { TurnUsageError } from '@callsheet/messaging';
import type { PoolClient } from 'pg';
import type { Page, PageOutcome, Sink } from '../pipeline.js';
import { ConnectorOptions } from './connector.options.js';
import { PostgresDatabase, quoted } from './postgres.database.js';
import { PostgresFence } from './postgres.fence.js';

/** Options of {@link postgresUpsert}. */
export interface PostgresUpsertOptions {
  /**
   * `postgres://user:password@host:port/database`. Default: the database of the store itself, when that is PostgreSQL or PGlite:
   * then rows, cursor and end of the page are one transaction.
   */
  url?: string;
  /** Table, with its schema if that is not in the search path. */
  table: string;
  /** Columns of its primary key, or of a unique index. Default 'id'. */
  key?: string | readonly string[];
  /** Column of which a row never takes the place of one with a higher value. Default: the row that comes last counts. */
  version?: string;
  /**
   * What says that a row is no more: where it is true in a row, the row of that key is deleted, and where it is 'all', all rows of the
   * table. It is no column of the table. As {@link postgresReplication} names it. A deletion without a value for each column of `key`
   * becomes a dead letter. Default: no rows are deleted.
   */
  deleted?: string;
}

type Row = Record<string, unknown>;

/** Of these classes is what is wrong with a row itself: its data, or a constraint. */
const OF_THE_ROW = /^(22|23)/;

/**
 * Inserts rows into a table, or updates those that are there. Columns that a row does not have stay as they are. A row that the
 * table refuses becomes a dead letter, and the page goes on; in the database of the store itself it fails the page.
 *
 * @throws OptionError for a bad option
 */
export function postgresUpsert(options: PostgresUpsertOptions): Sink<Row> {
  const given = new ConnectorOptions('postgresUpsert', options, [
    'url',
    'table',
    'key',
    'version',
    'deleted',
  ]);
  const table = {
    table: given.text('table'),
    key: given.names('key', ['id']),
    ...(given.has('version') && { version: given.text('version') }),
    ...(given.has('deleted') && { deleted: given.text('deleted') }),
  };
  if (!given.has('url')) return new StoreUpsert(table);
  return new PostgresUpsert(given.url('url', ['postgres:', 'postgresql:']), table);
}

interface Table {
  table: string;
  key: string[];
  version?: string;
  deleted?: string;
}

/** Into the database of the store: with the commit of the turn. */
class StoreUpsert implements Sink<Row> {
  constructor(private readonly table: Table) {}

  async push(rows: Row[], page: Page): Promise<void> {
    for (const { text, rows: some } of statementsOf(this.table, withKeys(this.table, rows, page))) {
      try {
        // One parameter: text around it as a template has it.
        const [before = '', after = ''] = text.split('$1');
        await page.sql(
          Object.assign([before, after], { raw: [before, after] }),
          JSON.stringify(some),
        );
      } catch (error) {
        if (!(error instanceof TurnUsageError)) throw error;
        throw new TurnUsageError(`postgresUpsert without url: ${error.message}`, { cause: error });
      }
    }
  }
}

/** Into another database: rows, and what the page came to, in one transaction there. */
class PostgresUpsert implements Sink<Row> {
  private readonly database: PostgresDatabase;
  private readonly fence: PostgresFence;

  constructor(
    url: string,
    private readonly table: Table,
  ) {
    this.database = new PostgresDatabase(url, table.table);
    this.fence = new PostgresFence(this.database);
  }

  open(page: Pick<Page, 'id' | 'pipeline' | 'signal'>): Promise<PageOutcome | undefined> {
    return this.fence.take(page);
  }

  async push(rows: Row[], page: Page): Promise<void> {
    await this.database.transaction(async (client) => {
      await this.fence.hold(client, page);
      const checked = withKeys(this.table, rows, page);
      for (const { text, rows: some } of statementsOf(this.table, checked)) {
        if (await attempted(client, text, some)) continue;
        await this.oneByOne(client, text, some, page);
      }
      await this.fence.note(client, page);
    });
  }

  close(): Promise<void> {
    return this.database.close();
  }

  /** Finds those that the table refuses: in halves, of which most are whole. */
  private async oneByOne(client: PoolClient, text: string, rows: Row[], page: Page) {
    const parts: Row[][] = halves(rows);
    for (let part = parts.pop(); part; part = parts.pop()) {
      const problem: { message?: string } = {};
      if (await attempted(client, text, part, problem)) continue;
      if (part.length === 1) page.reject(part[0], problem.message ?? 'is refused');
      else parts.push(...halves(part));
    }
  }
}

/** In the order in which `pop` gives them back. */
function halves(rows: Row[]): Row[][] {
  if (rows.length === 1) return [rows];
  const middle = Math.ceil(rows.length / 2);
  return [rows.slice(middle), rows.slice(0, middle)];
}

/** Runs a statement behind a savepoint. False when something is wrong with the rows. */
async function attempted(
  client: PoolClient,
  text: string,
  rows: Row[],
  problem: { message?: string } = {},
): Promise<boolean> {
  await client.query('savepoint rows');
  try {
    await client.query(text, [JSON.stringify(rows)]);
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string };
    if (!OF_THE_ROW.test(code)) throw error;
    await client.query('rollback to savepoint rows');
    problem.message = message;
    return false;
  }
  await client.query('release savepoint rows');
  return true;
}

interface Statement {
  text: string;
  rows: Row[];
}

/**
 * What is left of rows when they follow each other: at most one deletion, of all rows or of all keys that were ever deleted, then the
 * others. Deletions come first, as they may give a row what only one can have.
 */
function statementsOf(table: Table, rows: Row[]): Statement[] {
  const { deleted } = table;
  const markOf = (row: Row): unknown => (deleted === undefined ? false : row[deleted]);
  const emptied = rows.findLastIndex((row) => markOf(row) === 'all');
  const left = rows.slice(emptied + 1);
  /** By key, where it was deleted last. */
  const gone = new Map<string, number>();
  for (const [place, row] of left.entries()) {
    if (markOf(row) === true) gone.set(keyOf(table, row), place);
  }
  const statements = upsertsOf(
    table,
    left.filter((row, place) => place > (gone.get(keyOf(table, row)) ?? -1)),
  );
  if (emptied >= 0) statements.unshift({ text: deletionOfAll(table), rows: [rows[emptied]!] });
  else if (gone.size > 0) {
    const last = [...gone.values()].map((place) => left[place]!);
    statements.unshift({ text: deletionOf(table), rows: last });
  }
  return statements;
}

/**
 * One statement for all rows that have the same columns. What is done to one key stays in its order: a row whose key was put into a
 * later statement begins another one.
 */
function upsertsOf(table: Table, rows: Row[]): Statement[] {
  const statements: Statement[] = [];
  const open = new Map<string, number>();
  const placed = new Map<string, number>();
  for (const row of rows) {
    const key = keyOf(table, row);
    const columns = Object.keys(row).filter(
      (column) => row[column] !== undefined && column !== table.deleted,
    );
    const shape = JSON.stringify(columns.toSorted());
    let at = open.get(shape);
    if (at === undefined || at < (placed.get(key) ?? 0)) {
      at = statements.push({ text: upsertOf(table, columns), rows: [] }) - 1;
      open.set(shape, at);
    }
    placed.set(key, at);
    statements[at]?.rows.push(row);
  }
  return statements;
}

/** A number and its text are one key. */
function keyOf({ key }: Table, row: Row): string {
  return JSON.stringify(
    key.map((name) => (typeof row[name] === 'number' ? `${row[name]}` : row[name])),
  );
}

/** Rows without the deletions that name no key: they are refused, since nothing would be deleted. */
function withKeys({ key, deleted }: Table, rows: Row[], page: Page): Row[] {
  return rows.filter((row) => {
    if (deleted === undefined || row[deleted] !== true) return true;
    const missing = key.find((column) => row[column] === undefined || row[column] === null);
    if (missing !== undefined) {
      page.reject(row, `a deletion must have '${missing}', by which rows are known`);
    }
    return missing === undefined;
  });
}

/** Rows whose keys are in JSON, $1, are deleted. */
function deletionOf({ table, key }: Table): string {
  const target = quoted(table);
  const same = key.map((column) => `known.${quoted(column)} = gone.${quoted(column)}`);
  return `delete from ${target} as known
    using jsonb_populate_recordset(null::${target}, $1::jsonb) as gone
    where ${same.join(' and ')}`;
}

/** All rows are deleted. $1 is there as in the others. */
function deletionOfAll({ table }: Table): string {
  return `delete from ${quoted(table)} where $1::jsonb is not null`;
}

/**
 * Rows as JSON, $1, become rows of the table. Of those with one key the one with the highest version, of these the last: it is the
 * database that knows which is higher.
 */
function upsertOf({ table, key, version }: Table, columns: string[]): string {
  const target = quoted(table);
  const list = columns.map(quoted).join(', ');
  const changed = columns.filter((column) => !key.includes(column)).map(quoted);
  const sets = changed.map((column) => `${column} = excluded.${column}`).join(', ');
  const newer = version !== undefined && columns.includes(version) ? quoted(version) : undefined;
  const where = newer ? `where known.${newer} is null or excluded.${newer} >= known.${newer}` : '';
  const given = (column: string): string => `given.${quoted(column)}`;
  const keys = key.map(given).join(', ');
  return `insert into ${target} as known (${list})
    select distinct on (${keys}) ${columns.map(given).join(', ')}
    from jsonb_array_elements($1::jsonb) with ordinality as element (doc, place),
      jsonb_populate_record(null::${target}, element.doc) as given
    order by ${keys}, ${newer ? `given.${newer} desc nulls last, ` : ''}element.place desc
    on conflict (${key.map(quoted).join(', ')}) do ${sets ? `update set ${sets} ${where}` : 'nothing'}`;
}
