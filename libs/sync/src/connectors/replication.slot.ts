import { Logger } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { quoted, type PostgresDatabase } from './postgres.database.js';

/** What is read, and by whom. */
export interface SlotOptions {
  slot: string;
  publication: string;
  table: string;
  createSlot: boolean;
  /** Property that no column may have as its name. */
  deleted: string;
}

/** A table that is published. */
export interface PublishedTable {
  oid: number;
  /** Columns that identify a row, in the order of their index. */
  key: { name: string; type: string }[];
  /** Columns that are published. */
  columns: string[];
  /** What stands behind `from` to read what is published of it: what inherits from a table is not. */
  from: string;
  /** Types below the domains of columns, all by oid. */
  domains: Record<number, number>;
  /** Condition in SQL that published rows satisfy. */
  filter: string | undefined;
}

/** A slot that can be read. */
export interface ReadySlot {
  table: PublishedTable;
  /** Up to where it is confirmed: what is read begins there. */
  confirmed: string;
  /** Up to where the log is written. */
  written: string;
}

/** How long it is waited for another connection that reads the slot: one of a process that is no more, say. */
const BUSY = { every: 100, times: 100 };

interface Found {
  wal_level: string;
  database: string;
  written: string;
  slot: {
    plugin: string;
    database: string;
    active: boolean;
    wal_status: string;
    confirmed_flush_lsn: string;
  } | null;
  publication: { pubupdate: boolean; pubdelete: boolean } | null;
  table: { oid: number; identity: string; kind: string } | null;
  key: { name: string; type: string }[] | null;
  columns: string[] | null;
  domains: Record<number, number> | null;
  published: { attnames?: string[]; rowfilter?: string | null } | null;
}

/**
 * $1 slot, $2 publication, $3 table. Answers one row, all of which may be null but `wal_level`, `database` and `written`. What older
 * servers do not have is found in JSON only, so that they need no statement of their own.
 */
const LOOK = `
  with recursive chosen as (
    select oid, relreplident, relkind, relnamespace::regnamespace::text as schema, relname
    from pg_class where oid = to_regclass($3)
  ), base as (
    select atttypid as domain, atttypid as type from chosen join pg_attribute on attrelid = chosen.oid where attnum > 0
    union
    select domain, typbasetype from base join pg_type on pg_type.oid = type where typtype = 'd'
  )
  select
    current_setting('wal_level') as wal_level,
    current_database() as database,
    (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end)::text as written,
    (select to_jsonb(s) from pg_replication_slots s where slot_name = $1) as slot,
    (select to_jsonb(p) from pg_publication p where pubname = $2) as publication,
    (select jsonb_build_object('oid', oid::bigint, 'identity', relreplident, 'kind', relkind) from chosen) as table,
    (select jsonb_agg(jsonb_build_object('name', attname, 'type', format_type(atttypid, -1))
       order by array_position(indkey::int2[], attnum))
     from chosen
     join pg_index on indrelid = chosen.oid
       and case relreplident when 'i' then indisreplident else indisprimary end
     join pg_attribute on attrelid = chosen.oid and attnum = any((indkey::int2[])[0:indnkeyatts - 1])) as key,
    (select jsonb_agg(attname order by attnum) from chosen join pg_attribute on attrelid = chosen.oid
     where attnum > 0 and not attisdropped and attgenerated = '') as columns,
    (select jsonb_object_agg(domain::bigint, type::bigint) from base join pg_type on pg_type.oid = type
     where domain <> type and typtype <> 'd') as domains,
    (select to_jsonb(t) from chosen join pg_publication_tables t on pubname = $2
       and quote_ident(schemaname) = chosen.schema and tablename = chosen.relname) as published`;

/** A logical replication slot of the plugin pgoutput: what must be right about it, and how far it is confirmed. */
export class ReplicationSlot {
  private readonly logger = new Logger('Callsheet');

  constructor(
    private readonly database: PostgresDatabase,
    private readonly options: SlotOptions,
  ) {}

  /** Looks whether all is there that a copy of the table needs, and makes the slot if there is none and that is wanted. */
  async forCopy(signal: AbortSignal): Promise<PublishedTable> {
    return (await this.checked(true, signal)).table;
  }

