import { expect, it } from 'vitest';
import fc from 'fast-check';
import { serverSuite } from '../../../../test/support/available.js';
import { eventually } from '../../../../test/support/eventually.js';
import { LONG, ReplicationStage, type Row } from '../../../../test/support/replication.stage.js';
import { postgresUpsert, type Page } from '../index.js';

const COLUMNS = `
  id bigint primary key, email text, price numeric, tags text[], raw bytea, doc jsonb, f float8, ok boolean,
  at timestamptz not null default now()`;

serverSuite('postgres', 'changes from a replication slot', () => {
  const stage = new ReplicationStage();
  const { sql, sum, confirmed, prepare, from, pull, pages, start, opened } = stage;

  it('copies the table, then what has changed, to the last digit', async () => {
    await prepare(COLUMNS);
    await sql(`insert into source select n, 'user' || n, n * 12345678901234567.000001, array['a "quoted" one', null, n::text],
      decode(lpad(to_hex(n), 8, '0'), 'hex'), jsonb_build_object('n', n), n / 3.0, n % 2 = 0, now() + n * interval '1.000001 ms'
      from generate_series(1, 250) n`);
    const { sync, pipelines } = await start();
    // Makes the slot.
    expect(await sync()).toMatchObject({ state: 'idle', rows: 0 });
    await pipelines.backfill('copy');
    await eventually(async () =>
      expect(await pipelines.get('copy')).toMatchObject({ state: 'idle', rows: 250 }),
    );
    expect(await sum('target')).toEqual(await sum('source'));
    await sql(
      `update source set price = -price, f = 'NaN' where id <= 100; delete from source where id > 200`,
    );
    await sql(`insert into source (id, f) select n, '-Infinity' from generate_series(201, 210) n`);
    await sql('update source set id = -id where id < 20');
    expect(await sync()).toMatchObject({
      state: 'idle',
      bad: 0,
      last: { rows: 100 + 50 + 10 + 38 },
    });
    expect(await sum('target')).toEqual(await sum('source'));
    expect((await sync()).lag).toBeLessThan(10_000);
  });

  it('gives changes in the order of commits, each of a transaction that commits late too', async () => {
    await prepare();
    const source = from();
    const { cursor } = await pages(source);
    const slow = await stage.another();
    await slow.query('begin; insert into source values (1, 1)');
    await sql('insert into source values (2, 1); update source set n = 2 where id = 2');
    const early = await pages(source, cursor);
    await slow.query('commit');
    await slow.end();
    await sql('delete from source where id = 2');
    await sql('truncate source');
    await sql('insert into source values (3, 1)');
    const late = await pages(source, early.cursor);
    expect(early.rows).toEqual([
      { id: 2, n: 1, _deleted: false },
      { id: 2, n: 2, _deleted: false },
    ]);
    expect(late.rows).toEqual([
      { id: 1, n: 1, _deleted: false },
      { id: 2, _deleted: true },
      { _deleted: 'all' },
      { id: 3, n: 1, _deleted: false },
    ]);
  });

  it('confirms a page when the next one begins, not before, and gives it again until then', async () => {
    await prepare();
    const source = from();
    const first = await pull(source, null);
    await sql('insert into source values (1, 1)');
    const page = await pull(source, first.cursor);
    const before = await confirmed();
    // Its process was killed: another has the cursor that was committed.
    const again = await pull(from(), first.cursor);
    expect(again).toEqual({ ...page, at: again.at });
    expect(await confirmed()).toEqual(before);
    // The page was committed, and its process killed before it could confirm anything.
    const next = await pull(from(), page.cursor);
    expect(next).toMatchObject({ rows: [], more: false });
    expect(await confirmed()).toEqual((page.cursor as { lsn: string }).lsn);
  });

  it('reads a transaction of 50,000 rows in parts, also when it is begun again in the middle', async () => {
    await prepare();
    const source = from();
    const { cursor } = await pages(source);
    await sql('insert into source select n, n from generate_series(1, 50000) n');
    await sql('insert into source values (0, 0)');
    let page = await pull(source, cursor, 2_500);
    const ids = page.rows.map(({ id }) => id);
    let begun = 1;
    for (let n = 0; page.more && n < 100; n++) {
      const isKilled = n % 4 === 0;
      begun += Number(isKilled);
      page = await pull(isKilled ? from() : opened.at(-1)!, page.cursor, 2_500);
      expect(page.rows.length).toBeLessThanOrEqual(5_000);
      ids.push(...page.rows.map(({ id }) => id));
    }
    expect(begun).toBeGreaterThan(2);
    expect(ids).toEqual([...Array.from({ length: 50_000 }, (_, n) => n + 1), 0]);
  });

  it('does not cut a transaction that is no longer than a page', async () => {
    await prepare();
    const source = from();
    const { cursor } = await pages(source);
    for (let n = 0; n < 5; n++) {
      await sql(`insert into source select ${n} * 70 + g, ${n} from generate_series(1, 70) g`);
    }
    const { found } = await pages(source, cursor, 100);
    expect(found.map(({ rows }) => rows.length)).toEqual([140, 140, 70]);
  });

  it.each(['default', 'full'])(
    'has long values that were not written, with identity %s',
    async (identity) => {
      await prepare('id int primary key, n int, long text not null');
      await sql(`alter table source replica identity ${identity}`);
      await sql('alter table source alter long set storage external');
      const { sync } = await start();
      await sync();
      await sql(`insert into source select n, 0, ${LONG} from generate_series(1, 3) n`);
      await sync();
      // The second is a row that is gone when its change is read.
      await sql('update source set n = 1; update source set n = 2 where id = 2');
      await sql('delete from source where id = 2; update source set id = 4 where id = 3');
      expect(await sync()).toMatchObject({ state: 'idle', bad: 0 });
      expect(await sum('target')).toEqual(await sum('source'));
      expect(await sql('select id, n from target order by id')).toEqual([
        { id: 1, n: 1 },
        { id: 4, n: 1 },
      ]);
    },
  );

  it('goes on after a restart of PostgreSQL, in the middle of a transaction', async () => {
    await prepare();
    const { cursor } = await pages(from());
    await sql('insert into source select n, n from generate_series(1, 3000) n');
    const source = from();
    let page = await pull(source, cursor, 100);
    expect(page.cursor).toMatchObject({ in: { done: 200 } });
    const ids = page.rows.map(({ id }) => id);
    await stage.server.restart();
    await stage.connect();
    await sql('insert into source values (3001, 3001)');
    let failed = 0;
    for (let n = 0; page.more && n < 100; n++) {
      // As the pipeline does: a page that fails is tried again.
      const next = await pull(source, page.cursor, 100).catch(() => undefined);
      if (!next) failed++;
      page = next ?? page;
      ids.push(...(next?.rows ?? []).map(({ id }) => id));
    }
    expect(failed).toBe(1);
    expect(ids).toEqual(Array.from({ length: 3_001 }, (_, n) => n + 1));
  });

  it('confirms what others write, so that the log of an idle table is not kept', async () => {
    await prepare();
    await sql('create table other (n int)');
    const { cursor } = await pages(from());
    await sql('insert into other select n from generate_series(1, 1000) n');
    const later = await pages(from(), cursor);
    await pages(from(), later.cursor);
    expect(later.rows).toEqual([]);
    const [behind] = await sql(
      `select pg_current_wal_lsn() - confirmed_flush_lsn < 10000 as few from pg_replication_slots`,
    );
    expect(behind).toEqual({ few: true });
  });

  it('copies and follows only what is published, by keys of several columns', async () => {
    await sql(`create table source (a int, b text, n int, secret text, twice int generated always as (n * 2) stored,
      primary key (b, a))`);
    await sql('create publication copy for table source (a, b, n) where (a > 1)');
    const { cursor } = await pages(from());
    await sql(
      `insert into source select n, 'k' || n % 2, n, 'secret' from generate_series(1, 5) n`,
    );
    let at: unknown = null;
    const rows: Row[] = [];
    for (let n = 0; n < 3; n++) {
      const page = await pull(from(), at, 2, true);
      rows.push(...page.rows);
      at = page.cursor;
    }
    const expected = [2, 4, 3, 5].map((a) => ({ a, b: `k${a % 2}`, n: a, _deleted: false }));
    expect(rows).toEqual(expected);
    const followed = await pages(from(), cursor);
    expect(followed.rows).toEqual(expected.toSorted((one, other) => one.a - other.a));
    await expect(pull(from(), cursor, 2, true)).rejects.toThrow('goes from and until { key');
  });

  it('follows a partitioned table by its root only', async () => {
    await sql('create table source (id int primary key) partition by range (id)');
    await sql('create table source_1 partition of source for values from (0) to (10)');
    await sql('create publication copy for table source');
    await expect(pull(from(), null)).rejects.toThrow('publish_via_partition_root');
    await sql('alter publication copy set (publish_via_partition_root = true)');
    const { cursor } = await pages(from());
    await sql('insert into source values (1)');
    expect((await pages(from(), cursor)).rows).toEqual([{ id: 1, _deleted: false }]);
  });

  it('says what is wrong', async () => {
    const problem = async (more: object = {}, cursor: unknown = null) =>
      pull(from({ createSlot: false, ...more }), cursor).then(
        () => 'nothing',
        ({ message }: Error) => message,
      );
    expect(await problem()).toBe("there is no table 'source'");
    await sql('create table source (id int, n int)');
    expect(await problem()).toMatch("no publication 'copy': create publication");
    await sql('create publication copy');
    expect(await problem()).toMatch("has no table 'source': alter publication");
    await sql('alter publication copy add table source');
    expect(await problem()).toMatch('has no primary key');
    await sql(
      'alter table source add primary key (id); alter table source replica identity nothing',
    );
    expect(await problem()).toMatch('has replica identity nothing');
    await sql('alter table source replica identity default');
    expect(await problem()).toMatch("there is no replication slot 'copy'");
    expect(await problem({ createSlot: true })).toBe('nothing');
    expect(await problem({}, { lsn: '0/1' })).toMatch('what changed between is gone');
    await sql(`select pg_drop_replication_slot('copy')`);
    expect(await problem({ createSlot: true }, { lsn: '0/1' })).toMatch('is no more');
    await sql(`select pg_create_logical_replication_slot('copy', 'test_decoding')`);
    expect(await problem()).toMatch('is of the plugin test_decoding');
  });

  it('brings about the same table, whatever is done to it', { timeout: 60_000 }, async () => {
    const id = fc.integer({ min: 1, max: 4 });
    const text = fc.constantFrom(`'a'`, `E'\\u00e9\\n\\\\ "'`, 'null', LONG);
    const statement = fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .tuple(id, text)
          .map(
            ([n, value]) => `insert into source values (${n}, 0, ${value}) on conflict do nothing`,
          ),
      },
      {
        weight: 4,
        arbitrary: fc
          .tuple(id, text)
          .map(([n, value]) => `update source set text = ${value} where id = ${n}`),
      },
      { weight: 4, arbitrary: id.map((n) => `update source set n = n + 1 where id >= ${n}`) },
      { weight: 2, arbitrary: id.map((n) => `delete from source where id = ${n}`) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(id, id)
          .map(
            ([a, b]) =>
              `update source set id = ${b} where id = ${a} and not exists (select 1 from source where id = ${b})`,
          ),
      },
      { weight: 1, arbitrary: fc.constant('truncate source') },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          'alter table source replica identity full',
          'alter table source replica identity default',
        ),
      },
    );
    const transactions = fc.array(fc.array(statement, { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 6,
    });
    await prepare('id int primary key, n int, text text');
    await sql('alter table source alter text set storage external');
    const source = from();
    let { cursor } = await pages(source);
    const sink = postgresUpsert({ url: stage.url, table: 'target', deleted: '_deleted' });
    let number = 0;
    await fc.assert(
      fc.asyncProperty(transactions, fc.integer({ min: 1, max: 5 }), async (all, limit) => {
        for (const statements of all) {
          // A statement each: what is done to a table in one of them is planned before.
          await sql('begin');
          for (const each of statements) await sql(each);
          await sql('commit');
        }
        const read = await pages(source, cursor, limit);
        cursor = read.cursor;
        for (const { rows } of read.found) {
          const page = {
            id: `p${number++}`,
            pipeline: 'any',
            outcome: {},
            signal: new AbortController().signal,
            reject: (_: unknown, error: string) => expect.fail(error),
          };
          await sink.open?.(page as unknown as Page);
          if (rows.length > 0) await sink.push(rows as never[], page as unknown as Page);
        }
        expect(await sum('target')).toEqual(await sum('source'));
      }),
      { numRuns: 15 },
    );
    await sink.close?.();
  });
});
