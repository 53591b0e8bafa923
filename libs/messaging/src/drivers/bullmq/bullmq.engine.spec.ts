import { Job } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import path from 'node:path';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import {
  Context,
  deadWith,
  done,
  quarantine,
  retry,
} from '../../../../../test/contract/context.js';
import { gate } from '../../../../../test/contract/gate.js';
import { atEnd } from '../../../../../test/support/cleanup.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { tempDir } from '../../../../../test/support/temp.js';
import { StoreError } from '../../messaging.errors.js';
import type { Delivery, Outcome } from '../../engine.js';
import { resolveOptions } from '../../messaging.options.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { startRedis } from '../../../../../test/support/redis.server.js';
import { createBullmqEngine } from './bullmq.engine.js';

type Answer = (delivery: Delivery) => Outcome;

const engine = (url: string) => createBullmqEngine(resolveOptions({ url }));

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));

describe('createBullmqEngine', () => {
  it.each([
    ['redis://127.0.0.1:1', 'Redis'],
    ['rediss://127.0.0.1:1', 'Redis'],
    ['postgres://127.0.0.1:1/db', 'PostgreSQL'],
    ['postgresql://127.0.0.1:1/db', 'PostgreSQL'],
    ['pglite:./x', 'PGlite (embedded)'],
  ])('knows %s', async (url, name) => {
    const made = await engine(url);
    expect(made.store.name).toBe(name);
    await made.close();
  });

  it.each([
    ['', ''],
    ['memory:', 'memory:'],
    ['pglite:', 'pglite:'],
    ['redis:', 'redis:'],
    ['redis:/127.0.0.1', 'redis:/127.0.0.1'],
    ['Redis://127.0.0.1', 'Redis://127.0.0.1'],
    [' redis://127.0.0.1', ' redis://127.0.0.1'],
    ['127.0.0.1:6379', '127.0.0.1:6379'],
    ['redis+tls://127.0.0.1', 'redis+tls://127.0.0.1'],
    ['mysql://root:s3cret@127.0.0.1/db', 'mysql://127.0.0.1/db'],
    ['mongodb://u:s3cret@a,b/db?password=s3cret', 'mongodb://a,b/db'],
    ['./folder', './folder'],
    ['javascript:alert(1)', 'javascript:alert(1)'],
  ])('does not know %j', async (url, shown) => {
    await expect(engine(url)).rejects.toThrow(
      new StoreError(
        `no store for '${shown}': use pglite:<folder>, redis://, rediss://, redis+cluster://, rediss+cluster://, postgres:// or memory:`,
      ),
    );
  });
});

