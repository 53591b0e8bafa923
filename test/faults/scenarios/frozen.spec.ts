import { describe, expect, it } from 'vitest';
import { serverSuite } from '../../support/available.js';
import { startPostgres } from '../../support/postgres.server.js';
import { startRedis } from '../../support/redis.server.js';
import { createTable, remainsOf, withRaw } from '../remains.js';
import { isFull, Run } from '../run.js';
import { keysOf, Sender } from '../sender.js';
import { settled } from '../storm.js';
import { freeze, Stream } from '../stream.js';

const KEYS = keysOf(40);

/** Freezes workers in the middle of turns until others have their messages, then lets them go on as zombies. */
async function zombies(name: string, url: string, times: number): Promise<number> {
  const run = new Run(name);
  if (!url.startsWith('redis:')) {
    await (await Sender.open(url, run.ledger)).close();
    await createTable(url);
  }
  const sender = await Sender.open(url, run.ledger);
  const stream = new Stream(sender, KEYS, 5_000, 300);
  // Long turns, so that many are at work when their process freezes.
  const workers = [run.worker({ url, work: [50, 150] }), run.worker({ url, work: [50, 150] })];
  for (let time = 0; time < times; time++) {
    const victim = workers[run.nemesis.between(0, 1)]!;
    await run.reached(victim, 50);
    await freeze(run, victim, run.nemesis.between(3_500, 4_500));
  }
  await stream.stop();
  await sender.close();
  await settled(url);
  for (const worker of workers) await worker.stop();
  const remains = await withRaw(url, await remainsOf(url, KEYS));
  const begun = run.events().filter(({ kind }) => kind === 'start').length;
  run.judge({ remains, faults: { SIGSTOP: times } });
  return begun - remains.commits.length;
}

describe('a worker that was frozen past its locks', { timeout: 600_000 }, () => {
  serverSuite('redis-server', 'on Redis', () => {
    it('commits nothing when it goes on', async () => {
      const server = await startRedis({ appendonly: true });
      try {
        // Some of its turns were begun again by others, or it was no zombie.
        expect(await zombies('SIGSTOP, Redis', server.url, isFull ? 20 : 2)).toBeGreaterThan(0);
      } finally {
        await server.stop();
      }
    });
  });

  if (!isFull) return;
  serverSuite('postgres', 'on PostgreSQL', () => {
    it('commits nothing when it goes on', async () => {
      const server = await startPostgres();
      try {
        const url = await server.createDatabase();
        expect(await zombies('SIGSTOP, PostgreSQL', url, 10)).toBeGreaterThan(0);
      } finally {
        await server.stop();
      }
    });
  });
});
