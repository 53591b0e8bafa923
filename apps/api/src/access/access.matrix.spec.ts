import { ENGINE, type Engine, type JsonObject } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { OutgoingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage } from '../../test/stage.js';
import type { Role } from './permission.js';

const KEY = 'k'.repeat(32);

/** Files and pages of the console. */
const CONSOLE = [
  'GET /',
  'GET /icon.svg',
  'GET /assets/*',
  ...['actors', 'messages', 'dead-letters', 'schedules', 'sync', 'routes', 'audit'].flatMap(
    (page) => [`GET /${page}`, `GET /${page}/*`],
  ),
];

/** The least that each call needs, written down again: a call that is not here, or needs something else, fails. */
const CALLS: Record<string, Role | 'anybody' | 'open' | 'signed'> = {
  'GET /health/live': 'open',
  'GET /health/ready': 'open',
  'GET /login': 'open',
  'POST /login': 'open',
  'GET /login/oidc': 'open',
  'GET /login/oidc/callback': 'open',
  'POST /logout': 'open',
  'POST /v1/hooks/:source': 'signed',
  'GET /openapi.json': 'anybody',
  'GET /docs': 'anybody',
  'GET /docs/:file': 'anybody',
  ...Object.fromEntries(CONSOLE.map((call) => [call, 'anybody' as const])),
  'GET /v1/me': 'anybody',
  'GET /metrics': 'viewer',
  'GET /v1/messages': 'viewer',
  'GET /v1/messages/:id': 'viewer',
  'POST /v1/messages': 'operator',
  'POST /v1/messages::batch': 'operator',
  'POST /v1/messages::ask': 'operator',
  'DELETE /v1/messages/:id': 'operator',
  'POST /v1/topics/:topic': 'operator',
  'POST /v1/topics/:topic(^[^:]+)::ask': 'operator',
  'GET /v1/dead-letters': 'viewer',
  'GET /v1/dead-letters::groups': 'viewer',
  'GET /v1/dead-letters/:id': 'viewer',
  'POST /v1/dead-letters/:id/redrive': 'operator',
  'POST /v1/dead-letters::redrive': 'operator',
  'POST /v1/actors/:actor/pause': 'operator',
  'POST /v1/actors/:actor/resume': 'operator',
  'DELETE /v1/dead-letters/:id': 'admin',
  'GET /v1/actors': 'viewer',
  'GET /v1/actors/:actor': 'viewer',
  'GET /v1/actors/:actor/keys': 'viewer',
  'GET /v1/actors/:actor/keys/:key': 'operator',
  'GET /v1/actors/:actor/keys/:key/journal': 'operator',
  'POST /v1/actors/:actor/keys/:key/release': 'operator',
  'GET /v1/events': 'viewer',
  'GET /v1/activity': 'viewer',
  'GET /v1/routes': 'viewer',
  'GET /v1/routes/:id': 'viewer',
  'GET /v1/routes/:id/history': 'viewer',
  'POST /v1/routes::test': 'viewer',
  'PUT /v1/routes/:id': 'admin',
  'DELETE /v1/routes/:id': 'admin',
  'GET /v1/subscriptions': 'viewer',
  'GET /v1/subscriptions/:actor': 'viewer',
  'DELETE /v1/subscriptions/:actor': 'admin',
  'GET /v1/schedules': 'viewer',
  'GET /v1/schedules/:id': 'viewer',
  'GET /v1/schedules/:id/runs': 'viewer',
  'GET /v1/schedules/:id/next': 'viewer',
  'POST /v1/schedules::preview': 'viewer',
  'POST /v1/schedules/:id/pause': 'operator',
  'POST /v1/schedules/:id/resume': 'operator',
  'POST /v1/schedules/:id/trigger': 'operator',
  'POST /v1/schedules/:id/backfill': 'operator',
  'POST /v1/schedules': 'admin',
  'PUT /v1/schedules/:id': 'admin',
  'DELETE /v1/schedules/:id': 'admin',
  'GET /v1/rooms/:room': 'viewer',
  'GET /v1/rooms/:room/events': 'viewer',
  'GET /v1/rooms/:room/socket': 'operator',
  'POST /v1/rooms/:room/messages': 'operator',
  'GET /v1/sync': 'viewer',
  'GET /v1/sync/:pipeline': 'viewer',
  'GET /v1/sync/:pipeline/history': 'viewer',
  'POST /v1/sync/:pipeline/run': 'operator',
  'POST /v1/sync/:pipeline/backfill': 'operator',
  'POST /v1/sync/:pipeline/pause': 'operator',
  'POST /v1/sync/:pipeline/resume': 'operator',
  'POST /v1/sync/:pipeline/reset': 'admin',
  'GET /v1/api-keys': 'admin',
  'GET /v1/api-keys/:id': 'admin',
  'POST /v1/api-keys': 'admin',
  'POST /v1/api-keys/:id/rotate': 'admin',
  'DELETE /v1/api-keys/:id': 'admin',
  'GET /v1/audit': 'admin',
  'GET /board': 'viewer',
  'GET /board/queue/:queueName': 'viewer',
  'GET /board/queue/:queueName/:jobId': 'viewer',
  'GET /board/static/*': 'viewer',
  'GET /board/job-schedulers': 'viewer',
  'GET /board/metrics-history': 'viewer',
  'PUT /board/api/queues/pause': 'operator',
  'PUT /board/api/queues/resume': 'operator',
  'PUT /board/api/queues/:queueName/pause': 'operator',
  'PUT /board/api/queues/:queueName/resume': 'operator',
  'PUT /board/api/queues/:queueName/promote': 'operator',
  'PUT /board/api/queues/:queueName/retry/:queueStatus': 'operator',
  'PUT /board/api/queues/:queueName/rate-limit/release': 'operator',
  'PUT /board/api/queues/:queueName/:jobId/retry': 'operator',
  'PUT /board/api/queues/:queueName/:jobId/promote': 'operator',
  'PUT /board/api/queues/:queueName/job-schedulers/:schedulerId/run': 'operator',
};

