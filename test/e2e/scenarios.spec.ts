import { beforeAll, describe } from 'vitest';
import type { ApiClient } from '../support/api.client.js';
import { serverSuite } from '../support/available.js';
import { startStandalone } from '../support/deployment.js';
import { startPostgres, type PostgresServer } from '../support/postgres.server.js';
import { startRedis } from '../support/redis.server.js';
import { startSmtpPeer, type SmtpPeer } from '../support/smtp.peer.js';
import { field } from './field.cases.js';
import { startField, type FieldStage } from './field.stage.js';
import { messageLife, workerEnv } from './message.life.js';

describe('PGlite, api and worker in one process', () => {
  let started: { api: ApiClient; smtp: SmtpPeer };
  beforeAll(async () => {
    const smtp = await startSmtpPeer();
    started = { api: (await startStandalone(workerEnv(smtp))).api, smtp };
  });
  messageLife(() => started);
});

serverSuite('postgres', 'with rows on a PostgreSQL server', () => {
  let rows: PostgresServer;
  beforeAll(async () => {
    rows = await startPostgres();
  });

  serverSuite('redis-server', 'Redis, processes of their own', () => {
    both(async () => (await startRedis({ appendonly: true })).url);
  });

  describe('PostgreSQL, processes of their own', () => {
    both(() => rows.createDatabase());
  });

  /** On one deployment. */
  function both(store: () => Promise<string>): void {
    let stage: FieldStage;
    beforeAll(async () => {
      stage = await startField(await store(), rows);
    });
    field(() => stage);
    messageLife(() => stage);
  }
});
