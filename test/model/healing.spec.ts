import { ENGINE } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import { serverSuite } from '../support/available.js';
import { startPostgres } from '../support/postgres.server.js';
import { startRedis } from '../support/redis.server.js';
import { tempDir } from '../support/temp.js';
import { HEALING, healed } from './healing.js';
import { Stage } from './stage.js';
import { redisVandal, sqlVandal, type Vandal } from './vandal.js';

const isFull = process.env['FAULTS'] === 'full';

/** Twice the bound, and the time that the occurrences take to come. */
const TIMEOUT = 180_000;
const BEHAVIOUR = 'are healed within 30 s, tell of it, and lose and double nothing';

/** @returns how many damages were healed */
async function tried(url: string, vandalOf: (pool: unknown) => Vandal): Promise<number> {
  const stage = new Stage(url, { name: url, url: async () => url });
  const { imports, providers } = HEALING;
  const app = await stage.app(providers, { lockDuration: '10s' }, { imports });
  // An embedded store lets nobody else in.
  const { database } = app.get<{ database: { pool?: unknown } }>(ENGINE);
  const vandal = vandalOf(database.pool);
  try {
    return await healed(app, vandal);
  } finally {
    vandal.close();
    await stage.close();
  }
}

const onlyWhole = isFull ? '' : ' (skipped: FAULTS=full runs it, it takes a minute)';

describe('schedules that somebody has damaged', () => {
  serverSuite('redis-server', 'on Redis', () => {
    it.skipIf(!isFull)(BEHAVIOUR + onlyWhole, { timeout: TIMEOUT }, async () => {
      const server = await startRedis();
      expect(await tried(server.url, () => redisVandal(server.url))).toBeGreaterThan(12);
    });
  });

  serverSuite('postgres', 'on PostgreSQL', () => {
    it.skipIf(!isFull)(BEHAVIOUR + onlyWhole, { timeout: TIMEOUT }, async () => {
      const server = await startPostgres();
      expect(
        await tried(await server.createDatabase(), (pool) => sqlVandal(pool as never)),
      ).toBeGreaterThan(12);
    });
  });

  it.skipIf(!isFull)(`on PGlite ${BEHAVIOUR}${onlyWhole}`, { timeout: TIMEOUT }, async () => {
    expect(
      await tried(`pglite:${tempDir('callsheet-healing-')}`, (pool) => sqlVandal(pool as never)),
    ).toBeGreaterThan(12);
  });
});
