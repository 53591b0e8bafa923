import { describe } from 'vitest';
import { serverSuite } from '../support/available.js';
import { startApi, startStandalone, startWorker } from '../support/deployment.js';
import { startPostgres } from '../support/postgres.server.js';
import { startRedis } from '../support/redis.server.js';
import { scenario } from './scenario.js';

describe('PGlite, api and worker in one process', () => {
  scenario(async (env) => (await startStandalone(env)).api);
});

serverSuite('redis-server', 'Redis, api and worker as processes of their own', () => {
  scenario(async (env) => startBoth((await startRedis({ appendonly: true })).url, env));
});

serverSuite('postgres', 'PostgreSQL, api and worker as processes of their own', () => {
  scenario(async (env) => startBoth((await startPostgres()).url, env));
});

async function startBoth(store: string, env: Record<string, string>) {
  const [{ api }] = await Promise.all([startApi(store), startWorker(store, env)]);
  return api;
}
