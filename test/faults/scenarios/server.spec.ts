import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { serverSuite } from '../../support/available.js';
import { startPostgres } from '../../support/postgres.server.js';
import { startRedis } from '../../support/redis.server.js';
import { createTable, remainsOf, withRaw } from '../remains.js';
import { isFull, Run } from '../run.js';
import { keysOf, Sender } from '../sender.js';
import { settled } from '../storm.js';
import { Stream } from '../stream.js';

const KEYS = keysOf(30);

interface Harm {
  name: string;
  url: string;
  /** Hurts the server once; when it resolves the server is there again. */
  hurt: (run: Run) => Promise<void>;
  times: number;
}

/** Sends and handles without a pause while the server is hurt. Nobody is told to wait: clients and workers must manage. */
async function hurtServer({ name, url, hurt, times }: Harm): Promise<Run> {
  const run = new Run(name);
  if (!url.startsWith('redis:')) {
    await (await Sender.open(url, run.ledger)).close();
    await createTable(url);
  }
  const sender = await Sender.open(url, run.ledger);
  const stream = new Stream(sender, KEYS, 5_000, 40);
  const workers = [run.worker({ url }), run.worker({ url })];
  await Promise.all(workers.map((worker) => run.reached(worker, 20)));
  for (let time = 0; time < times; time++) {
    await delay(run.nemesis.between(300, 900));
    await hurt(run);
  }
  await delay(500);
  await stream.stop();
  await sender.close();
  await settled(url);
  for (const worker of workers) {
    expect(worker.running, `a worker ended by itself:\n${worker.output}`).toBe(true);
    await worker.stop();
  }
  return run;
}

describe('a server that is killed and started again', { timeout: 300_000 }, () => {
  serverSuite('redis-server', 'Redis', () => {
    for (const fsync of ['always', 'everysec']) {
      if (fsync === 'everysec' && !isFull) continue;
      it(`loses nothing that was acknowledged, appendfsync ${fsync}`, async () => {
        const server = await startRedis({ appendonly: true, args: ['--appendfsync', fsync] });
        try {
          const times = isFull ? 5 : 2;
          const hurt = (run: Run): Promise<void> =>
            run.nemesis.harm('redis kill -9', async () => {
              await server.kill();
              await delay(run.nemesis.between(0, 500));
              await server.restart();
            });
          const name = `redis-server kill -9, ${fsync}`;
          const { url } = server;
          const run = await hurtServer({ name, url, hurt, times });
          const remains = await withRaw(url, await remainsOf(url, KEYS));
          run.judge({ remains, faults: { 'redis kill -9': times } });
          expect(remains.commits.length).toBeGreaterThan(100);
        } finally {
          await server.stop();
        }
      });
    }
  });

  if (!isFull) return;
  serverSuite('postgres', 'PostgreSQL', () => {
    it('loses nothing that was acknowledged, killed and with sessions ended', async () => {
      const server = await startPostgres();
      try {
        const url = await server.createDatabase();
        let calls = 0;
        const hurt = (run: Run): Promise<void> =>
          calls++ % 2 === 0
            ? run.nemesis.harm('postgres kill -9', async () => {
                await server.kill();
                await server.restart();
              })
            : run.nemesis.harm('sessions ended', () => endSessions(url));
        const times = 8;
        const run = await hurtServer({ name: 'PostgreSQL kill -9, terminate', url, hurt, times });
        const remains = await withRaw(url, await remainsOf(url, KEYS));
        run.judge({ remains, faults: { 'postgres kill -9': 4, 'sessions ended': 4 } });
        expect(remains.rows?.length).toBeGreaterThan(100);
      } finally {
        await server.stop();
      }
    });
  });
});

async function endSessions(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
  } finally {
    await client.end();
  }
}
