import { Client } from 'pg';
import { expect, it } from 'vitest';
import { serverSuite } from './available.js';
import { startPostgres } from './postgres.server.js';

serverSuite('postgres', 'startPostgres', () => {
  it('gives databases of their own, and keeps committed rows over kill -9', async () => {
    const server = await startPostgres();
    const [one, two] = [await server.createDatabase(), await server.createDatabase()];
    expect(one).not.toBe(two);

    const open = await connect(one);
    await open.query('create table t (n int)');
    await open.query('insert into t values (42)');
    await server.kill();
    await expect(connect(one)).rejects.toThrow('ECONNREFUSED');

    await server.restart();
    expect(await rows(one, 'select n from t')).toEqual([{ n: 42 }]);
    expect(await rows(two, "select to_regclass('t') as t")).toEqual([{ t: null }]);

    await server.restart();
    expect(await rows(one, 'select n from t')).toEqual([{ n: 42 }]);
    await server.stop();
    await expect(connect(one)).rejects.toThrow('ECONNREFUSED');
  }, 60_000);
});

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  client.on('error', () => undefined); // the server is killed under this connection on purpose
  await client.connect();
  return client;
}

async function rows(url: string, sql: string): Promise<unknown[]> {
  const client = await connect(url);
  const result = await client.query<Record<string, unknown>>(sql);
  await client.end();
  return result.rows;
}
