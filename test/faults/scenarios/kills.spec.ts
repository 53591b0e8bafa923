import { describe, expect, it } from 'vitest';
import { serverSuite } from '../../support/available.js';
import { startPostgres } from '../../support/postgres.server.js';
import { startRedis } from '../../support/redis.server.js';
import { tempDir } from '../../support/temp.js';
import { isFull, ONLY_FULL } from '../run.js';
import { storm } from '../storm.js';

describe('keyed turns whose workers are killed', { timeout: 600_000 }, () => {
  serverSuite('redis-server', 'Redis', () => {
    it('lose nothing, double nothing, and keep their order', async () => {
      const server = await startRedis({ appendonly: true });
      try {
        const size = isFull ? { messages: 40_000, kills: 30 } : { messages: 1_000, kills: 2 };
        const { remains } = await storm({
          name: 'worker kill -9, Redis',
          url: server.url,
          workers: 2,
          ...size,
        });
        expect(remains.commits.length + remains.dead.length).toBeGreaterThan(size.messages);
      } finally {
        await server.stop();
      }
    });

    it.skipIf(!isFull)(
      `lose nothing when workers are deployed anew under load${ONLY_FULL}`,
      async () => {
        const server = await startRedis({ appendonly: true });
        try {
          const { remains } = await storm({
            name: 'worker SIGTERM, Redis',
            by: 'SIGTERM',
            url: server.url,
            messages: 5_000,
            kills: 10,
            workers: 2,
          });
          expect(remains.commits.length).toBeGreaterThan(4_900);
        } finally {
          await server.stop();
        }
      },
    );
  });

  serverSuite('postgres', 'PostgreSQL', () => {
    it('lose nothing, double nothing, and keep their order, with SQL of the turn', async () => {
      const server = await startPostgres();
      try {
        const size = isFull ? { messages: 10_000, kills: 30 } : { messages: 500, kills: 2 };
        const url = await server.createDatabase();
        const { remains } = await storm({
          name: 'worker kill -9, PostgreSQL',
          url,
          workers: 2,
          ...size,
        });
        expect(remains.rows?.length).toBe(remains.commits.length);
      } finally {
        await server.stop();
      }
    });
  });

  it('lose nothing on the embedded store, killed with its process', async () => {
    const size = isFull ? { messages: 4_000, kills: 20 } : { messages: 300, kills: 1 };
    const url = `pglite:${tempDir()}`;
    const { remains } = await storm({ name: 'kill -9, PGlite', url, workers: 1, ...size });
    expect(remains.rows?.length).toBe(remains.commits.length);
  });
});
