import { NestFactory } from '@nestjs/core';
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { CallsheetModule } from '../../libs/messaging/src/index.js';
import { Pipelines, SyncModule, type PipelineRecord } from '../../libs/sync/src/index.js';
import type { Child } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { Run } from './run.js';
import { SyncWriter } from './sync.writer.js';

export interface Copying {
  name: string;
  /** The store. */
  url: string;
  /** Database with the table `source`. */
  source: string;
  /** Database with the table `target`; undefined: that of the store. */
  sink?: string;
  /** Read a replication slot in place of the table; what is there at the beginning is copied by a backfill, and rows are deleted. */
  isReplicated?: boolean;
  rows: number;
  page: number;
  /** Of workers, in the middle of a page. */
  kills: number;
}

export interface Copied {
  source: Sum;
  target: Sum;
  /** Rows that the pipeline counts, and rows that the sink has committed: a page that was pushed twice makes a difference. */
  counted: number;
  pushed: number;
  kills: number;
  /** Rows that the writer added or changed meanwhile. */
  written: number;
  /** Pages that began while the transaction that commits late was open, and its rows in the target. */
  pagesBeforeLate: number;
  late: number;
  /** The most memory of a worker, MiB. */
  rss: number;
}

interface Sum {
  n: number;
  sum: string;
}

const LOCK = 2_000;
const COLUMNS = 'id bigint primary key, n bigint not null, text text, updated_at timestamptz';
/** What the sink has committed is counted by statement: rows of upserts are inserted, or updated. */
const COUNT_PUSHED = `
  create table pushed (rows bigint);
  create function note_pushed() returns trigger language plpgsql as $$
    begin insert into pushed select count(*) from fresh; return null; end $$;
  create trigger inserted after insert on target referencing new table as fresh
    for each statement execute function note_pushed();
  create trigger updated after update on target referencing new table as fresh
    for each statement execute function note_pushed()`;

/** Copies a table that is written meanwhile, kills workers in the middle of their pages, and compares both tables at the end. */
export async function copying(options: Copying): Promise<Copied> {
  const { name, url, source, sink = url, rows, kills, isReplicated = false } = options;
  const run = new Run(name);
  const [from, to] = [new Client(source), new Client(sink)];
  await Promise.all([from.connect(), to.connect()]);
  const app = await NestFactory.createApplicationContext(
    { module: Looker, imports: [CallsheetModule.forRoot({ url, consume: false }), SyncModule] },
    { logger: false, abortOnError: false },
  );
  const writer = new SyncWriter(source, rows, run.nemesis, isReplicated);
  try {
    await prepare(from, to, rows);
    const pages = () => run.events().filter(({ kind }) => kind === 'page');
    const start = () => run.start('sync.worker.js', { ...options, lock: LOCK });
    const workers = [start(), start()];
    const began = performance.now();
    if (isReplicated) await backfill(app.get(Pipelines));
    await writer.begin();
    for (let killed = 0; killed < kills; killed++) {
      // The others hit pages of the slot.
      if (isReplicated && killed === Math.floor(kills / 3)) await copied(app.get(Pipelines), rows);
      const seen = pages().length;
      const wanted = seen + run.nemesis.between(1, 4);
      await eventually(
        () => {
          alive(workers);
          return pages().length >= wanted;
        },
        { timeout: 60_000, interval: 10 },
      );
      // Anywhere in its page, before and after its commit.
      await delay(run.nemesis.between(0, 15));
      const place = workers.findIndex(({ pid }) => pid === pages().at(-1)?.pid);
      await run.down(workers[place] as Child, 'kill -9');
      workers[place] = start();
      if (killed === Math.floor(kills / 2)) await writer.commitLate(pages().length);
    }
    await writer.end();
    const record = await caughtUp(app.get(Pipelines), from, to);
    const seconds = (performance.now() - began) / 1_000;
    for (const child of workers) await child.stop();
    const found: Copied = {
      source: await sumOf(from, 'source'),
      target: await sumOf(to, 'target'),
      counted: record.rows,
      pushed: Number((await to.query('select sum(rows) as n from pushed')).rows[0]?.n),
      kills: run.events().filter((event) => event.kind === 'fault').length,
      written: writer.written,
      pagesBeforeLate: writer.pagesBeforeLate,
      late: (await to.query('select 1 from target where id < 0')).rowCount ?? 0,
      rss: Math.max(...run.events().map((event) => (event.kind === 'page' ? event.rss : 0))),
    };
    const rate = Math.round(found.counted / seconds);
    console.log(
      `${name}: seed ${run.nemesis.seed}, ${found.target.n} rows, ${found.written} written meanwhile, ${found.kills} kills, ` +
        `${pages().length} pages begun, ${record.pages} committed, ${seconds.toFixed(1)} s, ${rate} rows/s, ${found.rss} MiB`,
    );
    run.forget();
    return found;
  } finally {
    await writer.end().catch(() => undefined);
    await run.end();
    await app.close();
    await Promise.all([from.end(), to.end()]);
  }
}

class Looker {}

function alive(workers: readonly Child[]): void {
  for (const { running, output } of workers) {
    assert(running, `a process ended by itself:\n${output}`);
  }
}

async function prepare(from: Client, to: Client, rows: number): Promise<void> {
  await from.query(`create table source (${COLUMNS})`);
  await from.query(
    `insert into source select n, n, repeat(md5(n::text), 2), '2026-01-01'::timestamptz + n / 3 * interval '1 ms'
     from generate_series(1, ${rows}) n`,
  );
  await from.query('create index on source (updated_at, id)');
  await from.query('analyze source');
  await from.query('create publication copy for table source');
  await to.query(`create table target (${COLUMNS})`);
  await to.query(COUNT_PUSHED);
}

/** The first run makes the slot, then the table is copied. */
async function backfill(pipelines: Pipelines): Promise<void> {
  const wait = { timeout: 60_000, interval: 100 };
  await eventually(async () => (await pipelines.get('copy'))?.last !== undefined, wait);
  assert(await pipelines.backfill('copy'));
}

/** Waits until the backfill has ended. */
async function copied(pipelines: Pipelines, rows: number): Promise<void> {
  const isCopied = async () => {
    const record = await pipelines.get('copy');
    return (record?.rows ?? 0) >= rows / 2 && record?.run?.reason !== 'backfill';
  };
  await eventually(isCopied, { timeout: 120_000, interval: 100 });
}

/** Waits until the last change has arrived and no run is in work. */
async function caughtUp(pipelines: Pipelines, from: Client, to: Client): Promise<PipelineRecord> {
  const last = 'order by updated_at desc, id desc limit 1';
  const text = (table: string) => `select id, n, updated_at::text as at from ${table} ${last}`;
  return eventually(
    async () => {
      const [ours, theirs] = await Promise.all([
        from.query(text('source')),
        to.query(text('target')),
      ]);
      assert.deepEqual(theirs.rows, ours.rows);
      const record = await pipelines.get('copy');
      assert.equal(record?.state, 'idle');
      return record;
    },
    { timeout: 900_000, interval: 250 },
  );
}

async function sumOf(client: Client, table: string): Promise<Sum> {
  const { rows } = await client.query<Sum>(
    `select count(*)::int as n, md5(string_agg(t::text, ',' order by id)) as sum from ${table} t`,
  );
  return rows[0] as Sum;
}
