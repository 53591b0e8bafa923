import type { Json } from '@callsheet/messaging';
import type { Pull, Pulled, Source } from '../pipeline.js';
import { ConnectorOptions } from './connector.options.js';
import type { Field, Relation } from './pgoutput.js';
import { PostgresDatabase, quoted, valueOf } from './postgres.database.js';
import { ReplicationReader, type Change, type ReplicationPlace } from './replication.reader.js';
import { ReplicationSlot, type PublishedTable } from './replication.slot.js';

/** Options of {@link postgresReplication}. */
export interface PostgresReplicationOptions {
  /** `postgres://user:password@host:port/database`, of a user with the attribute REPLICATION. */
  url: string;
  /** Table whose changes are read, with its schema if that is not in the search path. It must have a primary key. */
  table: string;
  /** Publication that has the table: `create publication orders for table orders`. It must be older than the slot. */
  publication: string;
  /** Logical replication slot of the plugin pgoutput, of this pipeline alone. */
  slot: string;
  /**
   * Whether to make the slot at the first page, should there be none. From then on the server keeps its log until it was read: when
   * the pipeline is no more, `select pg_drop_replication_slot('...')`. Default false.
   */
  createSlot?: boolean;
  /** Property of rows that says whether they are no more: false, true, or 'all' when the table was truncated. Default '_deleted'. */
  deleted?: string;
}

type Row = Record<string, unknown>;

/** A row, and the columns of it that the log does not have. */
interface Found {
  row: Row;
  unchanged?: string[];
}

/** The most changes of a page: each may be two rows, and a page has 10,000 at most. */
const MOST = 5_000;

/**
 * Changes of a table in the order of their commits, deletions too, from the log of the server: none is missed, however late its
 * transaction commits. The slot is confirmed when the page behind has begun, so after the commit of what was read.
 *
 * A row is as it was after its change. Of a deletion it has the key alone; one whose key changed is a deletion and a row. Long values
 * that were not written are not in the log: they are taken from the old row if the replica identity is full, else read from the table as
 * they are now; a row that is gone meanwhile is left out, its deletion follows. A transaction is not cut when it has no more changes
 * than a page has rows.
 *
 * A backfill copies the table as it is, in the order of its key: `{ key: [...] }` is its cursor. Of an empty target begin with one.
 *
 * @throws OptionError for a bad option
 */
export function postgresReplication(options: PostgresReplicationOptions): Source<Row> {
  const given = new ConnectorOptions('postgresReplication', options, [
    'url',
    'table',
    'publication',
    'slot',
    'createSlot',
    'deleted',
  ]);
  const slot = given.text('slot');
  if (!/^[a-z0-9_]{1,63}$/.test(slot)) given.fail('slot', 'must be of a-z, 0-9 and _, 63 at most');
  return new PostgresReplication({
    url: given.url('url', ['postgres:', 'postgresql:']),
    table: given.text('table'),
    publication: given.text('publication'),
    slot,
    createSlot: given.flag('createSlot', false),
    deleted: given.text('deleted', '_deleted'),
  });
}

class PostgresReplication implements Source<Row> {
  private readonly database: PostgresDatabase;
  private readonly slot: ReplicationSlot;
  private open: { reader: ReplicationReader; table: PublishedTable; since: Date } | undefined;

  constructor(private readonly options: Required<PostgresReplicationOptions>) {
    this.database = new PostgresDatabase(options.url, options.table);
    this.slot = new ReplicationSlot(this.database, options);
  }

