import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStage } from '../../../api/test/stage.js';
import { serverSuite } from '../../../../test/support/available.js';
import { eventually } from '../../../../test/support/eventually.js';
import { freePort } from '../../../../test/support/ports.js';
import { startPostgres, type PostgresServer } from '../../../../test/support/postgres.server.js';
import { startRedis, type RedisServer } from '../../../../test/support/redis.server.js';
import { tempDir } from '../../../../test/support/temp.js';
import { shellOf, type } from '../../test/terminal.js';
import { Api } from '../api.js';
import { examine, type Finding } from './check.js';
import { examination } from './examination.js';
import { MACHINE, machineFacts, type Machine } from './machine.js';
import { REDIS, redisFacts } from './redis.js';
import { POSTGRES, postgresFacts } from './postgres.js';
import { RUNNING, runningFacts } from './running.js';

const ONE = Buffer.alloc(32, 1).toString('base64');
const TWO = Buffer.alloc(32, 2).toString('base64');
const OIDC = { OIDC_ISSUER: 'https://id.example.org', OIDC_AUDIENCE: 'a' };
/** What the machine of the tests is told of by itself. */
const OF_MACHINE = ['tzdata-old', 'disk-nearly-full', 'disk-full', 'event-loop-lags'];

let app: NestFastifyApplication;
let api: string;

beforeAll(async () => {
  app = await openStage();
  await app.listen(0, '127.0.0.1');
  api = await app.getUrl();
}, 60_000);
afterAll(() => app.close());

/** All that is found in an environment, but what is the matter with this machine. */
async function found(
  env: Record<string, string>,
  now: () => number = Date.now,
): Promise<Finding[]> {
  const shell = shellOf({ CALLSHEET_API_URL: api, CALLSHEET_URL: 'memory:', ...env });
  const { findings } = await examination(shell, now);
  for (const { found: what, fix } of findings) expect([what, fix]).not.toContain('');
  return findings.filter(({ id }) => !OF_MACHINE.includes(id));
}

async function ids(env: Record<string, string>, now?: () => number): Promise<string[]> {
  return (await found(env, now)).map(({ id }) => id);
}

/** Those about the store: what runs has its own. */
async function ofStore(env: Record<string, string>): Promise<string[]> {
  return (await ids(env)).filter((id) => /^(redis|postgres|store|clock|encryption)-/.test(id));
}

const later = (ms: number) => () => Date.now() + ms;

