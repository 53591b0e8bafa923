import { PGlite } from '@electric-sql/pglite';
import { dataDir } from '@electric-sql/pglite-prepopulatedfs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../../test/support/eventually.js';
import { PglitePool } from './pglite.pool.js';

let database: PGlite;
let pool: PglitePool;

beforeAll(async () => {
  database = await PGlite.create({ loadDataDir: await dataDir() });
  await database.exec('CREATE TABLE t (n int)');
}, 60_000);
afterAll(() => database.close());
beforeEach(async () => {
  await database.exec('TRUNCATE t');
  pool = new PglitePool(database);
});

async function rows(): Promise<unknown[]> {
  return (await pool.query('SELECT n FROM t ORDER BY n')).rows.map(({ n }) => n);
}

/** Whether a promise has settled after everything that could run has run. */
function settles(promise: Promise<unknown>): () => boolean {
  let settled = false;
  const note = () => (settled = true);
  promise.then(note, note);
  return () => settled;
}

describe('a pool that is asked one thing after the other', () => {
  it('leaves time for everything else in the process', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    for (let n = 0; n < 100; n++) await pool.query('SELECT 1');
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
  });
});

describe('results', () => {
  it('are those of pg: 64-bit integers are text, the rest as usual', async () => {
    const { rows: found } = await pool.query(
      `SELECT 9007199254740993::int8 AS big, 5::int4 AS small, 'x' AS text, '{"a":1}'::jsonb AS json, true AS yes, NULL AS no`,
    );
    expect(found).toEqual([
      { big: '9007199254740993', small: 5, text: 'x', json: { a: 1 }, yes: true, no: null },
    ]);
    expect((await pool.query('SELECT $1::int8 AS big', ['5'])).rows).toEqual([{ big: '5' }]);
    expect((await pool.query('SELECT count(*) AS count FROM t')).rows).toEqual([{ count: '0' }]);
  });

  it('of several statements are those of the last, of none are empty', async () => {
    expect((await pool.query('SELECT 1 AS a; SELECT 2 AS b')).rows).toEqual([{ b: 2 }]);
    expect((await pool.query('')).rows).toEqual([]);
  });

  it('take undefined for null', async () => {
    expect((await pool.query('SELECT $1::text AS x', [undefined])).rows).toEqual([{ x: null }]);
  });

  it('are errors with the SQLSTATE', async () => {
    await expect(pool.query('SELECT * FROM nowhere')).rejects.toMatchObject({ code: '42P01' });
    await expect(pool.query('SELECT $1::int', ['x'])).rejects.toMatchObject({ code: '22P02' });
  });
});

