import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStage } from '../../../api/test/stage.js';
import { serverSuite } from '../../../../test/support/available.js';
import { startPostgres, type PostgresServer } from '../../../../test/support/postgres.server.js';
import { doctorForFile, later } from '../../test/doctor.js';
import { examine } from './check.js';
import { POSTGRES, postgresFacts } from './postgres.js';

const { ids, ofStore } = doctorForFile();

serverSuite('postgres', 'PostgreSQL', () => {
  let server: PostgresServer;
  let url: string;
  let client: Client;
  const env = () => ({ CALLSHEET_URL: url, WEBHOOK_SECRET: 'x' });
  const sql = (text: string) => client.query(text);

  beforeAll(async () => {
    server = await startPostgres({ args: ['-c', 'fsync=on'] });
    url = await server.createDatabase();
    const stage = await openStage({ url, providers: [] });
    const payload = { type: 'shelf.keep', data: {} };
    await stage.inject({ method: 'POST', url: '/v1/messages', payload });
    await stage.close();
    client = new Client({ connectionString: url });
    await client.connect();
  }, 60_000);
  afterAll(async () => {
    await client.end();
    await server.stop();
  });

  it('may be without mistakes, also before anybody was there', async () => {
    expect(await ofStore(env())).toEqual([]);
    const empty = await server.createDatabase();
    expect(await ofStore({ ...env(), CALLSHEET_URL: empty })).toEqual([]);
  });

  it.each<[id: string, plant: string, mend: string]>([
    [
      'postgres-commits-late',
      'ALTER DATABASE callsheet_1 SET synchronous_commit = off',
      'ALTER DATABASE callsheet_1 RESET synchronous_commit',
    ],
    [
      'postgres-migrations-missing',
      'UPDATE callsheet.migration SET version = -version WHERE version = (SELECT max(version) FROM callsheet.migration)',
      'UPDATE callsheet.migration SET version = -version WHERE version < 0',
    ],
    [
      'postgres-schema-newer',
      'INSERT INTO callsheet.migration (version) VALUES (999)',
      'DELETE FROM callsheet.migration WHERE version = 999',
    ],
    [
      'postgres-keys-last',
      `INSERT INTO callsheet.sent SELECT 'x' || n, '', now() - interval '2 hours' FROM generate_series(1, 1001) AS n`,
      'DELETE FROM callsheet.sent',
    ],
    [
      'encryption-key-missing',
      `UPDATE bullmq.job SET data = '{"$encrypted":{"kid":"k9"}}' WHERE queue = 'shelf'`,
      `UPDATE bullmq.job SET data = '{}' WHERE queue = 'shelf'`,
    ],
  ])('has %s', async (id, plant, mend) => {
    expect(await ids(env())).not.toContain(id);
    await sql(plant);
    expect(await ids(env())).toContain(id);
    await sql(mend);
  });

  it('has another clock', async () => {
    expect(await ids(env(), later(2_000))).toContain('clock-drifts');
    expect(await ids(env(), later(60_000))).toContain('clock-apart');
  });

  it('has few connections, none left, no fsync', async () => {
    const few = await startPostgres({ args: ['-c', 'max_connections=20'] });
    const own = { ...env(), CALLSHEET_URL: few.url };
    expect(await ids(own)).toEqual(
      expect.arrayContaining(['postgres-connections-few', 'postgres-never-syncs']),
    );
    // Of the 20 three are for superusers, as this one is.
    const clients = Array.from({ length: 17 }, () => new Client({ connectionString: few.url }));
    await Promise.all(clients.map((each) => each.connect()));
    expect(await ids(own)).toContain('postgres-connections-out');
    await Promise.all(clients.map((each) => each.end()));
    await few.stop();
  }, 60_000);

  it('may have in use what Callsheet itself has opened, and counts two more for each actor', async () => {
    const facts = await postgresFacts(url, Date.now);
    expect(facts.actors).toBeGreaterThan(0);
    const having = (connections: object, actors = 0) =>
      examine(POSTGRES, {
        ...{ ...facts, actors },
        connections: { ...facts.connections, ...connections },
      }).map(({ id }) => id);
    expect(having({ most: 40, used: 39, others: 0 })).toEqual([]);
    expect(having({ most: 40, used: 39, others: 9 })).toEqual(['postgres-connections-few']);
    expect(having({ most: 40, used: 0, others: 0 }, 5)).toEqual(['postgres-connections-few']);
  });

  it('is a replica', async () => {
    const replica = await startPostgres();
    const own = { ...env(), CALLSHEET_URL: replica.url };
    expect(await ids(own)).not.toContain('postgres-replica');
    const primary = new Client({ connectionString: replica.url });
    await primary.connect();
    const { rows } = await primary.query<{ data_directory: string }>('SHOW data_directory');
    await primary.end();
    writeFileSync(path.join(rows[0]!.data_directory, 'standby.signal'), '');
    await replica.restart();
    expect(await ids(own)).toContain('postgres-replica');
    await replica.stop();
  }, 60_000);

  it('is too old', async () => {
    const facts = await postgresFacts(url, Date.now);
    expect(examine(POSTGRES, facts)).toEqual([]);
    expect(examine(POSTGRES, { ...facts, version: 120_010 })).toMatchObject([
      { id: 'postgres-old' },
    ]);
  });
});