  /**
   * Confirms what is before a place, so that the server may forget it.
   *
   * @param found up to where all is committed, and the oid of the table, if known; null: nothing was ever read
   * @throws Error that says what is wrong with the slot, the publication or the table
   */
  async confirm(
    found: { lsn: string; table?: number } | null,
    signal: AbortSignal,
  ): Promise<ReadySlot> {
    const { slot, table } = this.options;
    const ready = await this.checked(found === null, signal);
    if (!found) return ready;
    const place = found.lsn;
    if (found.table !== undefined && found.table !== ready.table.oid) {
      throw new Error(
        `'${table}' is another table than the one that was read before. Reset the pipeline, and backfill it`,
      );
    }
    if (lsnOf(place) > lsnOf(ready.written)) {
      throw new Error(
        `the pipeline is at ${place}, and the server has written up to ${ready.written} only: it is not the one that was read before, ` +
          'or has lost what it had written. Reset the pipeline, and backfill it',
      );
    }
    if (lsnOf(place) === lsnOf(ready.confirmed)) return ready;
    if (lsnOf(place) < lsnOf(ready.confirmed)) {
      throw new Error(
        `the replication slot '${slot}' is at ${ready.confirmed}, and the pipeline at ${place}: what changed between is gone. ` +
          'Reset the pipeline, and backfill it',
      );
    }
    await this.database.query('select pg_replication_slot_advance($1, $2::pg_lsn)', [slot, place]);
    return { ...ready, confirmed: place };
  }

  /** Waits while another connection reads the slot. */
  private async checked(mayCreate: boolean, signal: AbortSignal): Promise<ReadySlot> {
    for (let times = 0; times < BUSY.times; times++) {
      const found = await this.look();
      const table = this.tableOf(found);
      if (!found.slot) await this.create(mayCreate);
      else if (!found.slot.active) return { table, ...this.placesOf(found) };
      await delay(found.slot ? BUSY.every : 0, undefined, { signal });
    }
    throw new Error(`the replication slot '${this.options.slot}' is read by somebody else`);
  }

  private async look(): Promise<Found> {
    const { slot, publication, table } = this.options;
    const [found] = await this.database.query<Found>(LOOK, [slot, publication, quoted(table)]);
    return found as Found;
  }

  private tableOf(found: Found): PublishedTable {
    const { publication, table } = this.options;
    if (found.wal_level !== 'logical') {
      throw new Error(
        `the server has wal_level = ${found.wal_level}: set it to logical and restart the server, or use postgresTable`,
      );
    }
    if (!found.table) throw new Error(`there is no table '${table}'`);
    if (!found.publication) {
      const statement = `create publication ${quoted(publication)} for table ${quoted(table)}`;
      throw new Error(`there is no publication '${publication}': ${statement}`);
    }
    if (!found.published) {
      throw new Error(
        `the publication '${publication}' has no table '${table}': alter publication ${quoted(publication)} ` +
          `add table ${quoted(table)}; of a partitioned one, set (publish_via_partition_root = true)`,
      );
    }
    if (!found.key) {
      throw new Error(
        `'${table}' has no primary key: give it one, or have a unique index as its replica identity`,
      );
    }
    const { pubupdate, pubdelete } = found.publication;
    if (found.table.identity === 'n' && (pubupdate || pubdelete)) {
      throw new Error(
        `'${table}' has replica identity nothing, so that its rows cannot be updated or deleted while they are published: ` +
          `alter table ${quoted(table)} replica identity default`,
      );
    }
    const { attnames, rowfilter } = found.published;
    const columns = (found.columns ?? []).filter((name) => attnames?.includes(name) ?? true);
    const { deleted } = this.options;
    if (columns.includes(deleted)) {
      throw new Error(
        `'${table}' has a column '${deleted}', which is what says that rows are no more: give another name as 'deleted'`,
      );
    }
    const { oid, kind } = found.table;
    return {
      oid,
      key: found.key,
      columns,
      from: kind === 'p' ? quoted(table) : `only ${quoted(table)}`,
      domains: found.domains ?? {},
      filter: rowfilter ?? undefined,
    };
  }

  private placesOf({ slot, database, written }: Found): { confirmed: string; written: string } {
    const name = this.options.slot;
    if (slot?.plugin !== 'pgoutput' || slot.database !== database) {
      throw new Error(
        `the replication slot '${name}' is of the plugin ${slot?.plugin} and the database ${slot?.database}, not of pgoutput and ${database}`,
      );
    }
    if (slot.wal_status === 'lost') {
      throw new Error(
        `the replication slot '${name}' is lost: the server has removed what it had not confirmed (max_slot_wal_keep_size). ` +
          'Drop it, reset the pipeline, and backfill it',
      );
    }
    return { confirmed: slot.confirmed_flush_lsn, written };
  }

  private async create(mayCreate: boolean): Promise<void> {
    const { slot, createSlot } = this.options;
    if (!mayCreate) {
      throw new Error(
        `the replication slot '${slot}' is no more, so nobody knows what has changed since: reset the pipeline, and backfill it`,
      );
    }
    if (!createSlot) {
      throw new Error(
        `there is no replication slot '${slot}': select pg_create_logical_replication_slot('${slot}', 'pgoutput'), or createSlot: true`,
      );
    }
    await this.database.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
    this.logger.warn(
      `made the replication slot '${slot}': from now on the server keeps its log until the slot is read. ` +
        `When its pipeline is no more: select pg_drop_replication_slot('${slot}')`,
    );
  }
}

/** A place in the log, to be compared. */
export function lsnOf(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}
