import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { serverSuite } from '../../support/available.js';
import { eventually } from '../../support/eventually.js';
import { startRedis } from '../../support/redis.server.js';
import { cutPower } from '../power.js';
import { remainsOf, withRaw } from '../remains.js';
import { isFull, ONLY_FULL, Run } from '../run.js';
import { keysOf, Sender } from '../sender.js';
import { shim } from '../shim.js';
import { settled } from '../storm.js';
import { Stream } from '../stream.js';

const KEYS = keysOf(20);
const isRoot = process.getuid?.() === 0;

function lostOf(
  run: Run,
  there: ReadonlySet<string>,
): { acked: number; lost: string[]; window: number } {
  const acked = run.events().flatMap((event) => (event.kind === 'acked' ? [event] : []));
  const lost = acked.filter(({ id }) => !there.has(id));
  const window = lost.length > 0 ? acked.at(-1)!.t - lost[0]!.t : 0;
  return {
    acked: acked.length,
    lost: lost.map(({ id }) => id),
    window: Math.round(window / 1_000),
  };
}

describe('a power cut', { timeout: 300_000 }, () => {
  serverSuite('redis-server', 'of Redis', () => {
    serverSuite('gcc', 'as the shim imitates it', () => {
      for (const fsync of ['always', 'everysec'] as const) {
        if (fsync === 'everysec' && !isFull) continue;
        it(`loses what its setting says, appendfsync ${fsync}`, async () => {
          for (let round = 0; round < (isFull ? 3 : 1); round++) {
            const server = await startRedis({
              appendonly: true,
              args: ['--appendfsync', fsync],
              env: shim('power'),
            });
            try {
              const run = new Run(`power cut, ${fsync}`);
              const sender = await Sender.open(server.url, run.ledger);
              const stream = new Stream(sender, KEYS);
              await eventually(() => stream.acked > 500);
              await delay(run.nemesis.between(100, 900));
              let bytes = 0;
              // Nobody may send to what has come back: with the store, senders too have lost their power.
              const stopped = stream.stop();
              await run.nemesis.harm('power cut', async () => (bytes = await cutPower(server)));
              const before = run.events().filter(({ kind }) => kind === 'acked').length;
              await server.restart();
              await stopped;
              await sender.close();
              const remains = await remainsOf(server.url, KEYS);
              const { acked, lost, window } = lostOf(run, new Set(remains.pending));
              const except = {
                drained: 'nobody works here',
                noOrphans: 'nobody works here',
                ...(fsync === 'everysec' && { nothingLost: 'one second, as documented' }),
              };
              const figures = {
                acked,
                before,
                'lost bytes': bytes,
                lost: lost.length,
                'window ms': window,
              };
              run.judge({ remains, faults: { 'power cut': 1 }, except, figures });
              // Between two syncs is a second, and one more that a sync may take; twice that on a busy machine.
              expect(window).toBeLessThanOrEqual(fsync === 'always' ? 0 : 4_000);
            } finally {
              await server.stop();
            }
          }
        });
      }
    });
  });
});

describe('a store without room', { timeout: 300_000 }, () => {
  serverSuite('redis-server', 'on Redis', () => {
    it.skipIf(!isFull)(
      `refuses what it cannot keep, loses nothing, and goes on when there is memory again${ONLY_FULL}`,
      async () => {
        const server = await startRedis({ appendonly: true });
        const redis = new Redis(server.url);
        try {
          const run = new Run('out of memory');
          const sender = await Sender.open(server.url, run.ledger);
          const stream = new Stream(sender, KEYS, 5_000, 10);
          const worker = run.worker({ url: server.url });
          await run.reached(worker, 100);
          await run.nemesis.harm('out of memory', async () => {
            await redis.config('SET', 'maxmemory', 1);
            await delay(3_000);
            await redis.config('SET', 'maxmemory', 0);
          });
          await stream.stop();
          await sender.close();
          await settled(server.url);
          expect(worker.running).toBe(true);
          await worker.stop();
          const refused = run.events().filter(({ kind }) => kind === 'refused').length;
          const remains = await withRaw(server.url, await remainsOf(server.url, KEYS));
          run.judge({ remains, faults: { 'out of memory': 1 }, figures: { refused } });
          expect(refused).toBeGreaterThan(0);
        } finally {
          redis.disconnect();
          await server.stop();
        }
      },
    );

    const title = 'loses nothing when the disk is full, appendfsync always';
    it.skipIf(!isRoot || !isFull)(
      isRoot ? title + ONLY_FULL : `${title} (skipped: only root can mount a small disk)`,
      async () => {
        const server = await startRedis({ appendonly: true, args: ['--appendfsync', 'always'] });
        const run = new Run('disk full');
        const disk = server.dir;
        try {
          await server.kill();
          execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
          await server.restart();
          const sender = await Sender.open(server.url, run.ledger);
          const stream = new Stream(sender, KEYS, 1_000_000);
          await run.nemesis.harm('disk full', async () => {
            // Redis ends itself rather than acknowledge what it could not write.
            await eventually(async () => !(await answers(server.url)), { timeout: 60_000 });
            execFileSync('mount', ['-o', 'remount,size=64m', disk]);
            await server.restart();
          });
          await stream.stop();
          await sender.close();
          const remains = await remainsOf(server.url, KEYS);
          const except = { drained: 'nobody works here', noOrphans: 'nobody works here' };
          run.judge({
            remains,
            faults: { 'disk full': 1 },
            except,
            figures: { acked: stream.acked },
          });
          expect(stream.acked).toBeGreaterThan(1_000);
        } finally {
          await server.kill();
          execFileSync('umount', [disk]);
          await server.stop();
        }
      },
    );
  });
});

async function answers(url: string): Promise<boolean> {
  const redis = new Redis(url, {
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
    return true;
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}
