import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Context, type Driver } from '../../../../../test/contract/context.js';
import { serverSuite } from '../../../../../test/support/available.js';
import { startRedis, type RedisServer } from '../../../../../test/support/redis.server.js';
import { termOf } from '../../search.term.js';
import { PREFIX } from './redis.keys.js';
import { MOST_ENTRIES } from './redis.terms.js';

serverSuite('redis-server', 'the index of terms on Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  it('has room for so many entries of an actor, and those of the messages sent first go', async () => {
    const context = new Context({ name: 'Redis', lacks: {} } as unknown as Driver, server.url);
    try {
      const engine = await context.engine();
      const { actor } = context;
      const [old, fresh] = [termOf('n', 'old'), termOf('n', 'fresh')];
      const now = Date.now();
      await engine.send([context.envelope({ terms: [old], sentAt: now - 2 })]);
      const prefix = `${PREFIX}:${actor}:terms`;
      // As so many messages would leave them that are gone.
      await redis.eval(
        `for n = 2, tonumber(ARGV[1]) do
           local entry = ARGV[2] .. '|' .. ARGV[3] .. '|gone-' .. n
           redis.call('ZADD', KEYS[1], 0, entry)
           redis.call('ZADD', KEYS[1] .. ':at', ARGV[3], entry)
         end`,
        1,
        prefix,
        MOST_ENTRIES,
        fresh,
        now - 1,
      );
      expect((await engine.search([actor], old, { limit: 5 })).items).toHaveLength(1);
      const sent = [1, 2, 3].map(() => context.envelope({ terms: [fresh], sentAt: now }));
      await engine.send(sent);
      expect(await redis.zcard(prefix)).toBe(MOST_ENTRIES);
      expect(await redis.zcard(`${prefix}:at`)).toBe(MOST_ENTRIES);
      expect((await engine.search([actor], old, { limit: 5 })).items).toEqual([]);
      // What is gone is passed over, a thousand at a time, and goes.
      const { items, next } = await engine.search([actor], fresh, { limit: 5 });
      expect(new Set(items.map(({ envelope }) => envelope.id))).toEqual(
        new Set(sent.map(({ id }) => id)),
      );
      expect(next).toMatchObject({ sentAt: now - 1 });
      const left = await redis.zcard(prefix);
      expect(left).toBeLessThanOrEqual(MOST_ENTRIES - 4_000);
      expect(await redis.zcard(`${prefix}:at`)).toBe(left);
      expect((await engine.search([actor], fresh, { limit: 5 })).items).toHaveLength(3);
    } finally {
      await context.close();
    }
  });
});
