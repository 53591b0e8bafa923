import { Queue, type Job, type JobsOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Context } from '../../../../../test/contract/context.js';
import { Operation } from '../../../../../test/contract/operator.cases.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { startRedis, type RedisServer } from '../../../../../test/support/redis.server.js';
import type { Envelope } from '../../envelope.js';
import type { RedisTurnBackend } from './redis.backend.js';
import { PREFIX } from './redis.keys.js';

serverSuite('redis-server', 'mailboxes on Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  let at: Operation;
  let prefix: string;

  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    const driver = { name: 'Redis', url: async () => server.url, lacks: {} };
    at = await Operation.begin(new Context(driver, server.url));
    prefix = `${PREFIX}:${at.context.actor}:`;
  });
  afterEach(() => at.context.close());

  it('leave nothing behind when their messages are handled', async () => {
    await at.engine.send([0, 1, 2].map((n) => at.message(n)));
    await at.consume();
    await at.after(3);
    const left = await redis.keys(`${prefix}mailbox*`);
    expect(left).toEqual([]);
    expect(await redis.zcard(`${prefix}waiting-children`)).toBe(0);
  });

  it('are mended, and named, when somebody deletes or moves messages by hand', async () => {
    const sent = [0, 1, 2].map((n) => at.message(n));
    const other = at.message('l', { key: 'l' });
    const stray = at.message('s', { key: 's' });
    await at.engine.send([...sent, other, stray]);
    // The first of k is deleted, that of l taken out of its queue, s knows nothing of its mailbox.
    await redis.del(prefix + sent[0]!.id);
    await redis.zrem(`${prefix}prioritized`, sent[0]!.id, other.id, stray.id);
    await redis.del(`${prefix}mailbox:s`);
    await redis.zadd(`${prefix}waiting-children`, 1, stray.id);
    expect((await at.heal()).sort()).toEqual(['k', 'l', 's']);
    expect(await at.heal()).toEqual([]);
    await at.consume();
    const began = await at.after(4);
    expect(began.filter((n) => typeof n === 'number')).toEqual([1, 2]);
    expect(await redis.exists(`${prefix}mailboxes`)).toBe(0);
  });

  it('are mended when they are not known, and newcomers stay behind', async () => {
    const sent = [0, 1, 2].map((n) => at.message(n));
    await at.engine.send(sent);
    await redis.del(`${prefix}mailboxes`, `${prefix}arrivals`);
    // Taken from its queue by hand: it would stand there for ever.
    await redis.zrem(`${prefix}prioritized`, sent[0]!.id);
    expect(await at.heal()).toEqual(['k']);
    expect(await at.heal()).toEqual([]);
    await at.engine.send([at.message(3)]);
    await at.consume();
    expect(await at.after(4)).toEqual([0, 1, 2, 3]);
  });

  it('are not overtaken: what a dead worker had waits among its priority again', async () => {
    const sent = at.message('hold', { priority: 1_000 });
    await at.engine.send([sent]);
    await at.consume();
    await expect.poll(() => at.state(sent)).toBe('active');
    await at.queue.pause();
    await redis.del(`${prefix}${sent.id}:lock`);
    const backend = at.queue.getBackend();
    const { queue } = backend as unknown as { queue: { opts: object } };
    Object.assign(queue.opts, { maxStalledCount: 5, stalledInterval: 1 });
    const look = async () => {
      await redis.del(`${prefix}stalled-check`);
      return backend.moveStalledJobsToWait();
    };
    // The first look marks it, the second finds it without a lock.
    expect([await look(), await look()]).toEqual([[], [sent.id]]);
    expect(await redis.zscore(`${prefix}prioritized`, sent.id)).toBe(String(1_000 * 2 ** 32));
    expect(await redis.llen(`${prefix}wait`)).toBe(0);
    at.open();
  });

  it('wake no other worker when there is nothing for it', async () => {
    await at.engine.send([at.message(0), at.message(1), at.message('l', { key: 'l' })]);
    const backend = at.queue.getBackend();
    const { queue } = backend as unknown as { queue: { opts: object } };
    Object.assign(queue.opts, { lockDuration: 30_000 });
    const isWoken = async () => (await redis.zscore(`${prefix}marker`, '0')) !== null;
    await backend.moveToActive('one');
    // That of l.
    expect(await isWoken()).toBe(true);
    await backend.moveToActive('other');
    // The second of k is parked.
    expect(await isWoken()).toBe(false);
    // Who takes the last one may be the only one that knows of what is due soon.
    await at.engine.send([
      at.message('m', { key: 'm' }),
      at.message('later', { dueAt: Date.now() + 5_000 }),
    ]);
    await backend.moveToActive('one');
    expect(await isWoken()).toBe(true);
  });

  describe('between two messages', () => {
    let backend: RedisTurnBackend;
    let now: number;
    const KEEP = { age: 1_000, count: 9 };
    beforeEach(() => {
      backend = at.queue.getBackend() as unknown as RedisTurnBackend;
      Object.assign(at.queue.opts, { lockDuration: 30_000 });
      now = 1_000;
    });

    /** Ends a message, and answers the next one. */
    async function next({ id }: Envelope, sends: readonly Envelope[] = []): Promise<unknown> {
      const job = (await at.queue.getJob(id)) as Job;
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
      const ended = backend.complete(job, 'one', { sends }, KEEP, true);
      return (await ended.finally(() => clock.mockRestore()))?.[1];
    }
    const isWoken = async () => (await redis.zrem(`${prefix}marker`, '0')) === 1;
    const sent = async (...keys: string[]): Promise<Envelope[]> => {
      const all = keys.map((key) => at.message(key, { key }));
      await at.engine.send(all);
      await backend.moveToActive('one');
      await isWoken();
      return all;
    };

    it('wake another worker each 50 ms, for what one that was woken has left', async () => {
      const [a, b, c, d] = await sent('a', 'b', 'c', 'd', 'e');
      expect([await next(a!), await isWoken()]).toEqual([b!.id, true]);
      now += 49;
      expect([await next(b!), await isWoken()]).toEqual([c!.id, false]);
      now += 1;
      expect([await next(c!), await isWoken()]).toEqual([d!.id, true]);
    });

    it('wake another worker each time, where the queue says how many may be in work', async () => {
      const [a, b, c] = await sent('a', 'b', 'c', 'd');
      await redis.hset(`${prefix}meta`, 'concurrency', '1');
      expect([await next(a!), await isWoken()]).toEqual([b!.id, true]);
      expect([await next(b!), await isWoken()]).toEqual([c!.id, true]);
    });

    it('take back what would wake others for what they fetch, and for nothing', async () => {
      const [a, b] = await sent('a', 'b');
      await next(a!);
      await isWoken();
      const own = at.message('c', { key: 'c' });
      expect([await next(b!, [own]), await isWoken()]).toEqual([own.id, false]);
      const later = at.message('d', { key: 'd', dueAt: Date.now() + 20 });
      await at.engine.send([later]);
      await isWoken();
      await new Promise((resolve) => setTimeout(resolve, 40));
      expect([await next(own), await isWoken()]).toEqual([later.id, false]);
      await redis.zadd(`${prefix}marker`, '0', '0');
      expect([await next(later), await isWoken()]).toEqual([0, false]);
    });

    it('hold the next one by a lock of the same token, as long as any', async () => {
      const [a, b] = await sent('a', 'b');
      const isHeld = async (id: string) => {
        const lock = `${prefix}${id}:lock`;
        const left = await redis.pttl(lock);
        return (await redis.get(lock)) === 'one' && left > 20_000 && left <= 30_000;
      };
      expect(await next(a!)).toBe(b!.id);
      expect(await isHeld(b!.id)).toBe(true);
      // Its own timer, anew.
      expect(await next(b!, [{ ...b!, replace: true }])).toBe(b!.id);
      expect(await isHeld(b!.id)).toBe(true);
    });
  });

  it('wake a worker for what an end sets free, when it fetches nothing itself', async () => {
    const sent = [0, 1].map((n) => at.message(n));
    await at.engine.send(sent);
    const backend = at.queue.getBackend() as unknown as RedisTurnBackend;
    Object.assign(at.queue.opts, { lockDuration: 30_000 });
    await backend.moveToActive('one');
    await at.queue.pause();
    await redis.del(`${prefix}marker`);
    const job = (await at.queue.getJob(sent[0]!.id)) as Job;
    const next = await backend.complete(job, 'one', { sends: [] }, { age: 1_000, count: 9 }, true);
    expect(next?.[0]).toBeFalsy();
    expect(await at.state(sent[1]!)).toBe('waiting');
    expect(await redis.zscore(`${prefix}marker`, '0')).toBe('0');
  });

  it('take in what a plain producer added to their keys', async () => {
    const sent = [0, 1].map((n) => at.message(n));
    await at.engine.send(sent);
    const connection = new Redis(server.url);
    const plain = new Queue(at.context.actor, { connection, prefix: PREFIX });
    const opts = { callsheet: { key: 'k' } } as JobsOptions;
    await plain.add(sent[0]!.type, { n: 2 }, opts);
    await plain.add(sent[0]!.type, { n: 3 }, { ...opts, priority: 7 });
    await plain.close();
    connection.disconnect();
    expect(await at.heal()).toEqual(['k']);
    expect(await at.heal()).toEqual([]);
    await at.consume();
    expect((await at.after(4)).slice(0, 2)).toEqual([0, 1]);
    expect(await redis.exists(`${prefix}mailboxes`)).toBe(0);
  });
});
