import { Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import { eventually } from '../../support/eventually.js';
import { Proxy } from '../proxy.js';
import { cutPower, unsynced } from '../power.js';
import type { Mutant, Stage } from './stage.js';

/** A queue whose connection goes through a proxy. */
async function through(
  proxy: Proxy,
  options: RedisOptions = {},
): Promise<{ queue: Queue; client: Redis }> {
  const client = new Redis(proxy.url, { maxRetriesPerRequest: null, ...options });
  client.on('error', () => undefined);
  const queue = new Queue('plain', { connection: client });
  queue.on('error', () => undefined);
  await queue.waitUntilReady();
  return { queue, client };
}

/** Mistakes of those that send. */
export const SENDING: readonly Mutant[] = [
  {
    title: 'ids are generated where a message is stored',
    by: 'committedOnce',
    play: async (stage) => {
      const proxy = await Proxy.to(stage.server.port);
      const { queue, client } = await through(proxy);
      stage.run.ledger.write({ kind: 'intent', id: 'm', n: 0 });
      await stage.run.nemesis.harm('lost reply', async () => {
        proxy.become({ losesReplies: true });
        const adding = queue.add('work', { id: 'm' });
        await eventually(async () => (await stage.queue.getWaitingCount()) === 1);
        proxy.become({});
        proxy.cut();
        await adding;
      });
      stage.run.ledger.write({ kind: 'acked', id: 'm' });
      client.disconnect();
      await proxy.close();
      return stage.remains();
    },
  },
  {
    title: 'many messages are sent at once, and not as one',
    by: 'allOrNone',
    play: async (stage) => {
      const proxy = await Proxy.to(stage.server.port);
      const { queue, client } = await through(proxy, { retryStrategy: () => null });
      const jobs = Array.from({ length: 2_000 }, (_, n) => ({
        name: 'work',
        data: { id: `m${n}` },
      }));
      for (const [n, { data }] of jobs.entries()) {
        stage.run.ledger.write({ kind: 'intent', ...data, n, batch: 'bulk' });
      }
      await stage.run.nemesis.harm('cut', async () => {
        proxy.become({ bytes: 300_000 });
        // The process that sent is gone with its connection.
        await queue.addBulk(jobs).catch(() => undefined);
      });
      client.disconnect();
      await proxy.close();
      return stage.remains();
    },
  },
  {
    title: 'a schedule is stored again at every start',
    by: 'nothingLost',
    play: async (stage) => {
      const upsert = (): Promise<unknown> =>
        stage.queue.upsertJobScheduler('each second', { pattern: '* * * * * *' });
      // Long enough before the next second: what is due at once is not delayed.
      await eventually(() => Date.now() % 1_000 < 500);
      await upsert();
      const [due] = await stage.queue.getDelayed();
      const at = due!.timestamp + due!.delay;
      const slot = `slot ${at}`;
      stage.run.ledger.write({ kind: 'intent', id: slot, n: 0 });
      stage.run.ledger.write({ kind: 'acked', id: slot });
      // It comes due while the application is deployed anew.
      await eventually(() => Date.now() > at + 50);
      await upsert();
      await fired(stage);
      const later = (await stage.effects()).filter(({ of }) => of !== slot);
      for (const { of } of later) stage.run.ledger.write({ kind: 'intent', id: of, n: 0 });
      await stage.queue.removeJobScheduler('each second');
      return stage.remains();
    },
  },
  {
    title: 'a full Redis leaves no room for work that would empty it',
    by: 'drained',
    play: async (stage) => {
      for (let n = 0; n < 20; n++) await stage.add({ id: `m${n}` });
      let refusals = 0;
      await stage.run.nemesis.harm('out of memory', async () => {
        await stage.redis.config('SET', 'maxmemory', 1);
        const worker = new Worker('plain', async () => undefined, { connection: stage.connection });
        worker.on('error', ({ message }) => void (refusals += message.includes('OOM') ? 1 : 0));
        await eventually(() => refusals >= 3);
        await worker.close();
        await stage.redis.config('SET', 'maxmemory', 0);
      });
      return stage.remains();
    },
  },
];

/** On a server of its own, with the shim that knows what was synced. */
export const POWER: Mutant = {
  title: 'a file that is synced every second is taken for safe',
  by: 'nothingLost',
  play: async (stage) => {
    for (let n = 0; n < 2_000; n++) {
      await stage.add({ id: `m${n}` });
      if (n > 100 && unsynced(stage.server) > 0) break;
    }
    await stage.run.nemesis.harm('power cut', async () => {
      await cutPower(stage.server);
      await stage.server.restart();
    });
    return stage.remains();
  },
};

/** Lets what is due run. */
async function fired(stage: Stage): Promise<void> {
  const worker = new Worker(
    'plain',
    async (job) => {
      const of = `slot ${job.timestamp + job.delay}`;
      await stage.redis.rpush('effects', JSON.stringify({ of, run: of }));
    },
    { connection: stage.connection },
  );
  await eventually(async () => (await stage.effects()).length > 0);
  await worker.close();
}