describe('an embedded store', () => {
  it('that is open already is refused in one sentence, and free again once closed', async () => {
    const folder = tempDir();
    const one = await engine(`pglite:${folder}`);
    const two = await engine(`pglite:${folder}`);
    await one.open();
    await expect(two.open()).rejects.toThrow(
      new StoreError(
        `the folder ${folder} is in use by process ${process.pid}; an embedded store has one process only, use redis:// or postgres:// for more`,
      ),
    );
    // The one that was refused must not take the lock away.
    await two.close();
    const three = await engine(`pglite:${folder}`);
    await expect(three.open()).rejects.toThrow(StoreError);
    await one.ping();
    await one.close();
    expect(existsSync(path.join(folder, 'lock'))).toBe(false);
  }, 30_000);

  it('whose process died while it made the database is put aside, and made again', async () => {
    const folder = tempDir();
    const half = path.join(folder, 'callsheet-data');
    mkdirSync(half);
    writeFileSync(path.join(half, 'PG_VERSION'), '1');
    const store = await engine(`pglite:${folder}`);
    await store.open();
    await store.ping();
    await store.close();
    const [aside = ''] = readdirSync(folder).filter((name) => name.includes('.incomplete-'));
    expect(readdirSync(path.join(folder, aside))).toEqual(['PG_VERSION']);
  }, 30_000);

  it('gives out at once what was in work when its process died, long before its lock has run out', async () => {
    const url = `pglite:${tempDir()}`;
    const context = new Context({ name: 'PGlite', url: async () => url, lacks: {} }, url);
    const before = await context.engine({ lockDuration: '60s' });
    const sent = [context.envelope({ key: 'k' }), context.envelope()];
    const held = gate();
    const turn = async (): Promise<Outcome> => {
      await held.opened;
      return done();
    };
    const { consumer, deliveries } = await context.consume(before, turn, { concurrency: 2 });
    await before.send(sent);
    await eventually(() => deliveries.length === 2);
    // As if it had died: nothing is handed back.
    await before.close();
    const after = await context.engine({ lockDuration: '60s' });
    const again = await context.consume(after, undefined, { concurrency: 2 });
    await eventually(() => again.deliveries.length === 2, { timeout: 10_000 });
    expect(again.deliveries.map(({ crashes, attempt }) => [crashes, attempt])).toEqual([
      [1, 1],
      [1, 1],
    ]);
    await again.consumer.stop(0);
    await after.close();
    held.open();
    await consumer.stop(0);
  }, 30_000);

  it('in a place that is no folder is refused in one sentence', async () => {
    const file = path.join(tempDir(), 'file');
    writeFileSync(file, '');
    for (const place of [file, path.join(file, 'below')]) {
      const store = await engine(`pglite:${place}`);
      const error: unknown = await store.open().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StoreError);
      expect((error as Error).message).toMatch(`cannot open the embedded store in ${place}: E`);
    }
  });

  it('does not answer before it is open', async () => {
    const closed = await engine(`pglite:${tempDir()}`);
    await expect(closed.ping()).rejects.toThrow(new StoreError('the embedded store is not open'));
  });
});

serverSuite('redis-server', 'a store that goes away', () => {
  it('fails every read as what it is, in bounded time', async () => {
    const server = await startRedis();
    const store = await engine(server.url);
    await store.open();
    await store.counts('a');
    await server.kill();
    const reads = [
      store.find('a-1', ['a']),
      store.counts('a'),
      store.finished('a', 1),
      store.deadLetters(['a'], { limit: 1 }),
      store.redrive('a-1', ['a']),
    ];
    for (const read of await Promise.allSettled(reads)) {
      expect(read).toMatchObject({
        status: 'rejected',
        reason: {
          code: 'store_unusable',
          message: expect.stringContaining('does not answer') as string,
        },
      });
    }
    await store.close();
    await server.stop();
  }, 30_000);
});

serverSuite('redis-server', 'a message that moves while it is read', () => {
  it.each<[string, Answer, string]>([
    ['quarantined', quarantine, 'parked'],
    ['retried', retry(60_000), 'delayed'],
    ['given up', deadWith([]), 'dead'],
  ])('is found whole when it is %s', async (_, answer, state) => {
    const server = await startRedis();
    atEnd(() => server.stop());
    const context = new Context(
      { name: 'Redis', url: async () => server.url, lacks: {} },
      server.url,
    );
    const store = await context.engine();
    const ends = gate();
    const { deliveries } = await context.consume(store, async (delivery) => {
      await ends.opened;
      return answer(delivery);
    });
    const sent = context.envelope({ key: 'k' });
    await store.send([sent]);
    await eventually(() => deliveries.length === 1);
    const getState = vi.spyOn(Job.prototype, 'getState');
    getState.mockImplementationOnce(async function (this: Job) {
      ends.open();
      return eventually(async () => {
        const now = await this.getState();
        if (now === 'active') throw new Error('it is still in work');
        return now;
      });
    });
    const record = await store.find(sent.id, [context.actor]);
    getState.mockRestore();
    expect(record).toMatchObject({ state, history: [{ attempt: 1 }] });
    await context.close();
  });
});
