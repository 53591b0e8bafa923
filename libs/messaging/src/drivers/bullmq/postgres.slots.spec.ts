import type { Queue } from 'bullmq';
import { Client, type Pool } from 'pg';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Context } from '../../../../../test/contract/context.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { atEnd } from '../../../../../test/support/cleanup.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startPostgres } from '../../../../../test/support/postgres.server.js';
import type { Engine } from '../../engine.js';
import { StoreError } from '../../messaging.errors.js';

serverSuite('postgres', 'locks of keys on a PostgreSQL with default settings', () => {
  let url: string;
  let context: Context;
  let engine: Engine;
  let rival: Client;

  beforeAll(async () => {
    const server = await startPostgres({ args: ['-c', 'max_connections=100'] });
    atEnd(() => server.stop());
    url = await server.createDatabase();
    rival = new Client({ connectionString: url });
    await rival.connect();
    atEnd(() => rival.end());
  }, 60_000);
  beforeEach(async () => {
    context = new Context({ name: 'PostgreSQL', url: async () => url, lacks: {} }, url);
    engine = await context.engine();
  });
  afterEach(() => context.close());

  it('twenty batches at once may each have a thousand keys of their own', async () => {
    const pool = (engine.queue!(context.actor) as Queue).opts.connection as unknown as Pool;
    const { rows } = await pool.query('SHOW max_locks_per_transaction');
    expect(rows).toEqual([{ max_locks_per_transaction: '64' }]);
    const batch = (n: number) =>
      Array.from({ length: 1_000 }, (_, i) => context.envelope({ key: `${n} ${i}` }));
    await Promise.all(Array.from({ length: 20 }, (_, n) => engine.send(batch(n))));
    expect(await engine.counts(context.actor)).toMatchObject({ waiting: 20_000 });
    expect(await engine.keys(context.actor, { by: 'depth', limit: 1 })).toMatchObject([
      { depth: 1 },
    ]);
  }, 60_000);

  it('senders who wait for a key hold up no worker, and are answered', async () => {
    await rival.query('BEGIN');
    await rival.query('SELECT callsheet.lock_key($1, $2)', [context.actor, 'held']);
    const sends = Array.from({ length: 40 }, () =>
      engine.send([context.envelope({ key: 'held' })]).catch((error: unknown) => error),
    );
    const other = context.envelope({ actor: context.other });
    await context.consume(engine, undefined, { actor: context.other });
    // With the workers' own connections: all that senders have wait.
    await (engine.queue!(context.other) as Queue).add('plain.do', {});
    await eventually(async () => (await engine.counts(context.other)).done === 1);
    const refusal = await sends[0];
    expect(refusal).toBeInstanceOf(StoreError);
    expect((refusal as Error).message).toMatch(/lock timeout/);
    await rival.query('ROLLBACK');
    await Promise.all(sends);
    await engine.send([other]);
    await eventually(async () => (await engine.counts(context.other)).done === 2);
  }, 60_000);

  it('retention waits for no key whose messages have long left it', async () => {
    const small = await context.engine({ keepDone: { count: 1, age: '1h' } });
    await context.consume(small);
    await small.send(Array.from({ length: 5 }, () => context.envelope({ key: 'held' })));
    await eventually(async () => (await small.counts(context.actor)).done >= 1);
    await rival.query('BEGIN');
    await rival.query('SELECT callsheet.lock_key($1, $2)', [context.actor, 'held']);
    await eventually(
      async () => expect(await small.counts(context.actor)).toMatchObject({ done: 1 }),
      { timeout: 15_000 },
    );
    await rival.query('ROLLBACK');
  }, 30_000);

  it('a key that is held holds up itself, and no other but one by chance', async () => {
    await rival.query('BEGIN');
    await rival.query('SELECT callsheet.lock_key($1, $2)', [context.actor, 'held']);
    const { rows } = await rival.query(
      `SELECT n::text AS key FROM generate_series(1, 1010) n
        WHERE callsheet.slot_of($1, n::text) <> callsheet.slot_of($1, 'held') LIMIT 1000`,
      [context.actor],
    );
    const keys = (rows as { key: string }[]).map(({ key }) => key);
    expect(keys).toHaveLength(1_000);
    await engine.send(keys.map((key) => context.envelope({ key })));
    let isSent = false;
    const held = engine.send([context.envelope({ key: 'held' })]).then(() => (isSent = true));
    await engine.send(keys.map((key) => context.envelope({ key })));
    expect(isSent).toBe(false);
    await rival.query('COMMIT');
    await held;
    expect(await engine.counts(context.actor)).toMatchObject({ waiting: 2_001 });
  }, 60_000);
});
