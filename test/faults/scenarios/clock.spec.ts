import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { serverSuite } from '../../support/available.js';
import { startRedis } from '../../support/redis.server.js';
import { remainsOf, withRaw } from '../remains.js';
import { Run } from '../run.js';
import { Sender } from '../sender.js';
import { shim } from '../shim.js';
import { settled } from '../storm.js';

describe('a worker whose clock is set while it runs', () => {
  serverSuite('redis-server', 'on Redis', () => {
    serverSuite('gcc', 'as the shim sets it', () => {
      it('begins nothing before it is due, and nothing much later', async () => {
        const server = await startRedis({ appendonly: true });
        try {
          const run = new Run('clock of a worker, Redis');
          const clock = path.join(run.dir, 'offset');
          writeFileSync(clock, '0');
          const env = { ...shim('clock'), CLOCK_OFFSET_FILE: clock };
          const worker = run.worker({ url: server.url }, env);
          await run.reached(worker, 1);
          const sender = await Sender.open(server.url, run.ledger);
          for (let n = 0; n < 40; n++) await sender.later(`later-${n}`, 1_500 + n * 50);
          for (const offset of [3_600_000, -60_000, 0]) {
            const set = (): void => writeFileSync(clock, `${offset}`);
            await run.nemesis.harm('clock', set, worker.pid);
            await new Promise((resolve) => setTimeout(resolve, 700));
          }
          await sender.close();
          await settled(server.url, 30_000);
          await worker.stop();
          const remains = await withRaw(server.url, await remainsOf(server.url, []));
          run.judge({ remains, faults: { clock: 3 } });
          expect(remains.commits).toHaveLength(40);
        } finally {
          await server.stop();
        }
      });
    });
  });
});
