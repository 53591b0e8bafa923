import { Logger } from '@nestjs/common';
import { Worker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Context, dead, type Driver } from '../../../../../test/contract/context.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startRedis, type RedisServer } from '../../../../../test/support/redis.server.js';
import type { AttemptRecord } from '../../engine.js';
import type { Envelope } from '../../envelope.js';
import {
  IdempotencyConflictError,
  LockLostError,
  MessageActiveError,
} from '../../messaging.errors.js';
import type { BullmqEngine } from './bullmq.engine.js';
import { DEAD, toCancelled, toFailure } from './bullmq.job.js';
import type { BullmqStore, TurnBackend } from './bullmq.store.js';
import { ReservedTurns } from './reserved.turns.js';
import { channelsOf, PREFIX, REMEMBERED } from './redis.keys.js';

const KEEP = { age: 3_600_000, count: 100 };
const MINUTE = 60_000;
const attempt: AttemptRecord = {
  attempt: 1,
  startedAt: 1,
  finishedAt: 2,
  error: { name: 'Boom', message: 'failure 1' },
};

serverSuite('redis-server', 'the ends of a turn on Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  let context: Context;
  let engine: BullmqEngine;
  let backend: TurnBackend;
  const workers: Worker[] = [];
  const notices: string[] = [];
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
    notices.length = 0;
    context = new Context({ name: 'Redis', lacks: {} } as Driver, server.url);
    engine = (await context.engine()) as BullmqEngine;
    await engine.listen(context.actor, (id) => notices.push(id));
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.close(true);
    await context.close();
  });

  /** Takes the next message with a lock that lasts; the test ends it. */
  async function take(token = 'mine'): Promise<Job> {
    const job = await employ().getNextJob(token, { block: false });
    if (!job) throw new Error('nothing to take');
    return job as unknown as Job;
  }

  function employ(): Worker {
    const store = (engine as unknown as { database: BullmqStore }).database;
    const worker = new Worker(
      context.actor,
      undefined,
      {
        connection: store.workerConnection as never,
        prefix: PREFIX,
        lockDuration: MINUTE,
        autorun: false,
      },
      store.backend,
    );
    workers.push(worker as unknown as Worker);
    backend = worker.getBackend() as unknown as TurnBackend;
    return worker as unknown as Worker;
  }

  const asked = (fields: Partial<Envelope> = {}): Envelope =>
    context.envelope({ replyTo: context.actor, ...fields });

  /** Everything that Redis holds, but for the streams of events. */
  async function everything(): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    for (const key of (await redis.keys('*')).sort()) {
      const type = await redis.type(key);
      if (type === 'hash') found[key] = await redis.hgetall(key);
      else if (type === 'zset') found[key] = await redis.call('ZRANGE', key, 0, -1, 'WITHSCORES');
      else if (type === 'list') found[key] = await redis.lrange(key, 0, -1);
      else if (type === 'string') found[key] = await redis.get(key);
      else if (type === 'set') found[key] = (await redis.smembers(key)).sort();
    }
    return found;
  }

  const ends: Record<string, (job: Job, token: string, sends: Envelope[]) => Promise<unknown>> = {
    complete: (job, token, sends) =>
      backend.complete(job, token, { sends, reply: { data: 1 } }, KEEP),
    bury: (job, token, sends) =>
      backend.bury(
        job,
        token,
        toFailure(job, { kind: 'dead', reason: 'rejected', attempt }),
        sends,
      ),
    quit: (job, token) => backend.quit(job, token, toCancelled(job), KEEP, []),
    'postpone after a failure': (job, token) =>
      backend.postpone(job, token, MINUTE, toFailure(job, { kind: 'retry', delay: 1, attempt })),
    'postpone without one': (job, token) => backend.postpone(job, token, MINUTE, undefined),
  };

  it('a worker that wants urgent messages alone leaves another, and what wakes other workers', async () => {
    const worker = employ();
    backend.reserved = new ReservedTurns(() => 0);
    await engine.send([context.envelope({ priority: 11 })]);
    const marker = `${PREFIX}:${context.actor}:marker`;
    await redis.del(marker);
    expect(await worker.getNextJob('mine', { block: false })).toBeUndefined();
    expect(await redis.exists(marker)).toBe(1);
    const urgent = context.envelope({ priority: 10 });
    await engine.send([urgent]);
    const job = await worker.getNextJob('mine', { block: false });
    expect(job).toMatchObject({ priority: 10 });
    await backend.complete(job as unknown as Job, 'mine', { sends: [] }, KEEP);
  });

  describe.each(Object.keys(ends))('%s', (name) => {
    const end = (job: Job, token: string, sends: Envelope[] = []) => ends[name]!(job, token, sends);

    it.each(['of another worker', 'that has run out'])(
      'under a lock %s changes nothing and tells nobody',
      async (whose) => {
        await engine.send([asked()]);
        const job = await take();
        if (whose === 'that has run out')
          await redis.del(`${PREFIX}:${context.actor}:${job.id}:lock`);
        const before = await everything();
        const token = whose === 'that has run out' ? 'mine' : 'theirs';
        const sends = [context.envelope(), context.named(context.id('sent'))];
        await expect(end(job, token, sends)).rejects.toThrow(/lock/i);
        expect(await everything()).toEqual(before);
        // Told after whatever the end might have told.
        await redis.publish(channelsOf(redis).inbox + context.actor, 'last');
        await eventually(() => notices.includes('last'));
        expect(notices).toEqual(['last']);
      },
    );
  });

  it.each(['complete', 'bury', 'quit'])('%s tells the inbox once', async (name) => {
    const message = asked({ id: context.id(name), fingerprint: 'f' });
    await engine.send([message]);
    await ends[name]!(await take(), 'mine', []);
    await redis.publish(channelsOf(redis).inbox + context.actor, 'last');
    await eventually(() => notices.includes('last'));
    expect(notices).toEqual([message.id, 'last']);
  });

  it.each(['complete', 'bury'])('%s with a send that is refused changes nothing', async (name) => {
    const known = context.named(context.id('known'), 'one', { dueAt: Date.now() + MINUTE });
    const busy = context.named(context.id('busy'), 'old', { actor: context.other });
    await engine.send([asked(), known, busy]);
    const held = await context.consume(engine, () => new Promise(() => undefined), {
      actor: context.other,
    });
    await eventually(() => held.deliveries.length === 1);
    const job = await take();
    const before = await everything();
    const first = [context.envelope(), context.named(context.id('new'))];
    const conflict = { ...known, fingerprint: 'other' };
    const replacement: Envelope = { ...busy, fingerprint: 'new', replace: true };
    const refused = (sends: Envelope[]) =>
      ends[name]!(job, 'mine', sends).catch((error: unknown) => error);
    expect(await refused([...first, conflict])).toEqual(new IdempotencyConflictError(known.id));
    expect(await refused([...first, replacement])).toEqual(new MessageActiveError(busy.id));
    const lock = `${PREFIX}:${context.other}:`;
    const still = ([key]: [string, unknown]): boolean => !key.startsWith(lock);
    const [now, then] = [await everything(), before].map((all) =>
      Object.entries(all).filter(still),
    );
    expect(now).toEqual(then);
    // The lock is still held: the turn may end otherwise.
    await ends[name]!(job, 'mine', first);
    expect(await engine.find(context.id('new'), [context.actor])).toMatchObject({
      state: 'waiting',
    });
  });

  it('complete that the client sends again, because it got no reply, does not call its own state another', async () => {
    await engine.send([context.envelope({ key: 'k' })]);
    const job = await take();
    const effects = { sends: [], state: { data: 1, revision: 0, version: 1 } };
    const stale = { sends: [], state: { data: 1, revision: 7, version: 1 } };
    await expect(backend.complete(job, 'mine', stale, KEEP)).rejects.toBeInstanceOf(LockLostError);
    await backend.complete(job, 'mine', effects, KEEP);
    const again = await backend
      .complete(job, 'mine', effects, KEEP)
      .catch((error: unknown) => error);
    expect(again).toBeInstanceOf(Error);
    expect(again).not.toBeInstanceOf(LockLostError);
    expect(await engine.state(context.actor, 'k')).toMatchObject({ revision: 1 });
  });

  it('a large reply is kept once, not also in the stream of events', async () => {
    const message = context.envelope();
    await engine.send([message]);
    const data = 'x'.repeat(50_000);
    const job = await take();
    await backend.complete(job, 'mine', { sends: [], reply: { data } }, KEEP);
    expect(await engine.find(message.id, [context.actor])).toMatchObject({ reply: { data } });
    const events = JSON.stringify(
      await redis.xrange(`${PREFIX}:${context.actor}:events`, '-', '+'),
    );
    expect(events).toContain('completed');
    expect(events.length).toBeLessThan(5_000);
  });

  it('a message that is not kept leaves nothing, large as its reply is', async () => {
    const message = context.named(context.id('not kept'));
    await engine.send([message]);
    const job = await take();
    const effects = { sends: [], reply: { data: 'x'.repeat(50_000) } };
    await backend.complete(job, 'mine', effects, { age: 0, count: 100 });
    const kept = (await redis.keys('*')).filter((key) => key.includes(job.id ?? ''));
    expect(kept).toEqual([REMEMBERED + job.id]);
  });

  it('handled messages that are too many go now and then, and old events with them', async () => {
    const prefix = `${PREFIX}:${context.actor}:`;
    // Redis drops them by the hundred.
    await redis.hset(`${prefix}meta`, 'opts.maxLenEvents', '10');
    await engine.send(Array.from({ length: 150 }, () => context.envelope()));
    const few = { age: MINUTE, count: 5 };
    let job: Job | undefined = await take();
    while (job) {
      await backend.complete(job, 'mine', { sends: [] }, few);
      job = (await workers[0]?.getNextJob('mine', { block: false })) as Job | undefined;
    }
    expect(await redis.zcard(`${prefix}completed`)).toBeLessThan(5 + 17);
    expect(await redis.zcard(`${prefix}completed`)).toBeGreaterThanOrEqual(5);
    expect(await redis.keys(`${prefix}${context.actor}-*`)).toHaveLength(
      await redis.zcard(`${prefix}completed`),
    );
    expect(await redis.xlen(`${prefix}events`)).toBeLessThan(250);
  });

  it('a message that its own turn sends again waits anew, and the next one comes in the same step', async () => {
    const prefix = `${PREFIX}:${context.actor}:`;
    const timer = context.named(context.id('timer'), 'first', { key: 'k', dueAt: Date.now() - 1 });
    await engine.send([timer]);
    const job = await take();
    const other = context.envelope({ key: 'k' });
    await engine.send([other]);
    const dueAt = Date.now() + MINUTE;
    const again: Envelope = { ...timer, fingerprint: 'second', replace: true, dueAt };
    const effects = { sends: [again], state: { data: 1, revision: 0, version: 1 } };
    const next = await backend.complete(job, 'mine', effects, KEEP, true);
    expect(next?.[1]).toBe(other.id);
    expect(await redis.zcard(`${prefix}completed`)).toBe(0);
    expect(await redis.zscore(`${prefix}delayed`, job.id ?? '')).not.toBeNull();
    expect(await redis.lrange(`${prefix}active`, 0, -1)).toEqual([other.id]);
    const record = await engine.find(timer.id, [context.actor]);
    expect(record).toMatchObject({ state: 'delayed', envelope: { dueAt } });
    expect(record?.reply).toBeUndefined();
    const own = { callsheet: { key: 'k' } };
    const taken = { id: other.id, queueName: context.actor, opts: own } as unknown as Job;
    expect(backend.stateOf(taken)).toEqual({ data: 1, revision: 1, version: 1 });
  });

  it('a message handed back for later has used no attempt', async () => {
    const message = context.envelope();
    await engine.send([message]);
    const job = await take();
    await ends['postpone without one']!(job, 'mine', []);
    const kept = await redis.hgetall(`${PREFIX}:${context.actor}:${message.id}`);
    expect(kept).toMatchObject({ delay: `${MINUTE}` });
    expect(kept).not.toHaveProperty('atm');
    expect(kept).not.toHaveProperty('failedReason');
  });

  it('a dead letter that is replaced leaves nothing behind', async () => {
    const letter = context.named(context.id('letter'), 'old');
    await engine.send([letter]);
    const job = await take();
    await job.log('a line');
    await ends['bury']!(job, 'mine', []);
    await engine.send([{ ...letter, fingerprint: 'new', replace: true }]);
    expect(await redis.keys(`${PREFIX}:${context.actor}${DEAD}:h-*`)).toEqual([]);
    expect(await redis.zcard(`${PREFIX}:${context.actor}${DEAD}:failed`)).toBe(0);
    expect(await redis.keys(`${PREFIX}:${context.actor}:h-*:logs`)).toEqual([]);
    expect(await engine.find(letter.id, [context.actor])).toMatchObject({ state: 'waiting' });
  });

  it('a dead letter that is discarded leaves nothing but its remembered id', async () => {
    const letter = context.named(context.id('letter'));
    await engine.send([letter]);
    const job = await take();
    await job.log('a line');
    await ends['bury']!(job, 'mine', []);
    expect(await engine.discard(letter.id, [context.actor])).toBe(true);
    const kept = (await redis.keys('*')).filter((key) => key.includes(job.id ?? ''));
    expect(kept).toEqual([REMEMBERED + job.id]);
    expect(await engine.discard(letter.id, [context.actor])).toBe(false);
  });

  it('dead letters that are too many or too old go, oldest first, some at a time', async () => {
    const letters = Array.from({ length: 6 }, (_, n) => context.named(context.id(`${n}`)));
    const { consumer } = await context.consume(engine, dead);
    for (const letter of letters) {
      await engine.send([letter]);
      await eventually(
        async () => (await engine.counts(context.actor)).dead > letters.indexOf(letter),
      );
    }
    await consumer.stop(0);
    const letterBackend = engine.queue(context.actor + DEAD).getBackend() as unknown as TurnBackend;
    const left = async () =>
      (await engine.deadLetters([context.actor], { limit: 9 })).map(({ envelope }) => envelope.id);
    const ids = letters.map(({ id }) => id).reverse();
    await letterBackend.forgetDead({ age: Infinity, count: Infinity });
    expect(await left()).toEqual(ids);
    await letterBackend.forgetDead({ age: MINUTE, count: 4 });
    expect(await left()).toEqual(ids.slice(0, 4));
    const third = await engine.find(ids[2]!, [context.actor]);
    await letterBackend.forgetDead({ age: Date.now() - (third?.finishedAt ?? 0), count: Infinity });
    expect((await left()).length).toBeLessThan(4);
    expect(await redis.keys(`${PREFIX}:${context.actor}${DEAD}:h-*`)).toHaveLength(
      (await left()).length,
    );
  });
});
