import { describe, expect, it } from 'vitest';
import { serverSuite } from '../../support/available.js';
import { startPostgres } from '../../support/postgres.server.js';
import { startRedis } from '../../support/redis.server.js';
import { tempDir } from '../../support/temp.js';
import { killed, poisoned } from '../crowd.js';
import { isFull, ONLY_FULL } from '../run.js';

/** More than the six with which a message is given up that was there each time. */
const KILLS = isFull ? 60 : 8;
/** Each has a lock to wait for, and a process to start. Others may use the machine too. */
const TIMEOUT = 120_000 + KILLS * 20_000;

/** The two things that end a process: somebody from outside, and one of the messages. */
function crowdSuite(name: string, start: () => Promise<{ url: string; stop(): Promise<void> }>) {
  const isLeftOut = !isFull && name !== 'Redis';
  const more = isLeftOut ? ONLY_FULL : '';
  it.skipIf(isLeftOut)(`that is killed again and again are all done at last${more}`, async () => {
    const server = await start();
    try {
      const { done, dead, together } = await killed(`crowd, kill -9, ${name}`, server.url, KILLS);
      expect({ done, dead, together }).toEqual({ done: 30, dead: [], together: 30 });
    } finally {
      await server.stop();
    }
  });

  it('beside one that ends the process are done, and that one is given up', async () => {
    const server = await start();
    try {
      const { done, dead, deaths, together } = await poisoned(`crowd, poison, ${name}`, server.url);
      expect({ done, dead, together }).toEqual({
        done: 30,
        dead: [['poison', 'crashed']],
        together: 31,
      });
      expect(deaths).toBeLessThanOrEqual(6);
    } finally {
      await server.stop();
    }
  });
}

describe('messages in a process', { timeout: TIMEOUT }, () => {
  serverSuite('redis-server', 'on Redis', () => {
    crowdSuite('Redis', () => startRedis({ appendonly: true }));
  });

  serverSuite('postgres', 'on PostgreSQL', () => {
    crowdSuite('PostgreSQL', async () => {
      const server = await startPostgres();
      return { url: await server.createDatabase(), stop: () => server.stop() };
    });
  });

  // Its processes start slowly.
  describe.skipIf(!isFull)(`on the embedded store${ONLY_FULL}`, () => {
    crowdSuite('PGlite', async () => ({ url: `pglite:${tempDir()}`, stop: async () => undefined }));
  });
});
