import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { serverSuite } from '../../support/available.js';
import { startPostgres } from '../../support/postgres.server.js';
import { startRedis } from '../../support/redis.server.js';
import { Clockwork } from '../clockwork.js';
import type { ApiOptions } from '../clockwork.schedules.js';
import { isFull, ONLY_FULL } from '../run.js';
import { shim } from '../shim.js';

/** What two cores carry in three minutes, of 1,000 schedules, 50 restarts, ten workers and ten apis. */
const SCHEDULES = Number(process.env['CLOCKWORK_SCHEDULES'] ?? 200);
const RESTARTS = Number(process.env['CLOCKWORK_RESTARTS'] ?? 20);
const WORKERS = Number(process.env['CLOCKWORK_WORKERS'] ?? 3);
const APIS = Number(process.env['CLOCKWORK_APIS'] ?? 1);
const CALM = { seconds: [10, 15, 20, 30], takes: [0, 50] };

const ROUNDS = Number(process.env['CLOCKWORK_ROUNDS'] ?? 10);

interface Harm {
  name: string;
  url: string;
  restart: () => Promise<void>;
}

/** Workers are killed and exchanged, the server is started anew, and nobody is there for a while. */
async function harmed({ name, url, restart }: Harm): Promise<number> {
  const clockwork = await Clockwork.open(name, url);
  const { nemesis } = clockwork.run;
  try {
    for (let n = 0; n < 2; n++) clockwork.worker();
    await clockwork.create(40, [1, 2, 3, 5]);
    for (let round = 0; round < (isFull ? ROUNDS : 1); round++) {
      await clockwork.reached(40);
      await clockwork.exchange('kill -9');
      await clockwork.reached(40);
      await clockwork.exchange('SIGTERM');
      await clockwork.started();
      await nemesis.harm('server restarted', restart);
      await clockwork.reached(20);
      await clockwork.allDown(isFull ? nemesis.between(1_000, 8_000) : 2_500);
    }
    await clockwork.reached(40);
    return (await clockwork.judge()).runs;
  } finally {
    await clockwork.close();
  }
}

describe('schedules under faults', { timeout: 900_000 }, () => {
  serverSuite('redis-server', 'on Redis', () => {
    it('account for each occurrence once, and run it once', async () => {
      const server = await startRedis({ appendonly: true, args: ['--appendfsync', 'always'] });
      try {
        const restart = async (): Promise<void> => {
          await server.kill();
          await server.restart();
        };
        const runs = await harmed({ name: 'schedules, Redis', url: server.url, restart });
        expect(runs).toBeGreaterThan(100);
      } finally {
        await server.stop();
      }
    });

    it.skipIf(!isFull)(
      `go through rolling restarts of workers and apis, which change them, without any loss${ONLY_FULL}`,
      async () => {
        const server = await startRedis({ appendonly: true });
        const clockwork = await Clockwork.open('schedules, rolling restarts', server.url);
        try {
          for (let n = 0; n < WORKERS; n++) clockwork.worker();
          await clockwork.create(SCHEDULES, CALM.seconds, CALM.takes);
          const api = (seed: number): ApiOptions => ({ ...CALM, count: SCHEDULES, seed });
          for (let n = 0; n < APIS; n++) clockwork.api(api(n));
          await clockwork.apisStarted();
          for (let restart = 0; restart < RESTARTS; restart++) {
            await clockwork.reached(20);
            await clockwork.exchange('SIGTERM');
            await clockwork.exchangeApi(api(APIS + restart));
          }
          expect((await clockwork.judge()).runs).toBeGreaterThan(RESTARTS * 20);
        } finally {
          await clockwork.close();
          await server.stop();
        }
      },
    );

    serverSuite('gcc', 'as the shim sets the clock of a worker', () => {
      it.skipIf(!isFull)(
        `begin nothing early, and go on, when the clock jumps by five minutes${ONLY_FULL}`,
        async () => {
          const server = await startRedis();
          const clockwork = await Clockwork.open('schedules, clock, Redis', server.url);
          const clock = path.join(clockwork.run.dir, 'offset');
          writeFileSync(clock, '0');
          try {
            const worker = clockwork.worker({ ...shim('clock'), CLOCK_OFFSET_FILE: clock });
            await clockwork.create(10, [1, 2, 3], [0, 100]);
            await clockwork.reached(20);
            for (const offset of [300_000, -300_000, 0]) {
              const set = (): void => writeFileSync(clock, `${offset}`);
              await clockwork.run.nemesis.harm('clock', set, worker.pid);
              await clockwork.reached(20);
            }
            // One that is behind waits for up to ten seconds too long.
            expect((await clockwork.judge()).runs).toBeGreaterThan(50);
          } finally {
            await clockwork.close();
            await server.stop();
          }
        },
      );
    });
  });

  serverSuite('postgres', 'on PostgreSQL', () => {
    it.skipIf(!isFull)(
      `account for each occurrence once, and run it once${ONLY_FULL}`,
      async () => {
        const server = await startPostgres();
        try {
          const url = await server.createDatabase();
          const restart = async (): Promise<void> => {
            await server.kill();
            await server.restart();
          };
          const runs = await harmed({ name: 'schedules, PostgreSQL', url, restart });
          expect(runs).toBeGreaterThan(100);
        } finally {
          await server.stop();
        }
      },
    );
  });
});
