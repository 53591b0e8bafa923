import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import {
  cancelled,
  Context,
  done,
  release,
  retry,
  type Driver,
} from '../../../../../test/contract/context.js';
import { aborted, gate } from '../../../../../test/contract/gate.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startRedis, type RedisServer } from '../../../../../test/support/redis.server.js';
import type { Delivery, MessageState, Outcome } from '../../engine.js';
import { CancelledError } from '../../messaging.errors.js';
import type { BullmqEngine } from './bullmq.engine.js';
import type { BullmqStore } from './bullmq.store.js';
import { RedisTurnBackend } from './redis.backend.js';
import { channelsOf, PREFIX } from './redis.keys.js';

serverSuite('redis-server', 'cancelling on Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  let context: Context;
  let engine: BullmqEngine;
  const idle: Worker[] = [];
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
    engine = (await context.engine()) as BullmqEngine;
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    for (const worker of idle.splice(0)) await worker.close(true);
    await context.close();
  });

  const reaches = (id: string, state: MessageState) =>
    eventually(async () => {
      const record = await engine.find(id, [context.actor]);
      expect(record?.state).toBe(state);
      return record ?? null;
    });

  /** What BullMQ has of a message. */
  const fieldOf = (id: string, field: string) =>
    redis.hget(`${PREFIX}:${context.actor}:${id}`, field);

  /** A worker that does nothing by itself. */
  const idleWorker = (): Worker => {
    const { prefix, backend, workerConnection } = storeOf(engine);
    const worker = new Worker(
      context.actor,
      undefined,
      {
        connection: workerConnection as never,
        prefix: prefix!,
        lockDuration: 300,
        stalledInterval: 100,
        autorun: false,
      },
      backend as never,
    );
    idle.push(worker);
    return worker;
  };

  /** Takes the next message and dies with it: its lock is never renewed. */
  const takeAndDie = async (): Promise<string> => {
    const job = await idleWorker().getNextJob('dead', { block: false });
    return job?.id ?? '';
  };

  it('between its fetch and its start is told to its turn', async () => {
    const answers: string[] = [];
    vi.spyOn(RedisTurnBackend.prototype, 'moveToActive').mockImplementation(async function (
      this: RedisTurnBackend,
      ...args
    ) {
      const taken = await Object.getPrototypeOf(RedisTurnBackend.prototype).moveToActive.apply(
        this,
        args,
      );
      if (taken[1]) {
        answers.push(await engine.cancel(String(taken[1]), [context.actor]));
        // The notice comes to this process before its turn begins.
        await heard();
      }
      return taken;
    });
    const heard = await notices(engine);
    const reasons: unknown[] = [];
    const { deliveries } = await context.consume(engine, async ({ stop }) => {
      reasons.push(await aborted(stop.signal));
      return cancelled();
    });
    const sent = context.envelope();
    await engine.send([sent]);
    await reaches(sent.id, 'cancelled');
    expect(answers).toEqual(['cancelling']);
    expect(reasons).toEqual([new CancelledError(sent.id)]);
    expect(deliveries).toHaveLength(1);
    // What it was read with did not say so yet.
    expect(deliveries[0]?.isCancelled).toBe(false);
  });

  it('whose worker died is told so when it is given out again', async () => {
    const sent = context.envelope();
    await engine.send([sent]);
    expect(await takeAndDie()).toBe(sent.id);
    expect(await engine.cancel(sent.id, [context.actor])).toBe('cancelling');
    expect(await engine.cancel(sent.id, [context.actor])).toBe('cancelling');
    const { deliveries } = await context.consume(engine, obedient);
    await reaches(sent.id, 'cancelled');
    expect(deliveries).toHaveLength(1);
    expect(deliveries[0]).toMatchObject({ isCancelled: true, crashes: 1, isFirst: false });
  });

  it('whose worker died, and which waits again, ends at once and never starts', async () => {
    const sent = context.envelope();
    await engine.send([sent]);
    await takeAndDie();
    const recovery = idleWorker();
    await recovery.startStalledCheckTimer();
    await eventually(async () => (await engine.counts(context.actor)).waiting === 1);
    await recovery.close(true);
    expect(await engine.cancel(sent.id, [context.actor])).toBe('cancelled');
    const record = await reaches(sent.id, 'cancelled');
    expect(record?.envelope).toEqual(sent);
    const { deliveries } = await context.consume(engine);
    const other = context.envelope();
    await engine.send([other]);
    await reaches(other.id, 'done');
    expect(deliveries.map(({ envelope }) => envelope.id)).toEqual([other.id]);
  });

  it.each([
    'Unexpected token } in JSON at position 3',
    'expected } but found {{{',
    '}',
    '"attempts":[]',
  ])('during back-off ends it at once and keeps its failure: %s', async (message) => {
    const { deliveries } = await context.consume(engine, (delivery) => {
      const outcome = retry(60_000)(delivery);
      if (outcome.kind === 'retry') outcome.attempt.error.message = message;
      return outcome;
    });
    const sent = context.envelope();
    await engine.send([sent]);
    await reaches(sent.id, 'delayed');
    expect(await engine.cancel(sent.id, [context.actor])).toBe('cancelled');
    const record = await reaches(sent.id, 'cancelled');
    expect(record?.history.map(({ error }) => error.message)).toEqual([message]);
    expect(await engine.cancel(sent.id, [context.actor])).toBe('ended');
    expect(deliveries).toHaveLength(1);
  });

  it('of a job of a plain producer that reports its own progress ends it as cancelled', async () => {
    const job = await engine.queue(context.actor).add(`${context.actor}.do`, {}, { delay: 60_000 });
    await job.updateProgress({ percent: 50 });
    const id = job.id ?? '';
    expect(await engine.cancel(id, [context.actor])).toBe('cancelled');
    expect(await engine.find(id, [context.actor])).toMatchObject({ state: 'cancelled' });
  });

  it.each([
    ['retry', retry(60_000)],
    ['release', release(60_000)],
  ])('of one in work whose turn ends with a long %s ends it soon', async (_, outcome) => {
    const { deliveries } = await context.consume(engine, async (delivery) => {
      if (delivery.isCancelled) return cancelled();
      await aborted(delivery.stop.signal);
      return outcome(delivery);
    });
    const sent = context.envelope();
    await engine.send([sent]);
    await eventually(() => deliveries.length === 1);
    expect(await engine.cancel(sent.id, [context.actor])).toBe('cancelling');
    await reaches(sent.id, 'cancelled');
    expect(deliveries.map(({ isCancelled }) => isCancelled)).toEqual([false, true]);
  });

  it('is not what a header of that name says', async () => {
    const { deliveries } = await context.consume(engine, async (delivery) => {
      if (delivery.envelope.data['stops']) return aborted(delivery.stop.signal).then(cancelled);
      return retry(60_000)(delivery);
    });
    const headers = {
      callsheetCancelled: '1',
      '"callsheetCancelled":1}': '"callsheetCancelled":1}',
    };
    const failing = context.envelope({ headers });
    await engine.send([failing]);
    // A cancelled one would be given out again at once.
    expect(await reaches(failing.id, 'delayed')).toMatchObject({ envelope: { headers } });
    expect(Number(await fieldOf(failing.id, 'delay'))).toBe(60_000);
    const stopping = context.envelope({ headers, data: { stops: true } });
    await engine.send([stopping]);
    await eventually(() => deliveries.length === 2);
    expect(await engine.cancel(stopping.id, [context.actor])).toBe('cancelling');
    const record = await reaches(stopping.id, 'cancelled');
    expect(record?.envelope.headers).toEqual(headers);
    expect(JSON.parse((await fieldOf(stopping.id, 'opts')) ?? '')).toHaveProperty(
      'callsheetCancelled',
    );
  });

  it('leaves the metadata of a message in work as it was', async () => {
    const sent = context.named(context.id('all'), 'same', {
      deadline: Date.now() + 3_600_000,
      replyTo: 'inbox-1',
      correlationId: 'c',
      causationId: 'd',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=b',
      tenant: 'żółć 🎬',
      key: 'k',
      types: { values: { when: ['Date'] } },
      retry: { attempts: 3, factor: 1.25 },
      headers: { a: '{"b":}' },
    });
    const { deliveries } = await context.consume(engine, async (delivery) => {
      if (delivery.isCancelled) return cancelled();
      await aborted(delivery.stop.signal);
      return release()();
    });
    await engine.send([sent]);
    await eventually(() => deliveries.length === 1);
    await engine.cancel(sent.id, [context.actor]);
    await reaches(sent.id, 'cancelled');
    expect(deliveries.map(({ envelope }) => envelope)).toEqual([sent, sent]);
  });

  it('is told to nobody who works on another database of the server', async () => {
    const elsewhere = new Context({ name: 'Redis', lacks: {} } as Driver, `${server.url}/1`);
    const there = await elsewhere.engine();
    const twin = context.named(context.id('7'));
    const ended: string[] = [];
    await there.listen(context.actor, (id) => ended.push(id));
    const held = gate();
    const turns = await Promise.all(
      [engine, there].map((each) =>
        context.consume(each, async ({ stop }) => {
          await Promise.race([held.opened, aborted(stop.signal)]);
          return stop.aborted ? cancelled() : done();
        }),
      ),
    );
    for (const each of [engine, there]) await each.send([{ ...twin, replyTo: context.actor }]);
    for (const { deliveries } of turns) await eventually(() => deliveries.length === 1);
    expect(await engine.cancel(twin.id, [context.actor])).toBe('cancelling');
    await reaches(twin.id, 'cancelled');
    expect(turns[1]?.deliveries[0]?.stop.aborted).toBe(false);
    expect(ended).toEqual([]);
    held.open();
    await eventually(() => ended.length === 1);
    expect((await there.find(twin.id, [context.actor]))?.state).toBe('done');
    for (const { consumer } of turns) await consumer.stop(0);
    await elsewhere.close();
  });

  it('is heard after the connection that hears it was cut', async () => {
    const { deliveries } = await context.consume(engine, async ({ stop }) => {
      await aborted(stop.signal);
      return cancelled();
    });
    await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(
      async () => (await redis.pubsub('NUMSUB', channelsOf(redis).cancelled))[1] === 1,
    );
    const sent = context.envelope();
    await engine.send([sent]);
    await eventually(() => deliveries.length === 1);
    expect(await engine.cancel(sent.id, [context.actor])).toBe('cancelling');
    await reaches(sent.id, 'cancelled');
  });
});

const obedient = (delivery: Delivery): Outcome => (delivery.isCancelled ? cancelled() : done());

function storeOf(engine: BullmqEngine): BullmqStore {
  return (engine as unknown as { database: BullmqStore }).database;
}

/** Answers what waits until this process has heard of one more cancel. */
async function notices(engine: BullmqEngine): Promise<() => Promise<void>> {
  const [heard, seen] = [[] as string[], [] as string[]];
  await storeOf(engine).onCancel((id) => heard.push(id));
  return async () => {
    await eventually(() => heard.length > seen.length);
    seen.push(heard[seen.length] ?? '');
  };
}