describe('the environment', () => {
  it('may be without mistakes', async () => {
    expect(await ids({})).toEqual([]);
  });

  it.each<[id: string, env: Record<string, string>]>([
    ['store-named-otherwise', { CALLSHEET_URL: '', REDIS_URL: 'redis://localhost' }],
    ['store-unknown', { CALLSHEET_URL: 'mysql://localhost' }],
    ['host-open', { HOST: '0.0.0.0' }],
    ['host-without-tls', { HOST: '::', OIDC_ISSUER: 'https://id.example.org' }],
    ['api-key-weak', { CALLSHEET_API_KEY: 'secret' }],
    ['api-key-weak', { CALLSHEET_API_KEY: 'a'.repeat(40) }],
    ['session-secret-missing', OIDC],
    ['oidc-half', { OIDC_ISSUER: 'https://id.example.org' }],
    ['oidc-half', { OIDC_ROLE_CLAIM: 'roles' }],
    ['oidc-half', { OIDC_CLIENT_ID: 'callsheet', PUBLIC_URL: 'https://jobs.example.org' }],
    ['oidc-half', { ...OIDC, OIDC_CLIENT_ID: 'callsheet' }],
    ['oidc-half', { ...OIDC, OIDC_CLIENT_SECRET: 'x', PUBLIC_URL: 'https://jobs.example.org' }],
    ['metrics-open', { METRICS_ADDRESS: '0.0.0.0:9464' }],
    ['metrics-open', { METRICS_ADDRESS: '[::]:9464' }],
    ['smtp-half', { MAIL_FROM: 'a@example.org' }],
    ['smtp-half', { SMTP_URL: 'smtp://mail.example.org' }],
    ['smtp-half', { SMTP_URL: 'mail.example.org:25', MAIL_FROM: 'a@example.org' }],
    ['push-half', { VAPID_PUBLIC_KEY: 'a' }],
    ['encryption-keys-bad', { CALLSHEET_ENCRYPTION_KEYS: 'k1:short' }],
    ['api-url-plain', { CALLSHEET_API_URL: 'http://api.invalid', CALLSHEET_API_KEY: 'x' }],
  ])('has %s: %o', async (id, env) => {
    expect(await ids(env)).toContain(id);
  });

  it.each(['redis', 'postgres'])('has a store that is not there: %s', async (scheme) => {
    const url = `${scheme}://127.0.0.1:${await freePort()}/0`;
    expect(await ids({ CALLSHEET_URL: url })).toEqual(
      expect.arrayContaining(['webhook-secret-missing', 'store-unreachable']),
    );
  });

  it('may have all of what belongs together', async () => {
    const whole = {
      ...{ ...OIDC, OIDC_CLIENT_ID: 'callsheet', PUBLIC_URL: 'https://jobs.example.org' },
      ...{ SESSION_SECRET: ONE, METRICS_ADDRESS: '9464' },
    };
    expect(await ids(whole)).toEqual([]);
    const open = { METRICS_ADDRESS: '0.0.0.0:9464', METRICS_TOKEN: ONE };
    expect(await ids({ ...whole, ...open })).toEqual([]);
    expect(await ids({ ...whole, METRICS_ADDRESS: '127.0.0.1:9464' })).toEqual([]);
  });

  it('shows no secret', async () => {
    const keys = `k1:${ONE},k1:${TWO}`;
    const findings = await found({
      ...{ CALLSHEET_API_KEY: 'hunter2', CALLSHEET_ENCRYPTION_KEYS: keys },
      CALLSHEET_URL: `redis://:hunter2@127.0.0.1:${await freePort()}`,
    });
    expect(JSON.stringify(findings)).not.toMatch(/hunter2|AQEB|AgIC/);
    expect(findings.length).toBeGreaterThan(2);
  });
});

describe('the machine', () => {
  const planted: [id: string, facts: Partial<Machine>][] = [
    ['node-old', { node: '20.18.1' }],
    ['bullmq-other', { bullmq: { installed: '6.8.0', proved: '6.7.0' } }],
    ['tzdata-old', { tzdata: ['Europe/Chisinau: ...'] }],
    ['disk-full', { disk: { free: 1_000, size: 10 ** 12 } }],
    ['disk-nearly-full', { disk: { free: 10 ** 10, size: 10 ** 12 } }],
    ['folder-read-only', { isWritable: false }],
  ];
  it.each(planted)('has %s', async (id, facts) => {
    const good = { node: '24.0.0', tzdata: [], disk: { free: 10 ** 11, size: 10 ** 12 } };
    const machine = { ...(await machineFacts(tempDir())), ...good };
    expect(examine(MACHINE, machine)).toEqual([]);
    expect(examine(MACHINE, { ...machine, ...facts }).map((each) => each.id)).toEqual([id]);
  });

  it('may be full, and its folder read-only, when the store is elsewhere', async () => {
    const facts = { disk: { free: 0, size: 10 ** 12 }, isWritable: false };
    const of = async (embedded?: string) =>
      examine(MACHINE, { ...(await machineFacts(embedded)), tzdata: [], ...facts });
    expect((await of(tempDir())).map(({ id }) => id)).toEqual(['disk-full', 'folder-read-only']);
    expect(await of()).toEqual([]);
  });

  it('has an embedded store that a process holds which does not answer', async () => {
    const folder = tempDir();
    const env = {
      CALLSHEET_URL: `pglite:${folder}`,
      CALLSHEET_API_URL: `http://127.0.0.1:${await freePort()}`,
    };
    expect(await ids(env)).toEqual(['api-away']);
    writeFileSync(path.join(folder, 'lock'), JSON.stringify({ pid: process.pid }));
    expect(await ids(env)).toEqual(['store-held', 'api-away']);
    expect(await ids({ ...env, CALLSHEET_API_URL: api })).toEqual([]);
  });
});

