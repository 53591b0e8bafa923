import { Client } from 'pg';
import { afterAll, afterEach, beforeAll } from 'vitest';
import {
  Pipeline,
  postgresReplication,
  postgresUpsert,
  type Pull,
  type Pulled,
  type Source,
} from '@callsheet/sync';
import { eventually } from './eventually.js';
import { startPipeline, type PipelineStage } from './pipeline.stage.js';
import { startPostgres, type PostgresServer } from './postgres.server.js';

export type Row = Record<string, unknown>;

/** As long as it must be to be stored apart from its row, and not compressible. */
export const LONG = `(select string_agg(md5(n::text || clock_timestamp()), '') from generate_series(1, 400) n)`;

/**
 * A server whose table `source` is published as `copy`, beside a table `target`: within a suite, for all of its tests. A commit of who has
 * set `synchronous_commit = on` waits for a standby that never comes.
 */
export class ReplicationStage {
  server!: PostgresServer;
  url!: string;
  readonly opened: Source[] = [];
  private client!: Client;
  private stage: PipelineStage | undefined;

  constructor() {
    beforeAll(async () => {
      const settings = [
        'wal_level=logical',
        'synchronous_standby_names=nobody',
        'synchronous_commit=local',
      ];
      this.server = await startPostgres({ args: settings.flatMap((each) => ['-c', each]) });
      this.url = await this.server.createDatabase();
      await this.connect();
    }, 60_000);
    afterAll(async () => {
      await this.client.end();
      await this.server.stop();
    });
    afterEach(() => this.clear());
  }

  /** A connection of one's own. */
  async another(): Promise<Client> {
    const client = new Client(this.url);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async connect(): Promise<void> {
    this.client = await this.another();
  }

  sql = async (text: string): Promise<Row[]> => (await this.client.query<Row>(text)).rows;

  /** All rows of a table, in short. */
  sum = async (table: string): Promise<unknown> => {
    const [found] = await this.sql(
      `select count(*)::int as n, md5(string_agg(t::text, ',' order by id)) as sum from ${table} t`,
    );
    return found;
  };

  confirmed = async (): Promise<unknown> => {
    const [slot] = await this.sql(
      'select confirmed_flush_lsn::text as lsn from pg_replication_slots',
    );
    return slot?.['lsn'];
  };

  prepare = async (columns = 'id int primary key, n int'): Promise<void> => {
    await this.sql(`create table source (${columns}); create table target (${columns})`);
    await this.sql('create publication copy for table source');
  };

  from = (more: object = {}): Source => {
    const names = { url: this.url, table: 'source', publication: 'copy', slot: 'copy' };
    const source = postgresReplication({ ...names, createSlot: true, ...more });
    this.opened.push(source);
    return source;
  };

  pull = async (
    source: Source,
    cursor: unknown,
    limit = 100,
    backfill = false,
    { signal } = new AbortController(),
  ): Promise<Pulled<Row>> => {
    const order: Pull = { limit, signal, until: undefined, attempt: 1, backfill };
    return (await source.pull(cursor as never, order)) as Pulled<Row>;
  };

  /** Pages to the end, each committed. */
  pages = async (source: Source, first: unknown = null, limit = 100) => {
    const found: Pulled<Row>[] = [];
    let cursor = first;
    for (let n = 0; n < 1_000; n++) {
      const page = await this.pull(source, cursor, limit);
      found.push(page);
      cursor = page.cursor;
      if (!page.more) return { found, cursor, rows: found.flatMap(({ rows }) => rows) };
    }
    throw new Error('it has no end');
  };

  /** A pipeline from the one table to the other, or to the table of a store. */
  start = async (key = 'id', store?: string): Promise<PipelineStage> => {
    const { from, url } = this;
    const names = { table: 'target', key, deleted: '_deleted' };
    @Pipeline({ name: 'copy', page: store ? 1_000 : 100, retry: { attempts: 1 } })
    class Copy {
      readonly from = from();
      readonly to = postgresUpsert(store ? names : { ...names, url });
    }
    return (this.stage = await startPipeline('copy', [Copy], store));
  };

  private async clear(): Promise<void> {
    const { sql } = this;
    await this.stage?.close();
    this.stage = undefined;
    for (const each of this.opened.splice(0)) await each.close?.();
    await eventually(
      async () => (await sql('select 1 from pg_replication_slots where active')).length === 0,
    );
    await sql('select pg_drop_replication_slot(slot_name) from pg_replication_slots');
    await sql(
      'drop publication if exists copy; drop table if exists source, target, other cascade; drop domain if exists whole, doc',
    );
  }
}