  async pull(cursor: Json, pull: Pull): Promise<Pulled<Row>> {
    if (pull.backfill) return this.copy(cursor as { key: string[] } | null, pull);
    try {
      return await this.changes(cursor as unknown as ReplicationPlace | null, pull);
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.leave();
    await this.database.close();
  }

  private leave(): void {
    this.open?.reader.close();
    this.open = undefined;
  }

  private async changes(place: ReplicationPlace | null, pull: Pull): Promise<Pulled<Row>> {
    const { limit, signal } = pull;
    const { reader, table, since } = await this.readerAt(place, signal);
    const most = Math.min(2 * limit, MOST);
    const { changes, place: next, at, isEnd } = await reader.next(limit, most);
    const found = changes.flatMap((change) => this.rowsOf(change, table));
    const rows = await this.whole(found, table);
    if (reader.isAtEnd) this.leave();
    // One more page confirms what this one has pushed.
    const more = found.length > 0 || !isEnd;
    const upTo = more ? at : since;
    return { rows, cursor: { ...next }, more, ...(upTo && { at: upTo }) };
  }

  /** The reader of the page before, if nothing came between. */
  private async readerAt(place: ReplicationPlace | null, signal: AbortSignal) {
    if (this.open && place && this.open.reader.isAt(place)) return this.open;
    this.leave();
    const since = new Date();
    const ready = await this.slot.confirm(place?.lsn ?? null, signal);
    const { table, confirmed, written } = ready;
    const from = place ?? { lsn: confirmed };
    const reader = await ReplicationReader.open(this.database, this.options, from, written);
    return (this.open = { reader, table, since });
  }

  private rowsOf(change: Change, { oid, key }: PublishedTable): Found[] {
    const { deleted } = this.options;
    if (change.relation !== oid) return [];
    if (change.kind === 'truncate') return [{ row: { [deleted]: 'all' } }];
    const { table, old, row } = change;
    const keyOf = (fields: Field[]): Row => {
      const { row: found } = read(table, fields, undefined);
      return Object.fromEntries(key.map(({ name }) => [name, found[name]]));
    };
    const gone = old && { row: { ...keyOf(old), [deleted]: true } };
    if (!row) return gone ? [gone] : [];
    const found = read(table, row, old);
    const now: Found = { ...found, row: { ...found.row, [deleted]: false } };
    const isMoved = gone && key.some(({ name }) => gone.row[name] !== now.row[name]);
    return isMoved ? [gone, now] : [now];
  }

  /** Rows with the values that the log does not have, as they are in the table now. */
  private async whole(found: Found[], { key, columns }: PublishedTable): Promise<Row[]> {
    const partial = found.filter(({ unchanged }) => unchanged);
    if (partial.length === 0) return found.map(({ row }) => row);
    const names = key.map(({ name }) => name);
    const keyOf = (row: Row): string => JSON.stringify(names.map((name) => row[name]));
    const table = quoted(this.options.table);
    const list = columns.map((name) => `known.${quoted(name)}`).join(', ');
    const same = names.map((name) => `known.${quoted(name)} = wanted.${quoted(name)}`);
    // $1 rows whose keys are looked for, as JSON.
    const rows = await this.database.query<Row>(
      `select ${list} from ${table} known
       join (select distinct ${names.map(quoted).join(', ')} from jsonb_populate_recordset(null::${table}, $1::jsonb)) wanted
       on ${same.join(' and ')}`,
      [JSON.stringify(partial.map(({ row }) => row))],
    );
    const known = new Map(rows.map((row) => [keyOf(row), row]));
    return found.flatMap(({ row, unchanged }) => {
      if (!unchanged) return [row];
      const now = known.get(keyOf(row));
      if (!now) return [];
      return [{ ...row, ...Object.fromEntries(unchanged.map((name) => [name, now[name]])) }];
    });
  }

  /** The table as it is, beside the slot, which must be there before: what changes meanwhile comes from it. */
  private async copy(
    after: { key: string[] } | null,
    { limit, until, signal }: Pull,
  ): Promise<Pulled<Row>> {
    const { table, deleted } = this.options;
    const { key, columns, filter } = await this.slot.forCopy(signal);
    const params: unknown[] = [limit];
    const names = key.map(({ name }) => quoted(name));
    const place = (found: Json): string => {
      const values = (found as { key?: unknown })?.key;
      if (!Array.isArray(values) || values.length !== key.length) {
        throw new Error(`a backfill of '${table}' goes from and until { key: [...] }`);
      }
      return `(${values.map((value, n) => `$${params.push(value)}::${key[n]?.type}`).join(', ')})`;
    };
    const list = `(${names.join(', ')})`;
    const where = [
      ...(after === null ? [] : [`${list} > ${place(after)}`]),
      ...(until === undefined ? [] : [`${list} <= ${place(until)}`]),
      ...(filter === undefined ? [] : [`(${filter})`]),
    ];
    // $1 limit; then the values of keys. Answers rows with `_place`, the text of their keys.
    const found = await this.database.query<Row & { _place: string[] }>(
      `select ${columns.map(quoted).join(', ')}, to_jsonb(array[${names.map((name) => `${name}::text`).join(', ')}]) as _place
       from ${quoted(table)} ${where.length > 0 ? `where ${where.join(' and ')}` : ''}
       order by ${names.join(', ')} limit $1`,
      params,
    );
    const last = found.at(-1)?._place;
    return {
      rows: found.map(({ _place, ...row }) => ({ ...row, [deleted]: false })),
      cursor: last ? { key: last } : after,
      more: found.length === limit,
    };
  }
}

/** Fields as a row. What is unchanged is taken from the old row, if that has it. */
function read({ columns, identity }: Relation, fields: Field[], old: Field[] | undefined): Found {
  const row: Row = {};
  const unchanged: string[] = [];
  for (const [n, { name, type, isKey }] of columns.entries()) {
    const hasOld = old && (identity === 'full' || isKey);
    const field = fields[n] === 'unchanged' && hasOld ? old[n] : fields[n];
    if (field === 'unchanged') unchanged.push(name);
    else row[name] = field ? valueOf(type, field.text) : null;
  }
  return { row, ...(unchanged.length > 0 && { unchanged }) };
}
