import { Client, type Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { serverSuite } from '../../../../../test/support/available.js';
import { atEnd } from '../../../../../test/support/cleanup.js';
import { freePort } from '../../../../../test/support/ports.js';
import { startPostgres, type PostgresServer } from '../../../../../test/support/postgres.server.js';
import { StoreError } from '../../messaging.errors.js';
import { resolveOptions } from '../../messaging.options.js';
import { PostgresStore } from './postgres.store.js';

function store(url: string): PostgresStore {
  const made = new PostgresStore(resolveOptions({ url }));
  atEnd(() => made.close().catch(() => undefined));
  return made;
}

async function refusal(url: string): Promise<StoreError> {
  const error: unknown = await store(url)
    .open()
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreError);
  return error as StoreError;
}

/** Everything that a log of the error would show of it. */
function shown(error: Error): string {
  const cause = error.cause instanceof Error ? shown(error.cause) : String(error.cause);
  return `${error.stack}\n${JSON.stringify(error)}\n${cause}`;
}

describe('a PostgreSQL that cannot be used', () => {
  it('is named when nothing listens there, without its password', async () => {
    const port = await freePort();
    const error = await refusal(`postgres://ada:s3cret@127.0.0.1:${port}/db?password=s3cret`);
    expect(error.message).toBe(
      `cannot use PostgreSQL at postgres://127.0.0.1:${port}/db: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
    expect(shown(error)).not.toContain('s3cret');
  });

  it('is named when its name is not known', async () => {
    const error = await refusal('postgresql://ada:s3cret@no-such-host.invalid/db');
    expect(error.message).toMatch(
      /^cannot use PostgreSQL at postgresql:\/\/no-such-host\.invalid\/db: .*no-such-host/,
    );
    expect(shown(error)).not.toContain('s3cret');
  });
});

serverSuite('postgres', 'PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());

  const at = (login: string, database: string) =>
    `postgres://${login}@127.0.0.1:${server.port}/${database}`;

  it('opens, says what it is, opens again, and closes', async () => {
    const url = await server.createDatabase();
    for (let time = 0; time < 2; time += 1) {
      const postgres = store(url);
      await postgres.open();
      expect(postgres.info).toEqual({
        name: expect.stringMatching(/^PostgreSQL \d+\.\d+$/) as string,
        // Test servers run without fsync.
        durability: 'process-safe',
        shared: true,
        sql: true,
      });
      await postgres.ping();
      await postgres.close();
      await expect(postgres.ping()).rejects.toThrow('Cannot use a pool after calling end');
    }
  });

  it('opens for many at the same time on a new database', async () => {
    const url = await server.createDatabase();
    const stores = Array.from({ length: 4 }, () => store(url));
    await Promise.all(stores.map((each) => each.open()));
    for (const each of stores) await expect(each.ping()).resolves.toBeUndefined();
    await Promise.all(stores.map((each) => each.close()));
  });

  it('outlives a session that the server ends while it is in use', async () => {
    const database = await server.createDatabase();
    const opened = store(database);
    await opened.open();
    const pool = opened.queueConnection as Pool;
    const session = await pool.connect();
    // Its query would hear of it; in a transaction between two queries nobody else does.
    await session.query('BEGIN');
    const { rows } = await session.query('SELECT pg_backend_pid() AS pid');
    // `once` of node:events would listen to errors too.
    const ended = new Promise<void>((resolve) => session.on('end', () => resolve()));
    await opened.ping();
    const killer = new Client({ connectionString: database });
    await killer.connect();
    await killer.query('SELECT pg_terminate_backend($1)', [(rows[0] as { pid: number }).pid]);
    await killer.end();
    await ended;
    session.release(true);
    await expect(opened.ping()).resolves.toBeUndefined();
    await opened.close();
  });

  it('is refused when its clock is far from that of this process', async () => {
    const { now } = Date;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 7_000);
    try {
      const error = await refusal(await server.createDatabase());
      expect(error.message).toMatch(/clock of this process is \d+ ms ahead of that of PostgreSQL/);
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('is refused with the name of a database that does not exist', async () => {
    const error = await refusal(at('callsheet:s3cret', 'no_such_db'));
    expect(error.message).toBe(
      `cannot use PostgreSQL at postgres://127.0.0.1:${server.port}/no_such_db: database "no_such_db" does not exist`,
    );
    expect(shown(error)).not.toContain('s3cret');
  });

  it('is refused with a role that does not exist', async () => {
    const error = await refusal(at('nobody:s3cret', 'postgres'));
    expect(error.message).toMatch(/role "nobody" does not exist$/);
    expect(shown(error)).not.toContain('s3cret');
  });

  it('is refused with a role that may not create tables', async () => {
    const database = await server.createDatabase();
    const admin = new Client({ connectionString: database });
    await admin.connect();
    await admin.query('CREATE ROLE reader LOGIN');
    await admin.end();
    const error = await refusal(at('reader', new URL(database).pathname.slice(1)));
    expect(error.message).toMatch(/^cannot use PostgreSQL at .*permission denied/);
  });
});