/** Whose own answer is 401: to a form without a key, and to who comes back from a login that was not begun. */
const OWN_401 = ['POST /login', 'GET /login/oidc/callback'];

/** Calls that somebody of a tenant may make. */
const OF_TENANTS = new Set([
  'GET /openapi.json',
  'GET /docs',
  'GET /docs/:file',
  ...CONSOLE,
  'GET /v1/me',
  'GET /v1/messages',
  'GET /v1/messages/:id',
  'POST /v1/messages',
  'POST /v1/messages::batch',
  'POST /v1/messages::ask',
  'DELETE /v1/messages/:id',
  'POST /v1/topics/:topic',
  'POST /v1/topics/:topic(^[^:]+)::ask',
  'GET /v1/dead-letters',
  'GET /v1/dead-letters::groups',
  'GET /v1/dead-letters/:id',
  'POST /v1/dead-letters/:id/redrive',
  'POST /v1/dead-letters::redrive',
  'DELETE /v1/dead-letters/:id',
]);

const RANK = { viewer: 0, operator: 1, admin: 2 };

let app: NestFastifyApplication;
/** Who asks, and what they present. */
const askers: Record<string, OutgoingHttpHeaders> = {};
let calls: string[];

beforeAll(async () => {
  const provider = { issuer: 'https://login.example', audience: 'api', roleClaim: 'roles' };
  const publicUrl = 'http://localhost';
  const login = { provider, clientId: 'callsheet', scope: 'openid', publicUrl };
  app = await openStage({ apiKey: KEY, login });
  const { routeTable } = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  calls = routeTable!.calls().filter((call) => !/^(HEAD|OPTIONS) /.test(call));
  const admin = { authorization: `Bearer ${KEY}` };
  const make = async (body: object): Promise<{ id: string; key: string }> => {
    const options = { method: 'POST', url: '/v1/api-keys', headers: admin, payload: body } as const;
    return (await app.inject(options)).json();
  };
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    const { key } = await make({ name: role, role });
    askers[role] = { authorization: `Bearer ${key}` };
  }
  const session = await app.inject({
    method: 'POST',
    url: '/login',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({
      key: (await make({ name: 's', role: 'viewer' })).key,
    }).toString(),
  });
  const cookie = String(session.headers['set-cookie']).split(';')[0];
  askers['a session of a viewer'] = { cookie, 'sec-fetch-site': 'same-origin' };
  const narrow = { name: 'narrow', role: 'admin', permissions: ['messages:send'] };
  askers['an admin with one permission'] = { authorization: `Bearer ${(await make(narrow)).key}` };
  const tenant = await make({ name: 'acme', role: 'admin', tenant: 'acme' });
  askers['an admin of a tenant'] = { authorization: `Bearer ${tenant.key}` };

  const revoked = await make({ name: 'revoked', role: 'admin' });
  await app.inject({ method: 'DELETE', url: `/v1/api-keys/${revoked.id}`, headers: admin });
  const expired = await make({ name: 'expired', role: 'admin', expiresIn: '1d' });
  const engine = app.get<Engine>(ENGINE);
  const stored = (await engine.bound(`api-key:${expired.id}`)) as JsonObject;
  await engine.bind(`api-key:${expired.id}`, { ...stored, revision: 2, expiresAt: Date.now() - 1 });
  await app.inject({ url: '/v1/api-keys', headers: admin });
  Object.assign(askers, {
    nobody: {},
    'a revoked key': { authorization: `Bearer ${revoked.key}` },
    'an expired key': { authorization: `Bearer ${expired.key}` },
    'a forged key': { authorization: `Bearer ${expired.key.slice(0, 20)}${'A'.repeat(43)}` },
    'a forged session': { cookie: `${cookie}x` },
  });
});
afterAll(() => app.close());

