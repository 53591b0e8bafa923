import { Logger } from '@nestjs/common';
import { FlowProducer, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { Context, doneWith, type Driver } from '../../../../../test/contract/context.js';
import { aborted, gate } from '../../../../../test/contract/gate.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { Proxy } from '../../../../../test/faults/proxy.js';
import { startRedis, type RedisServer } from '../../../../../test/support/redis.server.js';
import type { Engine } from '../../engine.js';
import { LockLostError } from '../../messaging.errors.js';
import { PREFIX } from './redis.keys.js';

serverSuite('redis-server', 'a consumer on Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  let context: Context;
  let engine: Engine;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    server = await startRedis();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    Logger.overrideLogger(['log', 'warn', 'error']);
    redis.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    context = new Context({ name: 'Redis', lacks: {} } as Driver, server.url);
    engine = await context.engine({ lockDuration: '500ms' });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await context.close();
  });

  const reaches = (id: string, state: string) =>
    eventually(async () => {
      const record = await engine.find(id, [context.actor]);
      expect(record?.state).toBe(state);
      return record ?? null;
    });

  const lockOf = (id: string) => redis.get(`${PREFIX}:${context.actor}:${id}:lock`);

  /** Somebody waits for a message: the last command of a connection may be over, a blocked one is not. */
  const isWaiting = () =>
    eventually(async () => /flags=b .*cmd=bzpopmin/.test(String(await redis.client('LIST'))));

  // A blocked command may end by itself just then, and one that is limited to none asks no more: then it is tried again.
  const lucky = { retry: 3, timeout: 15_000 };
  it(
    'limited to none joins a turn that it still runs, and does not hand its message to others',
    lucky,
    async () => {
      // The newer lock must outlast whatever holds up this process.
      const patient = await context.engine({ lockDuration: '4s' });
      const held = gate();
      const { consumer, deliveries } = await context.consume(
        patient,
        async () => {
          await held.opened;
          return doneWith({ reply: { data: 'once' } });
        },
        { concurrency: 2 },
      );
      const message = context.envelope();
      await engine.send([message]);
      await eventually(() => deliveries.length === 1);
      await isWaiting();
      consumer.limit(0);
      // As if this process had been frozen for longer than the lock lasts.
      await redis.set(`${PREFIX}:${context.actor}:${message.id}:lock`, 'theirs', 'PX', 1);
      const recovery = new Worker(context.actor, undefined, {
        connection: { url: server.url },
        prefix: PREFIX,
        stalledInterval: 100,
        autorun: false,
      });
      await recovery.startStalledCheckTimer();
      await eventually(async () => ![null, 'theirs'].includes(await lockOf(message.id)));
      await recovery.close(true);
      held.open();
      const record = await reaches(message.id, 'done');
      expect(record?.reply).toEqual({ data: 'once' });
      expect(deliveries).toHaveLength(1);
    },
  );

  it('gives a message a turn of its own when an earlier one of its id is still at work here', async () => {
    const held = gate();
    const { deliveries } = await context.consume(
      engine,
      async ({ envelope }) => {
        if (envelope.data['n'] === 1) await held.opened;
        return doneWith({ reply: { data: envelope.data } });
      },
      { concurrency: 2 },
    );
    const message = context.envelope({ data: { n: 1 } });
    await engine.send([message]);
    await eventually(() => deliveries.length === 1);
    // As if another process had taken it over, handled it, and forgotten it.
    const queue = new Queue(context.actor, { connection: { url: server.url }, prefix: PREFIX });
    await queue.obliterate({ force: true });
    await queue.close();
    await engine.send([{ ...message, data: { n: 2 }, sentAt: message.sentAt + 1 }]);
    await eventually(() => redis.zscore(`${PREFIX}:${context.actor}:delayed`, message.id));
    expect(deliveries).toHaveLength(1);
    held.open();
    const record = await reaches(message.id, 'done');
    expect(record?.reply).toEqual({ data: { n: 2 } });
    expect(deliveries.map(({ envelope }) => envelope.data)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it.each([
    ['behind', -4_000],
    ['ahead of', 4_000],
  ])('renews its locks in time when its clock is %s that of Redis', async (_, skew) => {
    const held = gate();
    const other = await context.engine();
    const { now } = Date;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + skew);
    const { deliveries } = await context.consume(engine, async () => {
      await held.opened;
      return doneWith({});
    });
    const message = context.envelope();
    await engine.send([message]);
    await eventually(() => deliveries.length === 1);
    const second = await context.consume(other);
    const turns = () => [...deliveries, ...second.deliveries];
    const began = performance.now();
    // The lock lasts for half a second.
    await eventually(async () => {
      const left = await redis.pttl(`${PREFIX}:${context.actor}:${message.id}:lock`);
      return turns()[0]!.stop.aborted || (left > 0 && performance.now() + left > began + 2_500);
    });
    expect(turns()[0]!.stop.aborted).toBe(false);
    held.open();
    await reaches(message.id, 'done');
    expect(turns()).toHaveLength(1);
  });

  it('tells a turn that its lock is lost when the store cannot be heard', async () => {
    const proxy = await Proxy.to(Number(new URL(server.url).port));
    const remote = new Context({ name: 'Redis', lacks: {} } as Driver, proxy.url);
    const far = await remote.engine({ lockDuration: '500ms' });
    const { deliveries } = await remote.consume(far, async ({ stop }) => {
      await aborted(stop.signal);
      return { kind: 'release' };
    });
    await far.send([remote.envelope()]);
    await eventually(() => deliveries.length === 1);
    proxy.become({ isBlackHole: true });
    await eventually(() => expect(deliveries[0]?.stop.reason).toBeInstanceOf(LockLostError));
    proxy.become({});
    await remote.close();
  });

  it('hands a message back at once to those that have nothing to do', async () => {
    const { consumer, deliveries } = await context.consume(engine, async ({ stop }) => {
      await aborted(stop.signal);
      return { kind: 'release' };
    });
    const message = context.envelope();
    await engine.send([message]);
    await eventually(() => deliveries.length === 1);
    const second = await context.consume(await context.engine());
    await isWaiting();
    const start = performance.now();
    await consumer.stop(0);
    await reaches(message.id, 'done');
    expect(second.deliveries).toHaveLength(1);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('keeps no more handled messages than asked for, also when only cancelled ones come', async () => {
    const small = await context.engine({ keepDone: { count: 2, age: '1h' } });
    await context.consume(small);
    const later = Array.from({ length: 5 }, () => context.envelope({ dueAt: Date.now() + 60_000 }));
    await small.send(later);
    for (const { id } of later) expect(await small.cancel(id, [context.actor])).toBe('cancelled');
    await eventually(async () => (await small.counts(context.actor)).done === 2, {
      timeout: 12_000,
    });
    expect(await small.find(later[4]!.id, [context.actor])).toMatchObject({ state: 'cancelled' });
    expect(await small.find(later[0]!.id, [context.actor])).toBeUndefined();
  }, 20_000);

  it('gives up a job of a plain producer whose child has failed for it, without a turn', async () => {
    const options = { connection: { url: server.url }, prefix: PREFIX };
    const producer = new FlowProducer(options);
    const child = { name: 'part', queueName: context.other, opts: { failParentOnFailure: true } };
    await producer.add({
      name: `${context.actor}.do`,
      queueName: context.actor,
      children: [child],
    });
    const { deliveries } = await context.consume(engine);
    const fail = () => Promise.reject(new Error('broken part'));
    const worker = new Worker(context.other, fail, options);
    const letter = await eventually(
      async () => (await engine.deadLetters([context.actor], { limit: 1 }))[0] ?? null,
    );
    expect(letter).toMatchObject({ reason: 'rejected', history: [{ attempt: 1 }] });
    expect(letter?.history[0]?.error.message).toContain('child');
    expect(deliveries).toHaveLength(0);
    await worker.close();
    await producer.close();
  });

  it('takes orders about its limit before, while and after it works, in whatever order', async () => {
    const { consumer, deliveries } = await context.consume(engine);
    for (const limit of [0, 3, 0, 0, 1, 2, 0, 2]) consumer.limit(limit);
    const messages = Array.from({ length: 20 }, () => context.envelope());
    await engine.send(messages);
    await eventually(async () => (await engine.counts(context.actor)).done === 20);
    expect(deliveries).toHaveLength(20);
    await consumer.stop(0);
    consumer.limit(0);
    consumer.limit(5);
    await engine.send([context.envelope()]);
    const second = await context.consume(engine);
    await eventually(() => second.deliveries.length === 1);
    expect(deliveries).toHaveLength(20);
  });
});
