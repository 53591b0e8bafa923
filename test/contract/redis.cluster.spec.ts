import { afterAll } from 'vitest';
import { serverSuite } from '../support/available.js';
import { startRedisCluster, type RedisCluster } from '../support/redis.cluster.js';
import { engineContract } from './suite.js';

serverSuite('redis-server', 'Redis Cluster', () => {
  let cluster: RedisCluster | undefined;
  afterAll(() => cluster?.stop());

  engineContract({
    name: 'Redis Cluster',
    url: async () => (cluster = await startRedisCluster()).url,
    lacks: { sql: 'speaks no SQL' },
  });
});
