import { createRedisBackend } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Context, done, type Driver } from '../../../../../test/contract/context.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startRedis, type RedisServer } from '../../../../../test/support/redis.server.js';
import { TurnWorker } from './turn.worker.js';

serverSuite('redis-server', 'a worker', () => {
  let server: RedisServer;
  let client: Redis;
  let context: Context;
  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.url);
  });
  beforeEach(() => {
    context = new Context({ name: 'Redis', lacks: {} } as Driver, server.url);
  });
  afterEach(() => context.close());
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  it('begins the first of many turns before all its places are taken', async () => {
    const engine = await context.engine();
    const many = 200;
    let begun = 0;
    let fetched: number | undefined;
    const turn = async () => {
      if (++begun === 1) fetched = (await engine.counts(context.actor)).active;
      else await new Promise((next) => setTimeout(next, 300));
      return done();
    };
    await context.consume(engine, turn, { concurrency: many });
    const dueAt = Date.now() + 300;
    await engine.send(Array.from({ length: many }, () => context.envelope({ dueAt })));
    await eventually(() => begun === many);
    // BullMQ's loop takes all two hundred before it hands out the first.
    expect(fetched).toBeLessThan(many / 2);
  });

  it('asks for the messages of a long mailbox once for each turn', async () => {
    const engine = await context.engine({ lockDuration: '30s' });
    const many = 2_000;
    await engine.send(Array.from({ length: many }, () => context.envelope({ key: 'k' })));
    const before = await calls();
    let begun = 0;
    await context.consume(
      engine,
      () => {
        begun++;
        return done();
      },
      { concurrency: 100 },
    );
    await eventually(async () => (await engine.counts(context.actor)).done === many);
    expect(begun).toBe(many);
    expect((await calls()) - before).toBeLessThan(many * 1.5);
  });

  it('does not forget when the next message is due because it was given another one', async () => {
    const connection = new Redis(server.url, { maxRetriesPerRequest: null });
    const turns = { run: () => Promise.reject(new Error('none')), end: async () => undefined };
    const options = { connection: connection as never, autorun: false };
    const worker = new TurnWorker(context.actor, options, createRedisBackend as never, turns);
    const inside = worker as unknown as {
      blockUntil: number;
      jobOf(answer: unknown[], token: string): Promise<unknown>;
    };
    try {
      const due = Date.now() + 60_000;
      await inside.jobOf([undefined, undefined, 0, due], 'token');
      expect(inside.blockUntil).toBe(due);
      const json = { id: '1', name: 'do', data: '{}', opts: {}, progress: 0, attemptsMade: 0 };
      expect(await inside.jobOf([json, '1', 0, 0], 'token')).toMatchObject({ id: '1' });
      expect(inside.blockUntil).toBe(due);
      await inside.jobOf([undefined, undefined, 0, 0], 'token');
      expect(inside.blockUntil).toBe(0);
    } finally {
      await worker.close();
      connection.disconnect();
    }
  });

  /** How many scripts the server has run. */
  async function calls(): Promise<number> {
    const stats = await client.info('commandstats');
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  }
});
