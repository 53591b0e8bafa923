import { afterAll } from 'vitest';
import { serverSuite } from '../support/available.js';
import { startPostgres, type PostgresServer } from '../support/postgres.server.js';
import { programmingModel } from './suite.js';

serverSuite('postgres', 'PostgreSQL', () => {
  let server: PostgresServer | undefined;
  afterAll(() => server?.stop());

  programmingModel({
    name: 'PostgreSQL',
    url: async () => (server = await startPostgres()).createDatabase(),
  });
});
