import type { Queue } from 'bullmq';
import { Client, type Pool } from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Context, done, doneWith, type Consumed } from '../../../../../test/contract/context.js';
import { gate } from '../../../../../test/contract/gate.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { atEnd } from '../../../../../test/support/cleanup.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startPostgres } from '../../../../../test/support/postgres.server.js';
import type { Delivery, Engine, Outcome } from '../../engine.js';
import { StoreError } from '../../messaging.errors.js';

type Turn = (delivery: Delivery) => Outcome | Promise<Outcome>;

const SLOW = { timeout: 50_000 };

/** Long enough for a machine that has no time for seconds. */
const LOCKS = { lockDuration: '10s' } as const;

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
    engine = await context.engine(LOCKS);
  });
  afterEach(() => context.close());

  it('twenty batches at once may each have a thousand keys of their own', async () => {
    const pool = (engine.queue!(context.actor) as Queue).opts.connection as unknown as Pool;
    const { rows } = await pool.query('SHOW max_locks_per_transaction');
    expect(rows).toEqual([{ max_locks_per_transaction: '64' }]);
    const batch = (n: number) =>
      Array.from({ length: 1_000 }, (_, i) => context.envelope({ key: `${n} ${i}` }));
    // Senders wait four seconds for each other, which a busy machine may need more of: then nothing of the batch is stored.
    const send = async (n: number): Promise<void> => {
      const envelopes = batch(n);
      await eventually(async () => {
        const refusal = await engine.send(envelopes).catch((error: Error) => error.message);
        expect(refusal ?? '').toMatch(/^$|lock timeout/);
        return refusal === undefined;
      }, SLOW);
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => send(n)));
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

  describe('turns that wait for a key that a transaction of the user has', () => {
    const held = () => context.envelope({ actor: context.other, key: 'held' });

    /** More of them than the workers have connections. */
    async function waiting(more: Turn = done): Promise<Consumed> {
      await rival.query('BEGIN');
      await engine.send([held()], rival);
      const consumed = await context.consume(
        engine,
        (delivery) =>
          delivery.envelope.data['n'] === 'other' ? more(delivery) : doneWith({ sends: [held()] }),
        { concurrency: 60 },
      );
      await engine.send([context.envelope({ data: { n: 'other' } })]);
      await engine.send(Array.from({ length: 40 }, () => context.envelope()));
      await eventually(() => consumed.deliveries.length === 41);
      return consumed;
    }

    async function locks(): Promise<number[]> {
      const { rows } = await rival.query(
        `SELECT locked_until_ms FROM bullmq.job WHERE queue = $1 AND state = 'active'`,
        [context.actor],
      );
      return (rows as { locked_until_ms: string }[]).map((row) => Number(row.locked_until_ms));
    }

    it('keep their messages, and others theirs', async () => {
      const ends = gate();
      const { deliveries } = await waiting(async () => {
        await ends.opened;
        return done();
      });
      // To whom messages would be handed whose locks have run out.
      const second = await context.consume(await context.engine(LOCKS));
      const began = Math.max(...(await locks()));
      await eventually(
        async () => {
          const until = await locks();
          expect(until).toHaveLength(41);
          expect(Math.min(...until)).toBeGreaterThan(began + 4_000);
        },
        { timeout: 30_000 },
      );
      ends.open();
      await rival.query('COMMIT');
      await eventually(async () => (await engine.counts(context.actor)).done === 41);
      expect(deliveries).toHaveLength(41);
      expect(second.deliveries).toEqual([]);
      expect(await engine.counts(context.other)).toMatchObject({ waiting: 41 });
    }, 60_000);

    it('hold up no other actor', async () => {
      const { deliveries } = await waiting();
      const third = `${context.other}x`;
      await context.consume(engine, undefined, { actor: third });
      await engine.send(Array.from({ length: 5 }, () => context.envelope({ actor: third })));
      await eventually(async () => (await engine.counts(third)).done === 5, { timeout: 30_000 });
      await rival.query('COMMIT');
      await eventually(async () => (await engine.counts(context.actor)).done === 41);
      expect(deliveries).toHaveLength(41);
    }, 60_000);
  });

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
