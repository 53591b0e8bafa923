import { describe, expect, it } from 'vitest';
import { serverSuite } from '../../support/available.js';
import { startPostgres } from '../../support/postgres.server.js';
import { startRedis } from '../../support/redis.server.js';
import { fieldRun } from '../field/run.js';
import { isFull, ONLY_FULL } from '../run.js';

/** Which store the run is on: `redis`, or `postgres`. */
const STORE = process.env['FAULT_STORE'] ?? 'redis';
const SECONDS = Number(process.env['FAULT_SECONDS'] ?? 300);

// Each scenario runs alone in test/e2e/scenarios.spec.ts, and dying workers are in the other scenarios here: `npm test` has both.
describe(
  'all scenarios at once, over HTTP, while workers are killed',
  { timeout: 1_200_000 },
  () => {
    serverSuite('postgres', 'rows on PostgreSQL', () => {
      serverSuite('redis-server', `messages on ${STORE}`, () => {
        it.skipIf(!isFull)(`lose nothing${ONLY_FULL}`, async () => {
          const rows = await startPostgres();
          const redis = STORE === 'redis' ? await startRedis({ appendonly: true }) : undefined;
          const [from, to] = [await rows.createDatabase(), await rows.createDatabase()];
          try {
            const found = await fieldRun({
              ...{ name: `field, ${STORE}`, url: redis?.url ?? (await rows.createDatabase()) },
              ...{ from, to, seconds: SECONDS },
            });
            expect(found.wrong.slice(0, 20)).toEqual([]);
            expect(Math.min(...Object.values(found.accepted))).toBeGreaterThan(SECONDS);
            expect(found.handled).toBeGreaterThan(SECONDS * 20);
            expect(found.kills).toBeGreaterThan(Math.floor(SECONDS / 15));
          } finally {
            await Promise.all([rows.stop(), redis?.stop()]);
          }
        });
      });
    });
  },
);
