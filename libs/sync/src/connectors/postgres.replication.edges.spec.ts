import { Client } from 'pg';
import { expect, it, vi } from 'vitest';
import { serverSuite } from '../../../../test/support/available.js';
import { eventually } from '../../../../test/support/eventually.js';
import { LONG, ReplicationStage } from '../../../../test/support/replication.stage.js';

serverSuite('postgres', 'what a replication slot must not lose', () => {
  const stage = new ReplicationStage();
  const { sql, sum, confirmed, prepare, from, pull, pages, start } = stage;
  /** Statements that connections of sources have run last. */
  const statements = async (like: string) =>
    sql(
      `select query from pg_stat_activity where application_name = 'callsheet sync source' and query like '${like}'`,
    );

  it('loses nothing when a page that was given up is still read beside the next attempt', async () => {
    await prepare();
    const source = from();
    const { cursor } = await pages(source);
    await sql('insert into source select n, n from generate_series(1, 3000) n');
    let page = await pull(source, cursor, 100);
    const ids = page.rows.map(({ id }) => id);
    for (let n = 0; page.more && n < 100; n++) {
      const givenUp = new AbortController();
      const old = pull(source, page.cursor, 300, false, givenUp);
      givenUp.abort();
      page = await pull(source, page.cursor, 300);
      await Promise.allSettled([old]);
      ids.push(...page.rows.map(({ id }) => id));
    }
    expect(ids).toEqual(Array.from({ length: 3_000 }, (_, n) => n + 1));
    await eventually(async () => expect(await statements('fetch%')).toEqual([]));
  });

  it('fetches no more at once than a page may have', async () => {
    await prepare();
    const source = from();
    const { cursor } = await pages(source);
    await sql('insert into source select n, n from generate_series(1, 100) n');
    expect((await pull(source, cursor, 5)).rows).toHaveLength(10);
    expect(await statements('fetch%')).toEqual([{ query: 'fetch 10 from changes' }]);
  });

  it('does not cut a transaction of up to 2,500 changes, however large a page is', async () => {
    await prepare();
    const source = from();
    const { cursor } = await pages(source);
    for (let n = 0; n < 3; n++) {
      await sql(`insert into source select ${n} * 2400 + g, ${n} from generate_series(1, 2400) g`);
    }
    const { found } = await pages(source, cursor, 5_000);
    expect(found.map(({ rows }) => rows.length)).toEqual([4_800, 2_400]);
  });

  it('ends a run that has read all there was, though the table goes on changing', async () => {
    await prepare();
    const source = from();
    const { cursor } = await pages(source);
    await sql('insert into source values (1, 1)');
    expect(await pull(source, cursor)).toMatchObject({ rows: [{ id: 1 }], more: false });
  });

  it('reads nothing of the table that is older than a change', async () => {
    await prepare('id int primary key, n int, long text');
    await sql('alter table source alter long set storage external');
    const source = from();
    const { cursor } = await pages(source);
    const writer = await stage.another();
    await writer.query('set synchronous_commit = on; begin');
    const { rows: found } = await writer.query('select pg_backend_pid() as pid');
    await writer.query(`insert into source select 1, 0, ${LONG}`);
    await writer.query('update source set n = 1');
    const committing = writer.query('commit');
    await eventually(async () =>
      expect(
        await sql(`select 1 as waits from pg_stat_activity where wait_event = 'SyncRep'`),
      ).toEqual([{ waits: 1 }]),
    );
    // It is in the log, and nobody sees it.
    const pulling = pull(source, cursor);
    await eventually(async () => expect(await statements('%txid_visible%')).not.toEqual([]));
    await sql(`select pg_cancel_backend(${found[0].pid})`);
    await committing;
    await writer.end();
    const { rows } = await pulling;
    expect(rows).toMatchObject([{ n: 0 }, { n: 1, long: rows[0]?.['long'] }]);
  });

  it('takes values of domains as those below', async () => {
    await sql('create domain whole as int not null; create domain doc as jsonb');
    await prepare('id whole primary key, n int, doc doc, long text');
    await sql('alter table source alter long set storage external');
    const { sync } = await start();
    await sync();
    await sql(`insert into source select 1, 0, '{"a": 1}', ${LONG}`);
    await sync();
    await sql('update source set n = 7');
    await sync();
    expect(await sum('target')).toEqual(await sum('source'));
    expect(await sql('select n, doc from target')).toEqual([{ n: 7, doc: { a: 1 } }]);
  });

  it('knows the columns of a key, and their types', async () => {
    await sql(
      `create table source (id char(3), n int, m int, long text, primary key (id) include (n))`,
    );
    await sql('alter table source alter long set storage external');
    await sql('create publication copy for table source');
    const { cursor } = await pages(from());
    await sql(`insert into source select 'a' || n, null, 0, ${LONG} from generate_series(1, 5) n`);
    await sql(`update source set m = 7 where id = 'a1'`);
    const { rows } = await pages(from(), cursor);
    expect(rows).toHaveLength(6);
    expect(rows[5]).toEqual({ ...rows[0], m: 7 });
    const copied: unknown[] = [];
    let at: unknown = null;
    for (let n = 0; n < 3; n++) {
      const page = await pull(from(), at, 2, true);
      copied.push(...page.rows.map(({ id }) => id));
      at = page.cursor;
    }
    expect(copied).toEqual(['a1 ', 'a2 ', 'a3 ', 'a4 ', 'a5 ']);
  });

  it('copies what it follows: not what inherits from the table', async () => {
    await prepare();
    await sql('create table other () inherits (source)');
    const { cursor } = await pages(from());
    await sql('insert into source values (1, 1); insert into other values (2, 2)');
    const own = [{ id: 1, n: 1, _deleted: false }];
    expect((await pages(from(), cursor)).rows).toEqual(own);
    expect((await pull(from(), null, 10, true)).rows).toEqual(own);
  });

  it('goes on from no place of another server or table, nor from within a transaction that is not there', async () => {
    await prepare();
    const { cursor } = await pages(from());
    await sql('insert into source values (1, 1)');
    const before = await confirmed();
    await expect(pull(from(), { lsn: 'FF/0' })).rejects.toThrow(/written up to .* backfill it/);
    const inside = { lsn: before, in: { commit: '0/1', done: 1 } };
    await expect(pull(from(), inside)).rejects.toThrow('was read in part');
    await sql('create table other (id int primary key)');
    await sql('begin; alter table source rename to old; alter table other rename to source');
    await sql('alter publication copy set table source; commit');
    await expect(pull(from(), cursor)).rejects.toThrow("'source' is another table");
    await sql('drop table old');
    expect(await confirmed()).toEqual(before);
  });

  it('says that rows are hidden from it, or a column by its mark', async () => {
    await prepare('id int primary key, _deleted boolean');
    await expect(pull(from(), null)).rejects.toThrow("give another name as 'deleted'");
    await sql('alter table source enable row level security; create role reader login replication');
    await sql('grant select on source to reader');
    const url = new URL(stage.url);
    url.username = 'reader';
    const hidden = from({ url: url.href, deleted: 'gone' });
    await pages(hidden);
    await expect(pull(hidden, null, 10, true)).rejects.toThrow('row-level security');
    await sql('drop owned by reader; drop role reader');
  });

  it('reads the log whatever bytes are printed as', async () => {
    await prepare('id int primary key, raw bytea');
    await sql(`alter role current_user set bytea_output = 'escape'`);
    const { cursor } = await pages(from());
    await sql(`insert into source values (1, '\\x00ff')`);
    const { rows } = await pages(from(), cursor);
    await sql('alter role current_user reset bytea_output');
    expect(rows).toEqual([{ id: 1, raw: '\\x00ff', _deleted: false }]);
  });

  it('changes the keys of hundreds of rows in the database of the store', async () => {
    await prepare();
    const store = await stage.server.createDatabase();
    const target = new Client(store);
    await target.connect();
    await target.query('create table target (id int primary key, n int)');
    const { sync } = await start('id', store);
    await sync();
    await sql('insert into source select n, n from generate_series(1, 600) n');
    await sync();
    await sql('update source set id = -id');
    expect(await sync()).toMatchObject({ state: 'idle', last: { rows: 1_200 } });
    const { rows } = await target.query('select min(id), max(id), count(*)::int from target');
    await target.end();
    expect(rows).toEqual([{ min: -600, max: -1, count: 600 }]);
  });

  it('refuses a deletion that does not say which row of the target is no more', async () => {
    await sql('create table source (id int primary key, email text unique)');
    await sql('create table target (id int, email text primary key)');
    await sql('create publication copy for table source');
    const { sync, bad } = await start('email');
    await sync();
    await sql(`insert into source values (1, 'a'), (2, 'b')`);
    await sync();
    await sql('delete from source where id = 1');
    expect(await sync()).toMatchObject({ state: 'idle', bad: 1 });
    expect(await bad()).toMatchObject([
      { row: { id: 1, _deleted: true }, error: expect.stringContaining("must have 'email'") },
    ]);
  });

  it('lets a reader go that no page asks for, and with it what the server has decoded', async () => {
    await prepare();
    const source = from();
    const { cursor } = await pages(source);
    await sql('insert into source select n, n from generate_series(1, 3000) n');
    const reading = () => statements('fetch %');
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const page = await pull(source, cursor);
    const idle = timers.mock.calls.find(([, ms]) => ms === 30_000)?.[0];
    timers.mockRestore();
    expect([page.more, (await reading()).length]).toEqual([true, 1]);
    idle?.();
    await eventually(async () => expect(await reading()).toEqual([]));

    const next = await pull(source, page.cursor);
    expect((await reading()).length).toBe(1);
    expect(next.rows[0]).toMatchObject({ id: Number(page.rows.at(-1)?.['id']) + 1 });
    await source.close?.();
    await eventually(async () => expect(await statements('%')).toEqual([]));
  });

  it('waits for who reads the slot, and says that it is lost', async () => {
    await prepare();
    const { cursor } = await pages(from());
    const reader = new Client({ connectionString: stage.url, replication: 'database' } as object);
    reader.on('error', () => undefined);
    await reader.connect();
    const reading = reader
      .query(
        `START_REPLICATION SLOT copy LOGICAL 0/0 (proto_version '1', publication_names 'copy')`,
      )
      .catch(() => undefined);
    await eventually(async () =>
      expect(await sql('select active from pg_replication_slots')).toEqual([{ active: true }]),
    );
    const waits = new AbortController();
    const pulling = pull(from(), cursor, 100, false, waits);
    await eventually(async () =>
      expect(await statements('%pg_replication_slots%')).not.toEqual([]),
    );
    waits.abort();
    await expect(pulling).rejects.toThrow('aborted');
    await Promise.all([reader.end(), reading]);
    expect(await pull(from(), cursor)).toMatchObject({ more: false });

    await sql(`alter system set max_slot_wal_keep_size = '1MB'`);
    await sql('select pg_reload_conf()');
    await eventually(async () => {
      await sql('create table if not exists other (n int); insert into other values (1)');
      await sql('select pg_switch_wal()');
      await sql('checkpoint');
      expect(await sql('select wal_status from pg_replication_slots')).toEqual([
        { wal_status: 'lost' },
      ]);
    });
    await expect(pull(from(), cursor)).rejects.toThrow("slot 'copy' is lost");
    await sql('alter system reset max_slot_wal_keep_size');
    await sql('select pg_reload_conf()');
  });
});