/** What anybody is answered whom the door keeps out; anything else comes from behind it. */
async function ask(call: string, headers: OutgoingHttpHeaders): Promise<number | 'in'> {
  const [method = '', url = ''] = call.split(' ');
  const path = url
    .replace('(^[^:]+)', '')
    .replace(/(?<!:):\w+/g, 'x')
    .replaceAll('::', ':')
    .replace('*', 'x');
  const response = await app.inject({
    method: method as 'GET',
    url: path,
    // Every one from another address: wrong credentials count by it.
    remoteAddress: `10.0.${(port >> 8) & 255}.${port++ & 255}`,
    headers: { host: 'jobs.example.org', ...headers },
    // An answer that never ends is one too.
    payloadAsStream: true,
  });
  response.stream().destroy();
  const { statusCode } = response;
  return statusCode === 401 || statusCode === 403 ? statusCode : 'in';
}
let port = 0;

/** The least role of a call of the board that is not listed. */
function needOf(call: string): (typeof CALLS)[string] | undefined {
  if (CALLS[call] !== undefined) return CALLS[call];
  if (/ \/board\/api\//.test(call)) return call.startsWith('GET ') ? 'viewer' : 'admin';
  return undefined;
}

describe('every call', () => {
  it('is in the table, and the table has no other', () => {
    expect(calls.filter((call) => needOf(call) === undefined)).toEqual([]);
    expect(Object.keys(CALLS).filter((call) => !calls.includes(call))).toEqual([]);
    expect(calls.filter((call) => call.includes(' /board/api/')).length).toBeGreaterThan(30);
  });

  it.each(['nobody', 'a revoked key', 'an expired key', 'a forged key', 'a forged session'])(
    'keeps out %s',
    async (asker) => {
      const wrong: string[] = [];
      // At once: keys that are not known are looked for every tenth of a second, all together.
      const answers = await Promise.all(calls.map((call) => ask(call, askers[asker]!)));
      for (const [index, call] of calls.entries()) {
        const need = needOf(call);
        const answer = answers[index];
        const expected = need === 'open' || need === 'signed' ? 'in' : 401;
        if (answer !== expected && !OWN_401.includes(call))
          wrong.push(`${call}: ${answer}, not ${expected}`);
      }
      expect(wrong).toEqual([]);
    },
  );

  it.each([
    ['viewer', 0],
    ['operator', 1],
    ['admin', 2],
    ['a session of a viewer', 0],
  ])('lets in %s where that may', async (asker, rank) => {
    const wrong: string[] = [];
    for (const call of calls) {
      const need = needOf(call)!;
      if (need === 'open' || need === 'signed') continue;
      const answer = await ask(call, askers[asker]!);
      const expected = need === 'anybody' || RANK[need] <= rank ? 'in' : 403;
      if (answer !== expected) wrong.push(`${call}: ${answer}, not ${expected}`);
    }
    expect(wrong).toEqual([]);
  });

  it('keeps out who may not, whatever the role', async () => {
    const sends = ['POST /v1/messages', 'POST /v1/messages::batch', 'POST /v1/messages::ask'];
    const may = [...sends, 'POST /v1/topics/:topic', 'POST /v1/topics/:topic(^[^:]+)::ask'];
    for (const call of calls) {
      const need = needOf(call)!;
      if (need === 'open' || need === 'signed') continue;
      const expected = need === 'anybody' || may.includes(call) ? 'in' : 403;
      const answer = await ask(call, askers['an admin with one permission']!);
      expect([call, answer]).toEqual([call, expected]);
    }
  });

  it('keeps out who is of a tenant, where tenants are not told apart', async () => {
    for (const call of calls) {
      const need = needOf(call)!;
      if (need === 'open' || need === 'signed') continue;
      const answer = await ask(call, askers['an admin of a tenant']!);
      expect([call, answer]).toEqual([call, OF_TENANTS.has(call) ? 'in' : 403]);
    }
  });
});
