import { Actors, ENGINE, MessageRegistry, type Engine } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import { openStage } from '../../../api/test/stage.js';
import { eventually } from '../../../../test/support/eventually.js';
import { freePort } from '../../../../test/support/ports.js';
import { tempDir } from '../../../../test/support/temp.js';
import { doctorForFile, later, ONE, TWO } from '../../test/doctor.js';
import { shellOf, type } from '../../test/terminal.js';
import { examine } from './check.js';
import { examination } from './examination.js';
import { MACHINE, machineFacts, type Machine } from './machine.js';

const OIDC = { OIDC_ISSUER: 'https://id.example.org', OIDC_AUDIENCE: 'a' };
const { app, api, found, ids } = doctorForFile();

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
  // Another Node, another bullmq, a disk with little room: nothing that a test could plant.
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

  it('says in a short line which zones are old, and all of it to who wants it', async () => {
    const zones = ['America/Vancouver', 'Europe/Chisinau', 'America/Havana', 'America/Winnipeg'];
    const tzdata = zones.map((zone) => `${zone}: a law that this Node does not know`);
    const machine = { ...(await machineFacts(undefined)), node: '24.0.0', tzdata };
    const [finding] = examine(MACHINE, machine);
    expect(finding).toMatchObject({ id: 'tzdata-old', details: tzdata });
    expect(finding?.found).toBe(
      'time zone data is old: schedules in America/Vancouver, Europe/Chisinau, America/Havana and 1 more run an hour off',
    );
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
    const holder = await openStage({ url: env.CALLSHEET_URL, providers: [] });
    expect(await ids(env)).toEqual(['store-held', 'api-away']);
    expect(await ids({ ...env, CALLSHEET_API_URL: api() })).toEqual([]);
    await holder.close();
    expect(await ids(env)).toEqual(['api-away']);
  }, 60_000);

  it('has no room where the store is', async () => {
    // A file system of the kernel's own, on which no byte is free.
    const env = { CALLSHEET_URL: 'pglite:/proc/callsheet', CALLSHEET_API_URL: api() };
    const { findings } = await examination(shellOf(env));
    expect(findings.map(({ id }) => id)).toContain('disk-full');
  });
});

describe('what runs', () => {
  const call = (url: string, payload: object = {}) =>
    app().inject({ method: 'POST', url, payload });
  const remove = async (url: string) =>
    expect((await app().inject({ method: 'DELETE', url })).statusCode).toBeLessThan(300);

  it('has actors that nobody works for, that are paused, whose dead letters pile up', async () => {
    const letters = Array.from({ length: 101 }, () => ({
      type: 'greeter.greet',
      data: { name: 'nobody' },
    }));
    await call('/v1/messages:batch', { messages: [...letters, { type: 'shelf.keep', data: {} }] });
    await eventually(async () => {
      const { counts } = (await app().inject({ url: '/v1/actors/greeter' })).json<{
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

  it('has schedules that are late', async () => {
    const week = 8 * 24 * 3_600_000;
    expect(await ids({})).not.toContain('schedule-late');
    expect(await ids({}, later(week))).toContain('schedule-late');
  });

  it('has schedules that fail', async () => {
    const message = { type: 'greeter.greet', data: { name: 'nobody' } };
    await call('/v1/schedules', { id: 'failing', message, every: '1h' });
    expect(await ids({})).not.toContain('schedule-fails');
    for (const failures of [1, 2, 3]) {
      await call('/v1/schedules/failing/trigger');
      await eventually(async () => {
        const schedule = await app().inject({ url: '/v1/schedules/failing' });
        expect(schedule.json()).toMatchObject({ failures });
      });
    }
    expect(await ids({})).toContain('schedule-fails');
    await remove('/v1/schedules/failing');
  });

  it('has schedules that are broken', async () => {
    const message = { type: 'shelf.keep', data: {} };
    await call('/v1/schedules', { id: 'lost', message, cron: '0 9 * * *', tz: 'Europe/Madrid' });
    const stored = await app().get<Engine>(ENGINE).state('schedules', 'lost');
    const { definition } = stored!.data as unknown as { definition: { rule: object } };
    expect(await ids({})).not.toContain('schedule-broken');
    // The API takes no such zone; a worker whose data has it may have stored it.
    const rule = { ...definition.rule, tz: 'No/Where' };
    const put = { key: 'lost', definition: { ...definition, rule } };
    await app().get(Actors).tell(app().get(MessageRegistry).create('schedules.put', put));
    await eventually(async () => expect(await ids({})).toContain('schedule-broken'));
    await remove('/v1/schedules/lost');
  });

  it('has an API whose event loop is late', async () => {
    // It tells of what was since it was asked last.
    await app().inject({ url: '/metrics' });
    for (let round = 0; round < 3; round++) {
      const end = performance.now() + 300;
      while (performance.now() < end);
      await new Promise(setImmediate);
    }
    const { findings } = await examination(
      shellOf({ CALLSHEET_API_URL: api(), CALLSHEET_URL: 'memory:' }),
    );
    expect(findings.map(({ id }) => id)).toContain('event-loop-lags');
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
    const env = { CALLSHEET_API_URL: api(), CALLSHEET_URL: 'memory:' };
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
