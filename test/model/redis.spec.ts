import { afterAll } from 'vitest';
import { serverSuite } from '../support/available.js';
import { startRedis, type RedisServer } from '../support/redis.server.js';
import { programmingModel } from './suite.js';

serverSuite('redis-server', 'Redis', () => {
  let server: RedisServer | undefined;
  afterAll(() => server?.stop());

  programmingModel({
    name: 'Redis',
    url: async () => (server = await startRedis()).url,
  });
});
