import { describe, expect, it } from 'vitest';
import { serverSuite } from '../../support/available.js';
import { startPostgres } from '../../support/postgres.server.js';
import { startRedis } from '../../support/redis.server.js';
import { isFull, ONLY_FULL } from '../run.js';
import { copying, type Copied } from '../sync.js';

const SIZE = isFull
  ? { rows: 1_000_000, page: 2_000, kills: 30 }
  : { rows: 20_000, page: 500, kills: 2 };
/** The most memory of a worker, MiB, whatever the number of rows. */
const MOST_MEMORY = 300;

function judge({ source, target, kills, rss, ...copied }: Copied): void {
  expect(target).toEqual(source);
  expect(copied.late).toBe(1);
  expect(copied.pagesBeforeLate).toBeGreaterThan(0);
  expect(copied.written).toBeGreaterThan(100);
  expect(kills).toBe(SIZE.kills);
  expect(rss).toBeLessThan(MOST_MEMORY);
}

describe(
  'a table that is copied while it is written and workers are killed',
  { timeout: 1_800_000 },
  () => {
    serverSuite('postgres', 'on PostgreSQL', () => {
      serverSuite('redis-server', 'with Redis as store', () => {
        it('arrives whole, each page once', async () => {
          const [server, redis] = await Promise.all([
            startPostgres(),
            startRedis({ appendonly: true }),
          ]);
          try {
            const source = await server.createDatabase();
            const sink = await server.createDatabase();
            const copied = await copying({
              name: 'sync, Redis',
              url: redis.url,
              source,
              sink,
              ...SIZE,
            });
            judge(copied);
            expect(copied.pushed).toBe(copied.counted);
            expect(copied.target.n).toBeGreaterThan(SIZE.rows);
          } finally {
            await Promise.all([server.stop(), redis.stop()]);
          }
        });
      });

      // The part that `npm test` runs is the one on Redis.
      it.skipIf(!isFull)(`arrives whole where the store is the sink${ONLY_FULL}`, async () => {
        const server = await startPostgres();
        try {
          const source = await server.createDatabase();
          const url = await server.createDatabase();
          const copied = await copying({ name: 'sync, PostgreSQL', url, source, ...SIZE });
          judge(copied);
          expect(copied.pushed).toBe(copied.counted);
          expect(copied.target.n).toBeGreaterThan(SIZE.rows);
        } finally {
          await server.stop();
        }
      });

      it.skipIf(!isFull)(`arrives whole from a replication slot${ONLY_FULL}`, async () => {
        const server = await startPostgres({ args: ['-c', 'wal_level=logical'] });
        try {
          const source = await server.createDatabase();
          const url = await server.createDatabase();
          // A third of the kills hits pages of the copy.
          const size = { ...SIZE, rows: 10_000, page: 200 };
          const copied = await copying({
            name: 'sync, slot',
            url,
            source,
            isReplicated: true,
            ...size,
          });
          judge(copied);
          expect(copied.written).toBeGreaterThan(1_000);
        } finally {
          await server.stop();
        }
      });
    });
  },
);
