import type { Json } from '@callsheet/messaging';
import { setTimeout as delay } from 'node:timers/promises';
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

/** Up to where the log was read, and the oid of the table. */
type Cursor = ReplicationPlace & { table?: number };

/** What goes on from page to page. */
interface Open {
  reader: ReplicationReader;
  table: PublishedTable;
  since: Date;
}

/** The most changes of a page: each may be two rows, and a page has 10,000 at most. */
const MOST = 5_000;
/** How long a reader is kept that no page asks for, ms: with it goes what the server has decoded, and a connection. */
const IDLE = 30_000;
/** How long it is waited for a transaction that is in the log, and not yet seen. */
const UNSEEN = { every: 50, times: 200 };

/**
 * Changes of a table in the order of their commits, deletions too, from the log of the server: none is missed, however late its
 * transaction commits. The slot is confirmed when the next page, or the next run, has begun: so after the commit of what was read.
 *
 * A row is as it was after its change. Of a deletion it has the key alone; one whose key changed is a deletion and a row. Long values
 * that were not written are not in the log: they are taken from the old row if the replica identity is full, else read from the table as
 * they are now; a row that is gone meanwhile is left out, its deletion follows. A transaction is not cut when it has no more changes
 * than a page has rows, or 2,500 if those are more.
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
  /** Of the page before; undefined while a page is at work with it. */
  private open: Open | undefined;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly options: Required<PostgresReplicationOptions>) {
    this.database = new PostgresDatabase(options.url, options.table, true);
    this.slot = new ReplicationSlot(this.database, options);
  }

  async pull(cursor: Json, pull: Pull): Promise<Pulled<Row>> {
    if (pull.backfill) return this.copy(cursor as { key: string[] } | null, pull);
    const open = await this.openAt(cursor as unknown as Cursor | null, pull.signal);
    let isKept = false;
    try {
      const page = await this.changes(open, pull);
      // An attempt that was given up may end beside the next one, or after it.
      isKept = !open.reader.isAtEnd && !pull.signal.aborted && !this.open;
      if (isKept) this.keep(open);
      return page;
    } finally {
      if (!isKept) open.reader.close();
    }
  }

  async close(): Promise<void> {
    this.take()?.reader.close();
    await this.database.close();
  }

  /** For the next page, if that comes soon: the pipeline may be paused, or another process take it. */
  private keep(open: Open): void {
    this.open = open;
    this.idle = setTimeout(() => this.take()?.reader.close(), IDLE).unref();
  }

  private take(): Open | undefined {
    clearTimeout(this.idle);
    const { open } = this;
    this.open = undefined;
    return open;
  }

  private async changes({ reader, table, since }: Open, pull: Pull): Promise<Pulled<Row>> {
    const least = Math.min(pull.limit, MOST / 2);
    const { changes, xids, place, at, isEnd } = await reader.next(least, 2 * least);
    const found = changes.flatMap((change) => this.rowsOf(change, table));
    if (found.length > 0) await this.seen([...xids], pull.signal);
    const rows = await this.whole(found, table);
    const upTo = isEnd ? since : at;
    const cursor: Cursor = { ...place, table: table.oid };
    return { rows, cursor: { ...cursor }, more: !isEnd, ...(upTo && { at: upTo }) };
  }

  /** Takes the reader of the page before, if nothing came between; else opens one. It belongs to who has called. */
  private async openAt(place: Cursor | null, signal: AbortSignal): Promise<Open> {
    const open = this.take();
    if (open && place && open.reader.isAt(place)) return open;
    open?.reader.close();
    const since = new Date();
    const { table, confirmed, written } = await this.slot.confirm(place, signal);
    const from = place ?? { lsn: confirmed };
    const reader = await ReplicationReader.open(this.database, this.options, from, written);
    return { reader, table, since };
  }

  /**
   * Waits until all see what these transactions did. A commit is in the log first, and stays unseen while it waits for a synchronous
   * standby: the table, read until then, has rows that are older than their changes.
   */
  private async seen(xids: number[], signal: AbortSignal): Promise<void> {
    for (let times = 0; times < UNSEEN.times; times++) {
      // $1 ids without their epoch, which is that of the next one, or the one before. Answers those that are not seen.
      const unseen = await this.database.query(
        `select xid from (select txid_current_snapshot() as seen) now, unnest($1::bigint[]) as xid,
           lateral (select txid_snapshot_xmax(seen) as next) top
         where not txid_visible_in_snapshot(next - (((next - xid + 2147483648) & 4294967295) - 2147483648), seen)`,
        [xids],
      );
      if (unseen.length === 0) return;
      await delay(UNSEEN.every, undefined, { signal });
    }
    throw new Error(
      `a transaction of '${this.options.table}' is in the log, and not seen yet: its commit waits, for a synchronous standby say`,
    );
  }

  private rowsOf(change: Change, { oid, key, domains }: PublishedTable): Found[] {
    const { deleted } = this.options;
    if (change.relation !== oid) return [];
    if (change.kind === 'truncate') return [{ row: { [deleted]: 'all' } }];
    const { table, old, row } = change;
    const keyOf = (fields: Field[]): Row => {
      const { row: found } = read(table, fields, undefined, domains);
      return Object.fromEntries(key.map(({ name }) => [name, found[name]]));
    };
    const gone = old && { row: { ...keyOf(old), [deleted]: true } };
    if (!row) return gone ? [gone] : [];
    const found = read(table, row, old, domains);
    const now: Found = { ...found, row: { ...found.row, [deleted]: false } };
    const isMoved = gone && key.some(({ name }) => gone.row[name] !== now.row[name]);
    return isMoved ? [gone, now] : [now];
  }

  /** Rows with the values that the log does not have, as they are in the table now. */
  private async whole(found: Found[], { key, columns, from }: PublishedTable): Promise<Row[]> {
    const wanted: Record<string, unknown>[] = [];
    const names = new Set<string>();
    for (const [place, { row, unchanged }] of found.entries()) {
      if (!unchanged) continue;
      wanted.push({ place, ...Object.fromEntries(key.map(({ name }, n) => [`k${n}`, row[name]])) });
      for (const name of unchanged) names.add(name);
    }
    if (wanted.length === 0) return found.map(({ row }) => row);
    const list = columns.filter((name) => names.has(name)).map((name) => `known.${quoted(name)}`);
    const types = key.map(({ type }, n) => `k${n} ${type}`);
    const same = key.map(({ name }, n) => `known.${quoted(name)} = wanted.k${n}`);
    // $1 keys that are looked for, and their places in `found`, as JSON. Answers rows with `_place`.
    const rows = await this.database.query<Row & { _place: number }>(
      `select ${['wanted.place as _place', ...list].join(', ')}
       from jsonb_to_recordset($1::jsonb) as wanted (place int, ${types.join(', ')}), ${from} known
       where ${same.join(' and ')}`,
      [JSON.stringify(wanted)],
    );
    const known = new Map(rows.map((row) => [row._place, row]));
    return found.flatMap(({ row, unchanged }, place) => {
      if (!unchanged) return [row];
      const now = known.get(place);
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
    const { key, columns, filter, from } = await this.slot.forCopy(signal);
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
       from ${from} ${where.length > 0 ? `where ${where.join(' and ')}` : ''}
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
function read(
  { columns, identity }: Relation,
  fields: Field[],
  old: Field[] | undefined,
  domains: PublishedTable['domains'],
): Found {
  const row: Row = {};
  const unchanged: string[] = [];
  for (const [n, { name, type, isKey }] of columns.entries()) {
    const hasOld = old && (identity === 'full' || isKey);
    const field = fields[n] === 'unchanged' && hasOld ? old[n] : fields[n];
    if (field === 'unchanged') unchanged.push(name);
    else row[name] = field ? valueOf(domains[type] ?? type, field.text) : null;
  }
  return { row, ...(unchanged.length > 0 && { unchanged }) };
}
