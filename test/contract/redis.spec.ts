import { afterAll } from 'vitest';
import { serverSuite } from '../support/available.js';
import { startRedis, type RedisServer } from '../support/redis.server.js';
import { engineContract } from './suite.js';

serverSuite('redis-server', 'Redis', () => {
  let server: RedisServer | undefined;
  afterAll(() => server?.stop());

  engineContract({
    name: 'Redis',
    url: async () => (server = await startRedis({ appendonly: true })).url,
    lacks: { sql: 'speaks no SQL' },
  });
});
