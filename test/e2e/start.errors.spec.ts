import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectExit, startApp, type Entry } from '../support/app.process.js';
import { serverSuite } from '../support/available.js';
import { atEnd } from '../support/cleanup.js';
import { freePort } from '../support/ports.js';
import { startPostgres } from '../support/postgres.server.js';
import { startRedis } from '../support/redis.server.js';

/** A wrong start: the app, its environment, and what its one line must say. */
type WrongStart = [title: string, entry: Entry, env: () => Record<string, string>, says: RegExp];

const SECRET = 's3cret-that-nobody-may-read';
let nobody: number;
let taken: number;

beforeAll(async () => {
  nobody = await freePort();
  taken = await freePort();
  const listener = createServer().listen(taken, '127.0.0.1');
  atEnd(() => listener.close());
});

describe.concurrent('a wrong start ends with one line that says what to do', () => {
  starts([
    ...ofStore('mysql://root:{secret}@localhost/app', /no store for 'mysql:.*use pglite:<folder>/, [
      'standalone',
    ]),
    ...ofStore('garbage', /no store for 'garbage'.*use pglite:<folder>/, ['worker']),
    ...ofStore('pglite:', /CALLSHEET_URL|no store for 'pglite:'/, ['standalone']),
    ...ofStore('redis://127.0.0.1:{nobody}', /cannot use Redis at redis:.*ECONNREFUSED/),
    ...ofStore(
      'postgres://me:{secret}@127.0.0.1:{nobody}/x',
      /cannot use PostgreSQL.*ECONNREFUSED/,
    ),
    ...ofStore('pglite:./data', /CALLSHEET_URL must be redis.*npm start/, ['api', 'worker']),
    ...ofStore('memory:', /CALLSHEET_URL must be redis.*npm start/, ['api']),
    ...ofStore('', /CALLSHEET_URL must be redis.*npm start/, ['worker']),
    [
      'open to all without a key',
      'standalone',
      () => ({ HOST: '0.0.0.0' }),
      /HOST .*'0\.0\.0\.0'.*CALLSHEET_API_KEY/,
    ],
    [
      'a short key',
      'standalone',
      () => ({ CALLSHEET_API_KEY: SECRET }),
      /CALLSHEET_API_KEY must be at least 32/,
    ],
    ['a port that is no number', 'standalone', () => ({ PORT: 'http' }), /PORT must be .*'http'/],
    ['a port out of range', 'standalone', () => ({ PORT: '65536' }), /PORT must be .*'65536'/],
    [
      'a port in use',
      'standalone',
      () => ({ PORT: `${taken}` }),
      /PORT \d+ is in use on 127\.0\.0\.1/,
    ],
    [
      'a bad WEBHOOK_SECRET',
      'standalone',
      () => ({ WEBHOOK_SECRET: SECRET }),
      /WEBHOOK_SECRET must be 'whsec_'/,
    ],
    [
      'a bad CALLSHEET_ENCRYPTION_KEYS',
      'standalone',
      () => ({ CALLSHEET_ENCRYPTION_KEYS: `k1:${SECRET}` }),
      /CALLSHEET_ENCRYPTION_KEYS must be <id>:<base64 of 32 bytes>.*number 1 is not/,
    ],
    [
      'a bad SMTP_URL',
      'standalone',
      () => ({ SMTP_URL: `http://me:${SECRET}@host` }),
      /SMTP_URL must be smtp:/,
    ],
  ]);

  serverSuite('redis-server', 'Redis', () => {
    const urls: Record<string, string> = {};
    beforeAll(async () => {
      const [locked, evicting] = await Promise.all([
        startRedis({ password: 'another' }),
        startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] }),
      ]);
      urls['locked'] = locked.url.replace('another', SECRET);
      urls['evicting'] = evicting.url;
    });

    starts(
      (['standalone', 'api', 'worker'] as const).flatMap((entry): WrongStart[] => [
        [
          `${entry}: a wrong password`,
          entry,
          () => store(urls['locked']),
          /cannot use Redis at redis:\/\/127.*WRONGPASS/,
        ],
        [
          `${entry}: a server that evicts`,
          entry,
          () => store(urls['evicting']),
          /maxmemory-policy is 'allkeys-lru'.*noeviction/,
        ],
      ]),
    );
  });

  serverSuite('postgres', 'PostgreSQL', () => {
    let url = '';
    beforeAll(async () => {
      url = (await startPostgres()).url.replace(/postgres$/, 'nowhere').replace('@', `:${SECRET}@`);
    });

    starts([
      [
        'a database that does not exist',
        'api',
        () => store(url),
        /cannot use PostgreSQL.*"nowhere" does not exist/,
      ],
    ]);
  });
});

describe('a process that is told to end while it starts', () => {
  it('is closed in order, and gives its folder back', async () => {
    // It says where mail goes before it opens its store.
    const app = await startApp('standalone', { PORT: '0' }, { ready: /mail goes to/ });
    expect(await app.stop()).toEqual({ code: 0, signal: null });
    expect(existsSync(path.join(app.cwd, '.callsheet/lock'))).toBe(false);
  });
});

/** The same wrong CALLSHEET_URL for several apps; `{nobody}` stands for a port without a server. */
function ofStore(
  url: string,
  says: RegExp,
  entries: Entry[] = ['standalone', 'api', 'worker'],
): WrongStart[] {
  return entries.map((entry) => [
    `${entry}: CALLSHEET_URL=${url.replace('{secret}', '***')}`,
    entry,
    () => store(url.replace('{nobody}', `${nobody}`).replace('{secret}', SECRET)),
    says,
  ]);
}

function store(url = ''): Record<string, string> {
  return { CALLSHEET_URL: url };
}

function starts(table: WrongStart[]): void {
  it.for(table)('%s', async ([, entry, env, says]) => {
    const { code, stdout, stderr } = await expectExit(entry, { PORT: '0', ...env() });
    expect(stderr).toMatch(/^callsheet: [^\n]+\n$/);
    expect(stderr).toMatch(says);
    expect(stdout + stderr).not.toContain(SECRET);
    expect(stdout + stderr).not.toContain('    at ');
    expect(code).toBe(1);
  });
}
