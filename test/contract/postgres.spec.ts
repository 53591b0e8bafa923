import { afterAll } from 'vitest';
import { serverSuite } from '../support/available.js';
import { startPostgres, type PostgresServer } from '../support/postgres.server.js';
import { engineContract } from './suite.js';

serverSuite('postgres', 'PostgreSQL', () => {
  let server: PostgresServer | undefined;
  afterAll(() => server?.stop());

  engineContract({
    name: 'PostgreSQL',
    url: async () => (server = await startPostgres()).createDatabase(),
    lacks: {},
  });
});
