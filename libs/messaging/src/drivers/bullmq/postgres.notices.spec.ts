import { Client } from 'pg';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { serverSuite } from '../../../../../test/support/available.js';
import { atEnd } from '../../../../../test/support/cleanup.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startPostgres, type PostgresServer } from '../../../../../test/support/postgres.server.js';
import { StoreError } from '../../messaging.errors.js';
import { resolveOptions } from '../../messaging.options.js';
import { PostgresStore } from './postgres.store.js';

serverSuite('postgres', 'PostgreSQL', () => {
  let server: PostgresServer;
  let url: string;
  const stores: PostgresStore[] = [];

  beforeAll(async () => {
    server = await startPostgres();
    atEnd(() => server.stop());
    url = await server.createDatabase();
  }, 60_000);
  afterEach(() => Promise.all(stores.splice(0).map((each) => each.close())));

  async function opened(): Promise<PostgresStore> {
    const store = new PostgresStore(resolveOptions({ url }));
    stores.push(store);
    await store.open();
    return store;
  }

  async function sql(text: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }

  /** Connections whose last statement was one of ours on them. */
  const listeners = async () =>
    (
      await sql(
        `SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()
            AND (query LIKE 'LISTEN callsheet_%' OR query LIKE '%callsheetCancelled%')`,
      )
    ).length;

  it('all who listen in a process share one connection, which ends with the store', async () => {
    const store = await opened();
    const ids: string[] = [];
    await Promise.all([
      store.listen('one', (id) => ids.push(`one ${id}`)),
      store.listen('two', (id) => ids.push(`two ${id}`)),
      store.onCancel((id) => ids.push(`cancelled ${id}`)),
      store.onSignal('one', (text) => ids.push(`told ${text}`)),
    ]);
    expect(await listeners()).toBe(1);
    await sql(`SELECT pg_notify('callsheet_ended', 'onetwo x'), pg_notify('callsheet_ended', 'two my id'),
                      pg_notify('callsheet_cancelled', 'z')`);
    await store.signal([{ name: 'one', text: '2' }]);
    await eventually(() => ids.length === 3);
    expect(ids).toEqual(['two my id', 'cancelled z', 'told 2']);
    const start = performance.now();
    await store.close();
    expect(performance.now() - start).toBeLessThan(1_000);
    await eventually(async () => (await listeners()) === 0);
  });

  it('the connection comes back after an outage, and what was cancelled meanwhile is told', async () => {
    const store = await opened();
    const ids: string[] = [];
    const cancelled: string[] = [];
    await store.listen('one', (id) => ids.push(id));
    await store.onCancel((id) => cancelled.push(id));
    await sql(
      `INSERT INTO bullmq.job (queue, id, seq, name, state, added_at_ms, opts)
       VALUES ('a', 'marked', 1, 'x', 'active', 0, '{"callsheetCancelled":1}'),
              ('a', 'going on', 2, 'x', 'active', 0, '{}'),
              ('a', 'ended', 3, 'x', 'completed', 0, '{"callsheetCancelled":1}')`,
    );
    for (let outage = 1; outage <= 2; outage++) {
      await server.restart();
      await eventually(() => cancelled.length === outage);
      await sql(`SELECT pg_notify('callsheet_ended', 'one again')`);
      await eventually(() => ids.length === outage);
    }
    expect(cancelled).toEqual(['marked', 'marked']);
    expect(ids).toEqual(['again', 'again']);
    expect(await listeners()).toBe(1);
  }, 30_000);

  it('whoever begins to listen during an outage is told so, and can try again', async () => {
    const store = await opened();
    await server.kill();
    await expect(store.listen('one', () => undefined)).rejects.toThrow(StoreError);
    await server.restart();
    const ids: string[] = [];
    await store.listen('one', (id) => ids.push(id));
    await sql(`SELECT pg_notify('callsheet_ended', 'one x')`);
    await eventually(() => ids.length === 1);
  }, 30_000);

  it('a store closes during an outage, and stays closed', async () => {
    const store = await opened();
    await store.onCancel(() => undefined);
    await server.kill();
    const start = performance.now();
    await store.close();
    expect(performance.now() - start).toBeLessThan(5_000);
    await server.restart();
    await expect(store.listen('one', () => undefined)).rejects.toThrow(StoreError);
    expect(await listeners()).toBe(0);
  }, 30_000);
});