describe('what runs', () => {
  const call = (url: string, payload: object = {}) => app.inject({ method: 'POST', url, payload });

  it('has actors that nobody works for, that are paused, whose dead letters pile up', async () => {
    const letters = Array.from({ length: 101 }, () => ({
      type: 'greeter.greet',
      data: { name: 'nobody' },
    }));
    await call('/v1/messages:batch', { messages: [...letters, { type: 'shelf.keep', data: {} }] });
    await eventually(async () => {
      const { counts } = (await app.inject({ url: '/v1/actors/greeter' })).json<{
        counts: { dead: number };
      }>();
      return counts.dead === 101;
    });
    expect(await ids({})).toEqual(['dead-letters-pile']);
    expect(await ids({}, later(61_000))).toContain('nobody-works');
    await call('/v1/actors/greeter/pause', { reason: 'too loud' });
    expect(await ids({})).toEqual(['actor-paused', 'dead-letters-pile']);
    await call('/v1/actors/greeter/resume');
  });

  it('has schedules that are late, that fail, that are broken', async () => {
    const week = 8 * 24 * 3_600_000;
    expect(await ids({}, later(week))).toContain('schedule-late');
    const facts = await runningFacts(new Api(shellOf({ CALLSHEET_API_URL: api })), Date.now);
    expect(facts.lag).toBeTypeOf('number');
    const [schedule] = facts.schedules;
    const having = (more: object) =>
      examine(RUNNING, {
        ...{ actors: [], idle: [], lag: 0.01, now: Date.now() },
        ...{ schedules: [{ ...schedule!, ...more }] },
      }).map(({ id }) => id);
    expect(having({})).toEqual([]);
    expect(having({ failures: 3 })).toEqual(['schedule-fails']);
    expect(having({ state: 'broken', problem: 'no such zone' })).toEqual(['schedule-broken']);
    expect(
      examine(RUNNING, { ...facts, actors: [], schedules: [], lag: 0.5, now: 0 }),
    ).toMatchObject([{ id: 'event-loop-lags' }]);
  });

  it('has an API that refuses', async () => {
    const closed = await openStage({ apiKey: 'k'.repeat(32) });
    await closed.listen(0, '127.0.0.1');
    expect(await ids({ CALLSHEET_API_URL: await closed.getUrl() })).toEqual(['api-refuses']);
    await closed.close();
  });
});

describe('the command', () => {
  it('ends with 0 for warnings, with 1 for errors, and says what to do', async () => {
    const env = { CALLSHEET_API_URL: api, CALLSHEET_URL: 'memory:' };
    const warned = await type('doctor', { env: { ...env, MAIL_FROM: 'a@example.org' } });
    expect(warned.code).toBe(0);
    expect(warned.out).toMatch(/^warning {2}smtp-half: MAIL_FROM is set without/m);
    const wrong = await type('doctor', { env: { ...env, HOST: '0.0.0.0' } });
    expect(wrong.code).toBe(1);
    expect(wrong.out).toMatch(/^ERROR {4}host-open: .*\n +set CALLSHEET_API_KEY=/m);
    const json = await type('doctor --json', { env: { ...env, HOST: '0.0.0.0' } });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      looked: ['environment', 'machine', 'api'],
      findings: expect.arrayContaining([
        {
          id: 'host-open',
          severity: 'error',
          found: expect.any(String) as string,
          fix: expect.any(String) as string,
        },
      ]) as object,
    });
  });
});