describe('a transaction', () => {
  it('has the session alone until it commits', async () => {
    const one = await pool.connect();
    const two = await pool.connect();
    await one.query('BEGIN');
    await one.query('INSERT INTO t VALUES (1)');
    const others = [
      two.query('INSERT INTO t VALUES (2)'),
      pool.query('INSERT INTO t VALUES (3)'),
      two.query('BEGIN'),
    ];
    const settled = others.map(settles);
    // Several round trips of the owner: time enough for the others to slip in.
    for (let n = 0; n < 5; n += 1) await one.query('SELECT $1::int', [n]);
    expect((await one.query('SELECT n FROM t')).rows).toEqual([{ n: 1 }]);
    expect(settled.map((check) => check())).toEqual([false, false, false]);
    await one.query('COMMIT');
    await Promise.all(others);
    await two.query('ROLLBACK');
    expect(await rows()).toEqual([1, 2, 3]);
  });

  it('has no part of what others asked for before it began', async () => {
    const client = await pool.connect();
    // Pauses are over in the order in which they began: the second statement is on its way when the transaction begins.
    const first = pool.query('SELECT 1');
    const begun = new Promise((resolve) => setImmediate(() => resolve(client.query('BEGIN'))));
    const alone = pool.query('INSERT INTO t VALUES (1)');
    await Promise.all([first, begun, alone]);
    await client.query('INSERT INTO t VALUES (2)');
    await client.query('ROLLBACK');
    expect(await rows()).toEqual([1]);
  });

  it('that two clients begin at once comes one after the other', async () => {
    const work = async (n: number) => {
      const client = await pool.connect();
      await client.query('  begin isolation level serializable');
      const { rows: found } = await client.query('SELECT count(*) AS count FROM t');
      await client.query('INSERT INTO t VALUES ($1)', [n]);
      await client.query('COMMIT');
      client.release();
      return Number(found[0]?.['count']);
    };
    const counts = await Promise.all([1, 2, 3, 4, 5].map(work));
    expect(counts.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
  });

  it('that fails is rolled back, and the next client can work', async () => {
    const one = await pool.connect();
    await one.query('BEGIN');
    await one.query('INSERT INTO t VALUES (1)');
    await expect(one.query('SELECT 1/0')).rejects.toThrow('division by zero');
    await expect(one.query('SELECT 1')).rejects.toMatchObject({ code: '25P02' });
    const waiting = pool.query('INSERT INTO t VALUES (2)');
    await one.query('ROLLBACK');
    await waiting;
    expect(await rows()).toEqual([2]);
  });

  it('whose commit fails gives the session back too', async () => {
    await database.exec(
      'CREATE TABLE IF NOT EXISTS d (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)',
    );
    const one = await pool.connect();
    await one.query('BEGIN');
    await one.query('INSERT INTO d VALUES (1), (1)');
    await expect(one.query('COMMIT')).rejects.toMatchObject({ code: '23505' });
    expect((await pool.query('SELECT n FROM d')).rows).toEqual([]);
  });

  it.each(['release', 'end'] as const)(
    'in the middle of which its client goes away (%s) leaves nothing behind',
    async (how) => {
      const one = await pool.connect();
      await one.query('BEGIN');
      await one.query('INSERT INTO t VALUES (1)');
      const waiting = pool.query('INSERT INTO t VALUES (2)');
      await one[how]();
      await waiting;
      // Were the transaction still open, this would undo what the other stored.
      const two = await pool.connect();
      await two.query('ROLLBACK');
      expect(await rows()).toEqual([2]);
    },
  );

  it('is not ended by a client that does not own it', async () => {
    const one = await pool.connect();
    const two = await pool.connect();
    await one.query('BEGIN');
    await one.query('INSERT INTO t VALUES (1)');
    two.release();
    one.release();
    one.release();
    expect(await rows()).toEqual([]);
  });
});

describe('LISTEN', () => {
  const channels = async (): Promise<unknown[]> =>
    (await pool.query('SELECT pg_listening_channels() AS name')).rows.map(({ name }) => name);

  it('reaches the clients that listen, on their channels, until they are released', async () => {
    const [first, second, deaf] = [
      await pool.connect(),
      await pool.connect(),
      await pool.connect(),
    ];
    const heard: string[] = [];
    for (const [name, client] of Object.entries({ first, second, deaf })) {
      client.on('notification', ({ channel, payload }: { channel: string; payload: string }) =>
        heard.push(`${name} ${channel} ${payload}`),
      );
    }
    await first.query('-- as BullMQ writes it\n  LISTEN "jobs"');
    await second.query('listen events');
    await pool.query(`SELECT pg_notify('jobs', 'a')`);
    await deaf.query(`SELECT pg_notify('events', $1)`, ['b']);
    await pool.query(`SELECT pg_notify('nobody', 'c')`);
    await eventually(() => heard.length === 2);
    expect(heard).toEqual(['first jobs a', 'second events b']);

    first.release();
    await second.query('LISTEN jobs');
    await pool.query(`SELECT pg_notify('jobs', 'd')`);
    await eventually(() => heard.length === 3);
    expect(heard[2]).toBe('second jobs d');
    second.release();
    await eventually(async () => (await channels()).length === 0);
  });

  it('and what ends it are no part of a transaction of another client, nor undone with it', async () => {
    const [owner, first, second] = [
      await pool.connect(),
      await pool.connect(),
      await pool.connect(),
    ];
    await first.query('LISTEN old');
    await owner.query('BEGIN');
    first.release();
    const listening = second.query('LISTEN new');
    const settled = settles(listening);
    for (let n = 0; n < 5; n += 1) await owner.query('SELECT $1::int', [n]);
    expect.soft(settled()).toBe(false);
    await owner.query('ROLLBACK');
    await listening;
    expect(await channels()).toEqual(['new']);
    second.release();
    await eventually(async () => (await channels()).length === 0);
  });

  it('of the owner of a transaction is a part of it', async () => {
    const owner = await pool.connect();
    const heard: string[] = [];
    owner.on('notification', ({ payload }: { payload: string }) => heard.push(payload));
    await owner.query('BEGIN');
    await owner.query('LISTEN own');
    await owner.query('COMMIT');
    await pool.query(`SELECT pg_notify('own', 'x')`);
    await eventually(() => heard.length === 1);
    expect(heard).toEqual(['x']);
    owner.release();
  });

  it('hears what is committed', async () => {
    const [owner, listener] = [await pool.connect(), await pool.connect()];
    const heard: string[] = [];
    listener.on('notification', ({ payload }: { payload: string }) => heard.push(payload));
    await listener.query('LISTEN deals');
    await owner.query('BEGIN');
    await owner.query(`SELECT pg_notify('deals', 'undone')`);
    await owner.query('ROLLBACK');
    await owner.query('BEGIN');
    await owner.query(`SELECT pg_notify('deals', 'done')`);
    await owner.query('COMMIT');
    await eventually(() => heard.length > 0);
    expect(heard).toEqual(['done']);
    listener.release();
  });
});
