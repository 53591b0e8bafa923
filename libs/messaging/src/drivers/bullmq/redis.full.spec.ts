import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  Context,
  dead,
  done,
  doneWith,
  quarantine,
  retry,
  type Driver,
} from '../../../../../test/contract/context.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startRedis, type RedisServer } from '../../../../../test/support/redis.server.js';
import type { Engine } from '../../engine.js';
import { StoreFullError } from '../../messaging.errors.js';
import type { BullmqStore } from './bullmq.store.js';

const MAX = 32 * 1024 * 1024;

serverSuite('redis-server', 'a Redis with little memory', () => {
  let server: RedisServer;
  let redis: Redis;
  let context: Context;
  let engine: Engine;
  beforeEach(async () => {
    server = await startRedis({ args: ['--maxmemory', `${MAX}`] });
    redis = new Redis(server.url);
    context = new Context({ name: 'Redis', lacks: {} } as Driver, server.url);
    engine = await context.engine({ keepDone: { age: '1s', count: 10 } });
  });
  afterEach(async () => {
    await context.close();
    redis.disconnect();
    await server.stop();
  });

  const used = async (): Promise<number> =>
    Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]) / MAX;

  /** Somebody else takes what is left. */
  async function fill(): Promise<void> {
    for (const size of [500_000, 1_000]) {
      for (let n = 0; ; n++) {
        const refused = await redis.set(`others:${size}:${n}`, 'x'.repeat(size)).catch(() => true);
        if (refused === true) break;
      }
    }
  }

  it('refuses sends when four fifths of it are used, and takes them again when workers have made room', async () => {
    for (let n = 0; (await used()) < 0.7; n++) await redis.set(`others:${n}`, 'x'.repeat(200_000));
    let sent = 0;
    const send = async (): Promise<void> => {
      await engine.send([context.envelope({ data: { text: 'x'.repeat(60_000) } })]);
      sent++;
    };
    const refusal = await eventually(
      async () => {
        // Slowly: it is asked once a second how full it is.
        await new Promise((resolve) => setTimeout(resolve, 30));
        return send().then(
          () => false,
          (error: unknown) => error,
        );
      },
      { timeout: 20_000 },
    );
    expect(refusal).toBeInstanceOf(StoreFullError);
    expect((refusal as Error).message).toMatch(
      /^Redis is (8|9)\d % full \(maxmemory 33554432 bytes\)/,
    );
    expect(await used()).toBeLessThan(1);
    const before = sent;
    await context.consume(engine);
    await eventually(
      () =>
        send().then(
          () => true,
          () => false,
        ),
      { timeout: 15_000 },
    );
    expect(sent).toBe(before + 1);
  }, 40_000);

  it('is drained when somebody else has filled it', async () => {
    const database = (engine as unknown as { database: BullmqStore }).database;
    const lost = context.envelope({ data: { n: 'lost' }, priority: 1 });
    await engine.send([lost]);
    const dying = new Worker(
      context.actor,
      undefined,
      {
        connection: database.workerConnection as never,
        prefix: database.prefix!,
        lockDuration: 300,
        autorun: false,
      },
      database.backend,
    );
    await dying.getNextJob('lost', { block: false });
    const keys = ['retried', 'dead', 'stopped', 'k', 'k', 'slow'];
    await engine.send(keys.map((key) => context.envelope({ key, data: { key } })));
    // Their turns send, and so does one that takes its own place.
    const sending = [context.envelope(), context.envelope({ key: 'sending' })];
    const again = context.envelope({ key: 'again' });
    await engine.send([...sending, again]);
    const next = `${context.actor}-next`;
    await engine.bind(context.actor, [{ type: 'a.b' }]);
    await fill();
    await expect(engine.send([context.envelope()])).rejects.toThrow(StoreFullError);
    await engine.bind(context.actor, [{ type: 'a.b' }]);
    await engine.present(context.actor, 'unseen');
    const { deliveries } = await context.consume(
      engine,
      async (delivery) => {
        const { id, key } = delivery.envelope;
        if (sending.some((each) => each.id === id)) {
          return doneWith({ sends: [context.envelope({ actor: next })] });
        }
        if (id === again.id && delivery.state === undefined) {
          const state = { data: 1, revision: 0, version: 1 };
          return doneWith({ state, sends: [{ ...again, replace: true }] });
        }
        if (key === 'retried' && delivery.attempt === 1) return retry(10)(delivery);
        if (key === 'dead') return dead(delivery);
        if (key === 'stopped' && delivery.attempt === 1) return quarantine(delivery);
        if (key === 'slow') await new Promise((resolve) => setTimeout(resolve, 2_500));
        const revision = delivery.state?.revision ?? 0;
        return key === 'k' ? doneWith({ state: { data: 1, revision, version: 1 } }) : done();
      },
      { concurrency: 6, reads: new Set() },
    );
    await eventually(async () => (await engine.quarantined(context.actor)).length === 1);
    await engine.release(context.actor, 'stopped');
    await eventually(
      async () => {
        const { dead: died, waiting, active, delayed } = await engine.counts(context.actor);
        return died === 1 && waiting + active + delayed === 0;
      },
      { timeout: 15_000 },
    );
    expect(deliveries.filter(({ envelope }) => envelope.id === lost.id)).toMatchObject([
      { crashes: 1 },
    ]);
    expect(deliveries.filter(({ envelope }) => envelope.key === 'slow')).toHaveLength(1);
    expect(await engine.state(context.actor, 'k')).toMatchObject({ revision: 2 });
    expect(await engine.counts(next)).toMatchObject({ waiting: 2 });
    expect(deliveries.filter(({ envelope }) => envelope.id === again.id)).toHaveLength(2);
    await dying.close(true);
  }, 40_000);
});