serverSuite('redis-server', 'Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  const env = () => ({ CALLSHEET_URL: server.url, WEBHOOK_SECRET: 'x' });

  beforeAll(async () => {
    server = await startRedis({ appendonly: true });
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    await redis.flushall();
    await redis.config('SET', 'appendonly', 'yes');
    await redis.config('SET', 'appendfsync', 'everysec');
    await redis.config('SET', 'maxmemory', '0');
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
  });

  const used = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  const encrypted = (kid: string) =>
    redis.hset(`{callsheet}:email:${kid}`, 'data', `{"$encrypted":{"kid":"${kid}","iv":"a"}}`);

  it('may be without mistakes', async () => {
    await redis.set('{callsheet}.sent:a', '1', 'EX', 100);
    await encrypted('k1');
    expect(await ofStore({ ...env(), CALLSHEET_ENCRYPTION_KEYS: `k1:${ONE}` })).toEqual([]);
  });

  it.each<[id: string, plant: () => Promise<unknown>]>([
    ['redis-evicts', () => redis.config('SET', 'maxmemory-policy', 'allkeys-lru')],
    ['redis-without-aof', () => redis.config('SET', 'appendonly', 'no')],
    ['redis-never-syncs', () => redis.config('SET', 'appendfsync', 'no')],
    ['redis-full', async () => redis.config('SET', 'maxmemory', Math.round((await used()) / 0.9))],
    [
      'redis-nearly-full',
      async () => redis.config('SET', 'maxmemory', Math.round((await used()) / 0.72)),
    ],
    ['redis-keys-last', () => redis.set('{callsheet}.sent:a', '1')],
    ['redis-keys-last', () => redis.set('{callsheet}.notes:a', '1')],
    ['encryption-key-missing', () => encrypted('k9')],
    ['encryption-key-old', () => encrypted('k1')],
  ])('has %s', async (id, plant) => {
    const keys = { CALLSHEET_ENCRYPTION_KEYS: `k2:${TWO},k1:${ONE}` };
    expect(await ids({ ...env(), ...keys })).not.toContain(id);
    await plant();
    expect(await ids({ ...env(), ...keys })).toContain(id);
  });

  it('is a replica', async () => {
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${server.port}`] });
    expect(await ids({ ...env(), CALLSHEET_URL: replica.url })).toContain('redis-replica');
    await replica.stop();
  });

  it('has another clock', async () => {
    expect(await ids(env(), later(2_000))).toContain('clock-drifts');
    expect(await ids(env(), later(-60_000))).toContain('clock-apart');
  });

  it('is too old, or cannot write', async () => {
    const facts = await redisFacts(server.url, Date.now);
    const told = (name: string, value: string) =>
      examine(REDIS, { ...facts, info: new Map([...facts.info, [name, value]]) }).map(
        ({ id }) => id,
      );
    expect(told('redis_version', facts.info.get('redis_version')!)).toEqual([]);
    expect(told('redis_version', '6.0.16')).toEqual(['redis-old']);
    const without = { ...facts, info: new Map([...facts.info, ['aof_enabled', '0']]) };
    const loses = (save?: string) => examine(REDIS, { ...without, save }).map((each) => each.found);
    expect(loses('')).toEqual([expect.stringContaining('loses every message')]);
    expect(loses('900 1')).toEqual([expect.stringContaining('after the last snapshot')]);
    expect(loses(undefined)).toEqual([expect.stringContaining('loses messages')]);
    expect(told('aof_last_write_status', 'err')).toEqual(['redis-aof-fails']);
  });
});

serverSuite('postgres', 'PostgreSQL', () => {
  let server: PostgresServer;
  let url: string;
  let client: Client;
  const env = () => ({ CALLSHEET_URL: url, WEBHOOK_SECRET: 'x' });
  const sql = (text: string) => client.query(text);

  beforeAll(async () => {
    server = await startPostgres({ args: ['-c', 'fsync=on'] });
    url = await server.createDatabase();
    const stage = await openStage({ url, providers: [] });
    const payload = { type: 'shelf.keep', data: {} };
    await stage.inject({ method: 'POST', url: '/v1/messages', payload });
    await stage.close();
    client = new Client({ connectionString: url });
    await client.connect();
  }, 60_000);
  afterAll(async () => {
    await client.end();
    await server.stop();
  });

  it('may be without mistakes, also before anybody was there', async () => {
    expect(await ofStore(env())).toEqual([]);
    const empty = await server.createDatabase();
    expect(await ofStore({ ...env(), CALLSHEET_URL: empty })).toEqual([]);
  });

  it.each<[id: string, plant: string, mend: string]>([
    [
      'postgres-commits-late',
      'ALTER DATABASE callsheet_1 SET synchronous_commit = off',
      'ALTER DATABASE callsheet_1 RESET synchronous_commit',
    ],
    [
      'postgres-migrations-missing',
      'UPDATE callsheet.migration SET version = -version WHERE version = (SELECT max(version) FROM callsheet.migration)',
      'UPDATE callsheet.migration SET version = -version WHERE version < 0',
    ],
    [
      'postgres-schema-newer',
      'INSERT INTO callsheet.migration (version) VALUES (999)',
      'DELETE FROM callsheet.migration WHERE version = 999',
    ],
    [
      'postgres-keys-last',
      `INSERT INTO callsheet.sent SELECT 'x' || n, '', now() - interval '2 hours' FROM generate_series(1, 1001) AS n`,
      'DELETE FROM callsheet.sent',
    ],
    [
      'encryption-key-missing',
      `UPDATE bullmq.job SET data = '{"$encrypted":{"kid":"k9"}}' WHERE queue = 'shelf'`,
      `UPDATE bullmq.job SET data = '{}' WHERE queue = 'shelf'`,
    ],
  ])('has %s', async (id, plant, mend) => {
    expect(await ids(env())).not.toContain(id);
    await sql(plant);
    expect(await ids(env())).toContain(id);
    await sql(mend);
  });

  it('has another clock', async () => {
    expect(await ids(env(), later(2_000))).toContain('clock-drifts');
    expect(await ids(env(), later(60_000))).toContain('clock-apart');
  });

  it('has few connections, none left, no fsync', async () => {
    const few = await startPostgres({ args: ['-c', 'max_connections=20'] });
    const own = { ...env(), CALLSHEET_URL: few.url };
    expect(await ids(own)).toEqual(
      expect.arrayContaining(['postgres-connections-few', 'postgres-never-syncs']),
    );
    // Of the 20 three are for superusers, as this one is.
    const clients = Array.from({ length: 17 }, () => new Client({ connectionString: few.url }));
    await Promise.all(clients.map((each) => each.connect()));
    expect(await ids(own)).toContain('postgres-connections-out');
    await Promise.all(clients.map((each) => each.end()));
    await few.stop();
  }, 60_000);

  it('may have in use what Callsheet itself has opened, and counts two more for each actor', async () => {
    const facts = await postgresFacts(url, Date.now);
    expect(facts.actors).toBeGreaterThan(0);
    const having = (connections: object, actors = 0) =>
      examine(POSTGRES, {
        ...{ ...facts, actors },
        connections: { ...facts.connections, ...connections },
      }).map(({ id }) => id);
    expect(having({ most: 40, used: 39, others: 0 })).toEqual([]);
    expect(having({ most: 40, used: 39, others: 9 })).toEqual(['postgres-connections-few']);
    expect(having({ most: 40, used: 0, others: 0 }, 5)).toEqual(['postgres-connections-few']);
  });

  it('is too old, or a replica', async () => {
    const facts = await postgresFacts(url, Date.now);
    expect(examine(POSTGRES, facts)).toEqual([]);
    expect(examine(POSTGRES, { ...facts, version: 120_010 })).toMatchObject([
      { id: 'postgres-old' },
    ]);
    expect(examine(POSTGRES, { ...facts, isReplica: true })).toMatchObject([
      { id: 'postgres-replica' },
    ]);
  });
});
