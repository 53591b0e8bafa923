import { Actor, DeadLetters, Handle, Message } from '@callsheet/messaging';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serverSuite } from '../../../../test/support/available.js';
import { z } from 'zod';
import { eventually } from '../../../../test/support/eventually.js';
import { startPipeline, type PipelineStage } from '../../../../test/support/pipeline.stage.js';
import { startPostgres, type PostgresServer } from '../../../../test/support/postgres.server.js';
import {
  messages,
  Pipeline,
  postgresOutbox,
  postgresReplication,
  postgresTable,
  postgresUpsert,
  type Page,
  type PageOutcome,
  type Pull,
} from '../index.js';

const COLUMNS = `
  id bigint primary key, email text, price numeric, tags text[], raw bytea, doc jsonb,
  updated_at timestamptz not null default now()`;

serverSuite('postgres', 'from PostgreSQL to PostgreSQL', () => {
  let server: PostgresServer;
  let url: string;
  let client: Client;
  let stage: PipelineStage | undefined;
  const sql = async (text: string) => (await client.query(text)).rows as Record<string, unknown>[];
  const sum = async (table: string) =>
    (
      await sql(`select count(*)::int as n, md5(string_agg(t::text, ',' order by id)) as sum
                from (select id, email, price, tags, raw, doc, updated_at from ${table}) t`)
    )[0];

  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
    client = new Client(url);
    await client.connect();
  }, 60_000);
  afterAll(async () => {
    await client.end();
    await server.stop();
  });
  afterEach(async () => {
    await stage?.close();
    await sql('drop table if exists source, target, outbox');
  });

  /** An attempt at a page, for a sink alone. */
  const page = (id: string, pipeline = 'fenced'): Page => {
    const outcome: PageOutcome = { cursor: id, more: false, rows: 1, bad: [] };
    const { signal } = new AbortController();
    const reject = (row: unknown, error: string) => outcome.bad.push({ row, error });
    return { id, pipeline, outcome, signal, reject } as unknown as Page;
  };

  /** Waits until by the clock of the server all that was written is behind the horizon. */
  const settled = async () => {
    const [{ now } = {}] = await sql('select clock_timestamp()::text as now');
    const text = `select clock_timestamp() > '${String(now)}'::timestamptz + interval '100 ms' as past`;
    await eventually(async () => (await sql(text))[0]?.past === true);
  };

  /** A pipeline from `source` to `target`. */
  const start = async (from: object = {}, to: object = {}) => {
    @Pipeline({ name: 'copy', page: 100, retry: { attempts: 1 } })
    class Copy {
      readonly from = postgresTable({ url, table: 'source', ...from });
      readonly to = postgresUpsert({ url, table: 'public.target', ...to });
    }
    return (stage = await startPipeline('copy', [Copy]));
  };

  it('copies rows as they are, to the last digit, and then what has changed', async () => {
    await sql(`create table source (${COLUMNS})`);
    await sql(`create table target (${COLUMNS})`);
    await sql(`insert into source select n, 'user' || n || '@example.org', n * 12345678901234567.000001,
      array['a "quoted" one', null, n::text], decode(lpad(to_hex(n), 8, '0'), 'hex'),
      jsonb_build_object('n', n, 'none', null, 'text', '\\u00e9'), '2026-01-01'::timestamptz + n / 7 * interval '1.000001 ms'
      from generate_series(1, 1050) n`);
    const { sync } = await start();
    expect(await sync()).toMatchObject({ state: 'idle', rows: 1_050, bad: 0, pages: 11 });
    expect(await sum('target')).toEqual(await sum('source'));
    await sql(`update source set email = 'new', updated_at = now() where id % 100 = 0`);
    await settled();
    expect(await sync()).toMatchObject({ last: { rows: 10 } });
    expect(await sum('target')).toEqual(await sum('source'));
    expect((await sync()).lag).toBeLessThan(10_000);
  });

  describe.each([
    ['times', 'timestamptz', 'clock_timestamp()'],
    ['transaction ids', 'xid8', 'pg_current_xact_id()'],
  ])('by %s', (_, type, value) => {
    const late = async (horizon: boolean) => {
      const columns = `id int primary key, updated_at ${type} not null default ${value}`;
      await sql(`create table source (${columns})`);
      await sql(`create table target (${columns})`);
      const slow = new Client(url);
      await slow.connect();
      try {
        await slow.query('begin');
        await slow.query('insert into source values (1)');
        await sql('insert into source values (2)');
        await settled();
        const { sync } = await start({ horizon });
        const { rows: early } = await sync();
        await slow.query('commit');
        await settled();
        await sync();
        return {
          early,
          late: (await sql('select id from target order by id')).map(({ id }) => id),
        };
      } finally {
        await slow.end();
      }
    };

    it('waits for a transaction that commits late', async () => {
      expect(await late(true)).toEqual({ early: 0, late: [1, 2] });
    });

    it('misses its rows without a horizon', async () => {
      expect(await late(false)).toEqual({ early: 1, late: [2] });
    });
  });

  it('makes dead letters of rows that the table refuses, and pushes the others', async () => {
    await sql('create table source (id int, updated_at timestamptz default now(), n int)');
    await sql(
      `create table target (id int primary key, updated_at timestamptz, n int check (n <> 7))`,
    );
    await sql(
      `insert into source select n, now() - interval '1 s', n from generate_series(1, 20) n`,
    );
    const { sync, bad } = await start();
    expect(await sync()).toMatchObject({ rows: 19, bad: 1, errors: 0 });
    const found = await bad();
    expect(found).toMatchObject([
      { row: { id: 7 }, error: expect.stringContaining('target_n_check') },
    ]);
    // Another process has had a page since.
    const other = postgresUpsert({ url, table: 'target' });
    await other.open?.(page('elsewhere', 'copy'));
    await other.close?.();
    const letters = stage!.app.get(DeadLetters);
    const { id, data } = found[0]!.letter.envelope;
    await letters.redrive(id);
    await eventually(async () =>
      expect((await letters.list({ actor: 'copy' }))[0]?.history).toHaveLength(2),
    );
    await letters.redrive(id, { ...data, row: { id: 7, n: 8 } });
    await eventually(async () =>
      expect(await sql('select n from target where id = 7')).toEqual([{ n: 8 }]),
    );
    expect(await letters.list({ actor: 'copy' })).toEqual([]);
  });

  it('never lets an older row take the place of a newer one when it has a version', async () => {
    await sql('create table source (id int, updated_at timestamptz, n int)');
    await sql('create table target (id int primary key, updated_at timestamptz, n int)');
    await sql(`insert into source values (1, '2026-01-01', 1)`);
    await sql(`insert into target values (1, '2026-01-02', 2)`);
    const { sync } = await start({}, { version: 'updated_at' });
    await sync();
    expect(await sql('select n from target')).toEqual([{ n: 2 }]);
  });

  it('says what is wrong with its tables', async () => {
    await sql('create table source (id int, updated_at int)');
    const { sync } = await start();
    expect((await sync()).failure?.message).toMatch('is of type integer');
    await sql('alter table source alter updated_at type timestamp using now()');
    expect((await sync()).failure?.message).toMatch('is of type timestamp without time zone');
    await sql('alter table source drop updated_at');
    expect((await sync()).failure?.message).toMatch("has no column 'updated_at'");
  });

  it('says that a server has no log to replicate from', async () => {
    await sql('create table source (id int primary key)');
    const from = postgresReplication({ url, table: 'source', publication: 'p', slot: 's' });
    const { signal } = new AbortController();
    const pull = { limit: 1, signal, until: undefined, backfill: false, attempt: 1 };
    await expect(from.pull(null, pull)).rejects.toThrow('wal_level = replica: set it to logical');
    await from.close?.();
  });

  it('keeps what is done to one row in its order, whatever columns it has, and deletes', async () => {
    await sql('create table target (id int primary key, a int, b int)');
    const sink = postgresUpsert({ url, table: 'target', deleted: 'gone' });
    const pushed = async (id: string, rows: object[]) => {
      const attempt = page(id, 'ordered');
      await sink.open?.(attempt);
      await sink.push(rows as never[], attempt);
      return sql('select * from target order by id');
    };
    const first = [
      { id: 1, a: 1, b: 1 },
      { id: 1, a: 2 },
      { id: 2, a: 1, b: 1 },
      { id: 1, a: 3, b: 3 },
      { id: '2', gone: true },
      { id: 3, a: 1, b: 1, gone: true },
      { id: 3, a: 2, b: 2, gone: false },
    ];
    expect(await pushed('p1', first)).toEqual([
      { id: 1, a: 3, b: 3 },
      { id: 3, a: 2, b: 2 },
    ]);
    await sql('alter table target add unique (a)');
    const moved = [
      { id: 5, a: 5 },
      { id: 3, gone: true },
      { id: 6, a: 2 },
    ];
    expect(await pushed('p3', moved)).toMatchObject([{ id: 1 }, { id: 5, a: 5 }, { id: 6, a: 2 }]);
    const all = [{ id: 4, a: 1 }, { gone: 'all' }, { id: 5, a: 1 }];
    expect(await pushed('p2', all)).toEqual([{ id: 5, a: 1, b: null }]);
    await sink.close?.();
  });

  it('does not push a page twice, nor for whom another has taken over', async () => {
    await sql('create table target (id int primary key, n int)');
    const [frozen, other] = [1, 2].map(() => postgresUpsert({ url, table: 'target' }));
    const [late, first] = [page('p1'), page('p1')];
    expect(await frozen?.open?.(late)).toBeUndefined();
    expect(await other?.open?.(first)).toBeUndefined();
    await other?.push([{ id: 1, n: 1 }] as never, first);
    await expect(frozen?.push([{ id: 1, n: 0 }] as never, late)).rejects.toThrow('taken over');
    // Its turn did not commit: the page comes again, and has been pushed.
    expect(await frozen?.open?.(page('p1'))).toEqual(first.outcome);
    // The same process is at the next page, and the attempt that it gave up is still at work.
    expect(await frozen?.open?.(page('p2'))).toBeUndefined();
    await expect(frozen?.push([{ id: 1, n: 0 }] as never, late)).rejects.toThrow('taken over');
    expect(await sql('select * from target')).toEqual([{ id: 1, n: 1 }]);
    await frozen?.close?.();
    await other?.close?.();
  });

  it('has the newest of the rows of one key, whatever columns they have', async () => {
    await sql('create table target (id int primary key, a int, b int, v int)');
    const versioned = postgresUpsert({ url, table: 'target', version: 'v' });
    const plain = postgresUpsert({ url, table: 'target' });
    const pushed = async (sink: typeof plain, id: string, rows: object[]) => {
      const attempt = page(id);
      await sink.open?.(attempt);
      await sink.push(rows as never, attempt);
      expect(attempt.outcome.bad).toEqual([]);
      return sql('delete from target returning a, b, v');
    };
    const [v5, v3] = [
      { id: 1, a: 5, v: 5 },
      { id: 1, a: 3, v: 3 },
    ];
    expect(await pushed(versioned, 'p1', [v5, v3])).toEqual([{ a: 5, b: null, v: 5 }]);
    expect(await pushed(versioned, 'p2', [v3, { ...v5, b: 1 }, v3])).toEqual([
      { a: 5, b: 1, v: 5 },
    ]);
    expect(await pushed(plain, 'p3', [v5, { ...v3, id: '1' }])).toMatchObject([{ a: 3 }]);
    const shapes = [
      { id: 1, a: 1, b: 1 },
      { id: 1, a: 2 },
      { id: 1, a: 3, b: 3 },
    ];
    expect(await pushed(plain, 'p4', shapes)).toMatchObject([{ a: 3, b: 3 }]);
    expect(await pushed(plain, 'p5', shapes.slice(0, 2))).toMatchObject([{ a: 2, b: 1 }]);
    await versioned.close?.();
    await plain.close?.();
  });

  it('notes a page also when one of its rows has what PostgreSQL does not store', async () => {
    await sql('create table target (id int primary key, name text)');
    const sink = postgresUpsert({ url, table: 'target' });
    const attempt = page('nul');
    const row = { id: 1, name: 'a\0b\ud800' };
    await sink.open?.(attempt);
    await sink.push([row, { id: 2, name: 'b' }] as never, attempt);
    expect(attempt.outcome.bad).toMatchObject([{ row }]);
    expect(await sql('select id from target')).toEqual([{ id: 2 }]);
    expect(await sink.open?.(page('nul'))).toEqual(attempt.outcome);
    await sink.close?.();
  });

  it('takes away thousands of rows of an outbox at once', async () => {
    await sql('create table outbox (id uuid primary key default gen_random_uuid(), n int)');
    await sql('insert into outbox (n) select n from generate_series(1, 6000) n');
    let pushed = 0;
    @Pipeline({ name: 'many', page: 5_000, retry: { attempts: 1 } })
    class Many {
      readonly from = postgresOutbox({ url, table: 'outbox' });
      push(rows: unknown[]): void {
        pushed += rows.length;
      }
    }
    stage = await startPipeline('many', [Many]);
    expect(await stage.sync()).toMatchObject({ state: 'idle', rows: 6_000 });
    expect(pushed).toBe(6_000);
    expect(await sql('select * from outbox')).toEqual([]);
  });

  it('says by transaction ids too how far it is behind', async () => {
    await sql('create table source (id int primary key, updated_at xid8)');
    const slow = new Client(url);
    await slow.connect();
    await slow.query('begin');
    await slow.query('insert into source values (1, pg_current_xact_id())');
    const { rows } = await slow.query('select extract(epoch from now())::float8 * 1000 as at');
    const from = postgresTable({ url, table: 'source' });
    const pull = { limit: 10, until: undefined, attempt: 1, signal: page('any').signal };
    const { at } = await from.pull(null, pull as Pull);
    await slow.end();
    await from.close?.();
    expect(at?.getTime()).toBe(Math.trunc((rows as { at: number }[])[0]!.at));
  });

  it('sends what is in an outbox once, as soon as it is told, and takes it away', async () => {
    await sql('create table outbox (id bigserial primary key, name text)');
    const greeted: string[] = [];
    class Greet extends Message('greeters.greet', z.object({ name: z.string() })) {}
    @Actor({ concurrency: 1 })
    class Greeters {
      @Handle(Greet) greet({ name }: Greet): void {
        greeted.push(name);
      }
    }
    @Pipeline({ name: 'outbox', page: 2, schema: z.object({ id: z.string(), name: z.string() }) })
    class Outbox {
      readonly from = postgresOutbox({ url, table: 'outbox', channel: 'outbox' });
      readonly to = messages<{ id: string; name: string }>({
        message: ({ name }) => new Greet({ name }),
        send: ({ id }) => ({ id: `outbox-${id}` }),
      });
    }
    stage = await startPipeline('outbox', [Outbox, Greeters]);
    const empty = () =>
      eventually(async () => expect(await sql('select * from outbox')).toEqual([]));
    await sql(`insert into outbox (name) select 'n' || n from generate_series(1, 5) n`);
    await sql('notify outbox');
    await empty();
    // Its transaction began before, and commits later.
    const slow = new Client(url);
    await slow.connect();
    await slow.query('begin');
    await slow.query(`insert into outbox (name) values ('late')`);
    await sql(`insert into outbox (name) values ('early')`);
    await sql('notify outbox');
    await eventually(() => expect(greeted).toContain('early'));
    await slow.query('commit');
    await sql('notify outbox');
    await empty();
    await slow.end();
    await eventually(() =>
      expect(greeted).toEqual(['n1', 'n2', 'n3', 'n4', 'n5', 'early', 'late']),
    );
  });

  it('commits rows with the turn where store and sink are one database', async () => {
    await sql('create table source (id int, updated_at timestamptz default now(), n int)');
    await sql(
      `insert into source select n, now() - interval '1 s', n from generate_series(1, 250) n`,
    );
    await sql('create table target (id int primary key, updated_at timestamptz, n int)');
    @Pipeline({ name: 'within', page: 100, retry: { attempts: 1 } })
    class Within {
      readonly from = postgresTable({ url, table: 'source' });
      readonly to = postgresUpsert({ table: 'target' });
    }
    stage = await startPipeline('within', [Within], url);
    expect(await stage.sync()).toMatchObject({ state: 'idle', rows: 250, pages: 3 });
    expect(await sql('select count(*)::int as n from target')).toEqual([{ n: 250 }]);
    await sql(`insert into source values (251, now() - interval '0.5 s', 1)`);
    await sql('alter table target add check (n < 0) not valid');
    expect(await stage.sync()).toMatchObject({ state: 'failed', rows: 250 });
  });
});

describe('options of PostgreSQL connectors', () => {
  it.each([
    [() => postgresTable({ url: 'http://x', table: 't' }), 'postgresTable url must be a URL'],
    [() => postgresTable({ url: 'postgres://x/y' } as never), 'postgresTable table must be text'],
    [
      () => postgresTable({ url: 'postgres://x/y', table: 't', order: 'id' } as never),
      'postgresTable order is not an option',
    ],
    [() => postgresUpsert({ table: 't', key: [] }), 'postgresUpsert key must be a name'],
    [
      () => postgresReplication({ url: 'postgres://x/y', table: 't', publication: 'p', slot: 'A' }),
      'postgresReplication slot must be of a-z',
    ],
    [() => postgresUpsert({ table: 't', version: '' }), 'postgresUpsert version must be text'],
  ])('%#: a bad one is refused where it is given', (make, message) => {
    expect(make).toThrow(message);
  });
});
