import { describe, expect, it } from 'vitest';
import { serverSuite } from '../../support/available.js';
import { startPostgres } from '../../support/postgres.server.js';
import { startRedis } from '../../support/redis.server.js';
import { fanout } from '../fanout.js';
import { isFull, ONLY_FULL } from '../run.js';

const KILLS = isFull ? 100 : 2;

/** Each is heard by one, every third by another too. */
const heardOf = (rings: number): number => rings + Math.ceil(rings / 3);

describe('events of turns that are killed around their commit', { timeout: 1_200_000 }, () => {
  serverSuite('redis-server', 'on Redis', () => {
    it('reach every subscriber once', async () => {
      const server = await startRedis({ appendonly: true });
      try {
        const { rings, heard } = await fanout('events, Redis', server.url, KILLS);
        expect(heard).toBe(heardOf(rings));
      } finally {
        await server.stop();
      }
    });
  });

  serverSuite('postgres', 'on PostgreSQL', () => {
    // The part that `npm test` runs is the one on Redis.
    it.skipIf(!isFull)(`reach every subscriber once${ONLY_FULL}`, async () => {
      const server = await startPostgres();
      try {
        const url = await server.createDatabase();
        const { rings, heard } = await fanout('events, PostgreSQL', url, KILLS);
        expect(heard).toBe(heardOf(rings));
      } finally {
        await server.stop();
      }
    });
  });
});
