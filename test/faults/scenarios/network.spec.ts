import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, it, expect } from 'vitest';
import { serverSuite } from '../../support/available.js';
import { eventually } from '../../support/eventually.js';
import { startRedis, type RedisServer } from '../../support/redis.server.js';
import { Proxy } from '../proxy.js';
import { remainsOf, withRaw } from '../remains.js';
import { isFull, ONLY_FULL, Run } from '../run.js';
import { keysOf, Sender } from '../sender.js';
import { settled } from '../storm.js';
import { Stream } from '../stream.js';

const KEYS = keysOf(20);

interface Storm {
  name: string;
  server: RedisServer;
  faults: Readonly<Record<string, number>>;
  harm: (run: Run, proxy: Proxy) => Promise<void>;
}

/** Sender and workers reach Redis through a proxy, which is harmed while they work. */
async function stormy({ name, server, faults, harm }: Storm): Promise<number> {
  const run = new Run(name);
  const proxy = await Proxy.to(server.port);
  const sender = await Sender.open(proxy.url, run.ledger);
  const stream = new Stream(sender, KEYS, 5_000, 30);
  const workers = [run.worker({ url: proxy.url }), run.worker({ url: proxy.url })];
  await Promise.all(workers.map((worker) => run.reached(worker, 20)));
  await harm(run, proxy);
  proxy.become({});
  await stream.stop();
  await sender.close();
  await settled(server.url);
  for (const worker of workers) await worker.stop();
  const remains = await withRaw(server.url, await remainsOf(server.url, KEYS));
  run.judge({ remains, faults });
  return stream.acked;
}

describe('a bad network', { timeout: 300_000 }, () => {
  serverSuite('redis-server', 'between everybody and Redis', () => {
    it('loses and doubles nothing: lost replies, resets, latency, black holes', async () => {
      const server = await startRedis({ appendonly: true });
      const times = isFull ? 10 : 1;
      try {
        const harm = async (run: Run, proxy: Proxy): Promise<void> => {
          const hold = (): Promise<void> => delay(run.nemesis.between(50, 400));
          for (let time = 0; time < times; time++) {
            await run.nemesis.harm('lost reply', async () => {
              proxy.become({ losesReplies: true });
              await hold();
              proxy.cut();
              proxy.become({});
            });
            await run.nemesis.harm('reset', async () => {
              proxy.cut();
              await hold();
            });
            await run.nemesis.harm('latency', async () => {
              proxy.become({ latency: run.nemesis.between(20, 200) });
              await hold();
              proxy.become({});
            });
            await run.nemesis.harm('black hole', async () => {
              proxy.become({ isBlackHole: true });
              await hold();
              // What was swallowed leaves holes in the stream: no connection of then can go on.
              proxy.cut();
              proxy.become({});
            });
          }
        };
        const each = times;
        const faults = { 'lost reply': each, reset: each, latency: each, 'black hole': each };
        expect(await stormy({ name: 'network, Redis', server, faults, harm })).toBeGreaterThan(0);
      } finally {
        await server.stop();
      }
    });

    it.skipIf(!isFull)(
      `is worked through when Redis ends all connections, again and again${ONLY_FULL}`,
      async () => {
        const server = await startRedis({ appendonly: true });
        const redis = new Redis(server.url);
        try {
          const harm = async (run: Run): Promise<void> => {
            for (let time = 0; time < 200; time++) {
              await run.nemesis.harm('CLIENT KILL', () =>
                redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
              );
              await delay(50);
            }
          };
          const faults = { 'CLIENT KILL': 200 };
          expect(await stormy({ name: 'CLIENT KILL', server, faults, harm })).toBeGreaterThan(0);
        } finally {
          redis.disconnect();
          await server.stop();
        }
      },
    );
  });
});

describe('failover to a replica', { timeout: 300_000 }, () => {
  serverSuite('redis-server', 'by REPLICAOF', () => {
    it.skipIf(!isFull)(
      `loses at most what was not replicated, and doubles nothing${ONLY_FULL}`,
      async () => {
        const [primary, replica] = [
          await startRedis({ appendonly: true }),
          await startRedis({ appendonly: true }),
        ];
        const redis = new Redis(replica.url);
        try {
          await redis.replicaof('127.0.0.1', primary.port);
          await eventually(async () =>
            (await redis.info('replication')).includes('master_link_status:up'),
          );
          const run = new Run('failover');
          const proxy = await Proxy.to(primary.port);
          const sender = await Sender.open(proxy.url, run.ledger);
          const stream = new Stream(sender, KEYS, 5_000, 30);
          const worker = run.worker({ url: proxy.url });
          await run.reached(worker, 100);
          await run.nemesis.harm('failover', async () => {
            await primary.kill();
            await redis.replicaof('NO', 'ONE');
            proxy.point(replica.port);
            proxy.cut();
          });
          await delay(1_000);
          await stream.stop();
          await sender.close();
          await settled(replica.url);
          await worker.stop();
          const remains = await withRaw(replica.url, await remainsOf(replica.url, KEYS));
          const lossy = 'an asynchronous replica lacks the last instants, acknowledged or not';
          const except = {
            nothingLost: lossy,
            deadLettersExact: lossy,
            zombiesCommitNothing: lossy,
          };
          const there = new Set([...remains.commits.map(({ of }) => of), ...remains.dead]);
          const acked = run.events().flatMap((event) => (event.kind === 'acked' ? [event.id] : []));
          const lost = acked.filter((id) => !there.has(id)).length;
          run.judge({
            remains,
            faults: { failover: 1 },
            except,
            figures: { acked: acked.length, lost },
          });
          // On loopback the link is quick: what is lost is not a multiple of what can be under way.
          expect(lost).toBeLessThanOrEqual(KEYS.length * 10);
        } finally {
          redis.disconnect();
          await replica.stop();
          await primary.stop();
        }
      },
    );
  });
});
