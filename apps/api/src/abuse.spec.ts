import { Pipeline } from '@callsheet/sync';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventually } from '../../../test/support/eventually.js';
import { refusalOf, type Refusal, type Request } from '../test/refusal.js';
import { messagesInQueues } from '../test/queues.js';
import { Greeter, openStage } from '../test/stage.js';

@Pipeline({ name: 'numbers', every: '1h' })
class Numbers {
  pull() {
    return { rows: [], cursor: null, more: false };
  }

  push(): void {}
}

let app: NestFastifyApplication;
let before: number;

beforeAll(async () => {
  vi.stubEnv('HOOK_SECRETS', `shop=whsec_${Buffer.alloc(32, 1).toString('base64')}`);
  app = await openStage({ providers: [Greeter, Numbers] });
  await eventually(async () => {
    const { statusCode } = await app.inject({ url: '/v1/sync/numbers' });
    return statusCode === 200;
  });
  before = await messagesInQueues(app, ['numbers']);
});
afterAll(async () => {
  await app.close();
  vi.unstubAllEnvs();
});

function post(url: string, payload?: unknown, headers: Record<string, string> = {}): Request {
  return {
    method: 'POST',
    url,
    headers,
    ...(payload !== undefined && { payload: payload as object }),
  };
}

const get = (url: string, headers: Record<string, string> = {}): Request => ({ url, headers });
const remove = (url: string): Request => ({ method: 'DELETE', url });

const LONG = 'x'.repeat(201);
const LOBBY = '/v1/rooms/lobby';
const say = (body: object): Request =>
  post(`${LOBBY}/messages`, { author: 'ada', text: 'hello', ...body });
const hook = (headers: Record<string, string>, source = 'shop'): Request =>
  post(`/v1/hooks/${source}`, {}, headers);
const SIGNED = { 'webhook-id': 'm1', 'webhook-signature': 'v1,AAAA' };
const soon = () => String(Math.floor(Date.now() / 1_000));
const publish = (body: object, topic = 'greeter.greet'): Request =>
  post(`/v1/topics/${topic}`, { data: { name: 'Ada' }, ...body });
const askAll = (body: object, topic = 'greeter.greet'): Request =>
  post(`/v1/topics/${topic}:ask`, { data: { name: 'Ada' }, ...body });
const redrive = (body: unknown): Request => post('/v1/dead-letters:redrive', body);
const sync = (call: string, body?: unknown, name = 'numbers'): Request =>
  post(`/v1/sync/${name}/${call}`, body);
const KEYS = '/v1/api-keys';
const key = (body: object): Request => post(KEYS, { name: 'shop', role: 'viewer', ...body });

const NOT_FOUND: Refusal = [404, 'not_found'];
const body = (path: string): Refusal => [422, 'invalid_body', path];
const query = (path: string): Refusal => [422, 'invalid_query', path];
const option = (path: string): Refusal => [422, 'invalid_option', path];

const TABLE: [name: string, request: Request, answer: Refusal][] = [
  // Rooms
  ['room: a name with a space', get('/v1/rooms/a%20b'), NOT_FOUND],
  ['room: a name with a line break', get('/v1/rooms/a%0d%0ab'), NOT_FOUND],
  ['room: NUL', get('/v1/rooms/%00'), NOT_FOUND],
  ['room: a script', get('/v1/rooms/%3Cscript%3E'), NOT_FOUND],
  ['room: 65 characters', get(`/v1/rooms/${'x'.repeat(65)}`), NOT_FOUND],
  ['room: another alphabet', get('/v1/rooms/%D0%B0'), NOT_FOUND],
  ['room: after -1', get(`${LOBBY}?after=-1`), query('after')],
  ['room: after 1e3', get(`${LOBBY}?after=1e3`), query('after')],
  ['room: after 007', get(`${LOBBY}?after=007`), query('after')],
  ['room: after beyond all numbers', get(`${LOBBY}?after=${'9'.repeat(16)}`), query('after')],
  ['room: after twice', get(`${LOBBY}?after=1&after=2`), query('after')],
  ['room: limit 0', get(`${LOBBY}?limit=0`), query('limit')],
  ['room: limit 101', get(`${LOBBY}?limit=101`), query('limit')],
  ['room: an unknown query', get(`${LOBBY}?user=ada`), query('user')],
  ['events: a user with a line break', get(`${LOBBY}/events?user=a%0ab`), query('user')],
  ['events: a user with NUL', get(`${LOBBY}/events?user=%00`), query('user')],
  ['events: no user', get(`${LOBBY}/events?user=`), query('user')],
  ['events: a long user', get(`${LOBBY}/events?user=${'x'.repeat(65)}`), query('user')],
  ['events: two users', get(`${LOBBY}/events?user=a&user=b`), query('user')],
  [
    'events: the id of no event',
    get(`${LOBBY}/events`, { 'last-event-id': '1 or 1=1' }),
    query('Last-Event-ID'),
  ],
  ['events: of no room', get('/v1/rooms/a%2Fb/events'), NOT_FOUND],
  ['events: by POST', post(`${LOBBY}/events`), [405, 'method_not_allowed']],
  ['socket: no upgrade', get(`${LOBBY}/socket`), [426, 'upgrade_required']],
  ['socket: a user with a line break', get(`${LOBBY}/socket?user=%0d`), query('user')],
  ['socket: of no room', get('/v1/rooms/%00/socket'), NOT_FOUND],
  ['say: nothing', post(`${LOBBY}/messages`, {}), body('author')],
  ['say: an empty text', say({ text: '' }), body('text')],
  ['say: 2,001 characters', say({ text: 'x'.repeat(2_001) }), body('text')],
  ['say: 2,000 that are too many bytes', say({ text: '\u{1f600}'.repeat(1_000) }), body('text')],
  ['say: NUL', say({ text: 'a\0b' }), [422, 'invalid_message', 'data/text']],
  ['say: half a character', say({ text: '\ud800' }), [422, 'invalid_message', 'data/text']],
  ['say: a number', say({ text: 5 }), body('text')],
  ['say: an author with a line break', say({ author: 'a\r\nb' }), body('author')],
  ['say: nobody', say({ author: '' }), body('author')],
  ['say: half an author', say({ author: '\udc00' }), [422, 'invalid_message', 'data/author']],
  ['say: as somebody else', say({ seq: 1 }), body('seq')],
  ['say: at another time', say({ at: '2020-01-01T00:00:00Z' }), body('at')],
  ['say: an empty id', say({ id: '' }), body('id')],
  ['say: a long id', say({ id: LONG }), body('id')],
  [
    'say: id and another key',
    { ...say({ id: 'a' }), headers: { 'idempotency-key': 'b' } },
    option('id'),
  ],
  ['say: in no room', post('/v1/rooms/a%20b/messages', { author: 'a', text: 'b' }), NOT_FOUND],
  // Webhooks of others
  ['hook: no signature', hook({}), [401, 'bad_signature']],
  ['hook: another source', hook({}, 'elsewhere'), [404, 'unknown_source']],
  ['hook: a source of Object', hook({}, '__proto__'), [404, 'unknown_source']],
  ['hook: another source of Object', hook({}, 'constructor'), [404, 'unknown_source']],
  ['hook: a source with NUL', hook({}, '%00'), [404, 'unknown_source']],
  ['hook: no time', hook(SIGNED), [401, 'bad_signature']],
  ['hook: a time of old', hook({ ...SIGNED, 'webhook-timestamp': '1' }), [401, 'bad_signature']],
  [
    'hook: a time in hexadecimal',
    hook({ ...SIGNED, 'webhook-timestamp': '0x6925' }),
    [401, 'bad_signature'],
  ],
  [
    'hook: a time that is no number',
    hook({ ...SIGNED, 'webhook-timestamp': 'NaN' }),
    [401, 'bad_signature'],
  ],
  ['hook: a wrong one', hook({ ...SIGNED, 'webhook-timestamp': soon() }), [401, 'bad_signature']],
  [
    'hook: an id with a space',
    hook({ ...SIGNED, 'webhook-id': 'a b', 'webhook-timestamp': soon() }),
    [401, 'bad_signature'],
  ],
  [
    'hook: 10,000 signatures',
    hook({
      ...SIGNED,
      'webhook-timestamp': soon(),
      'webhook-signature': 'v1,AAAA '.repeat(10_000).trim(),
    }),
    [401, 'bad_signature'],
  ],
  ['hook: by GET', get('/v1/hooks/shop'), [405, 'method_not_allowed']],
  // Topics
  ['publish: no topic', publish({}, 'a..b'), option('type')],
  ['publish: a pattern', publish({}, '*'), option('type')],
  ['publish: a topic with NUL', publish({}, 'a%00'), option('type')],
  ['publish: a topic with a line break', publish({}, 'a%0d%0a'), option('type')],
  ['publish: a topic of 40 words', publish({}, 'a.'.repeat(39) + 'a'), option('type')],
  ['publish: no data', post('/v1/topics/greeter.greet', {}), body('data')],
  ['publish: a list', publish({ data: [] }), body('data')],
  ['publish: unrouted is what?', publish({ unrouted: 'explode' }), body('unrouted')],
  ['publish: an unknown type', publish({ type: 'a.b' }), [422, 'unknown_message', 'type']],
  ['publish: wrong data', publish({ data: { name: 1 } }), [422, 'invalid_message', 'data/name']],
  ['publish: an unknown field', publish({ receivers: ['shelf'] }), body('receivers')],
  ['publish: a delay of text', publish({ delay: 'soon' }), option('delay')],
  ['ask all: a need of none', askAll({ need: 0 }), option('need')],
  ['ask all: a need of half', askAll({ need: 0.5 }), option('need')],
  ['ask all: a need of text', askAll({ need: 'most' }), option('need')],
  ['ask all: a long timeout', askAll({ timeout: '1h' }), option('timeout')],
  ['ask all: a delay', askAll({ delay: 1 }), body('delay')],
  ['ask all: a pattern', askAll({}, '**'), option('type')],
  // Dead letters, many at once
  ['redrive: no body', redrive(undefined), [400, 'malformed_json']],
  ['redrive: a list', redrive([]), body('')],
  ['redrive: of no actor', redrive({ actor: 'nobody' }), option('actor')],
  ['redrive: an actor of Object', redrive({ actor: '__proto__' }), option('actor')],
  ['redrive: limit 0', redrive({ limit: 0 }), body('limit')],
  ['redrive: limit 1,001', redrive({ limit: 1_001 }), body('limit')],
  ['redrive: limit of text', redrive({ limit: '1' }), body('limit')],
  ['redrive: a fingerprint', redrive({ fingerprint: 'G'.repeat(12) }), body('fingerprint')],
  ['redrive: no reason', redrive({ reason: 'bored' }), body('reason')],
  ['redrive: before tomorrow', redrive({ before: 'tomorrow' }), body('before')],
  ['redrive: perhaps', redrive({ dryRun: 'yes' }), body('dryRun')],
  ['redrive: an error of nothing', redrive({ error: '' }), body('error')],
  ['redrive: a long type', redrive({ type: LONG }), body('type')],
  ['redrive: with data', redrive({ data: {} }), body('data')],
  [
    'redrive: a long key',
    { ...redrive({}), headers: { 'idempotency-key': LONG } },
    option('Idempotency-Key'),
  ],
  // Messages by list
  [
    'list: a key of an unkeyed actor',
    get('/v1/messages?actor=greeter&key=a&limit=x'),
    query('limit'),
  ],
  ['list: a long type', get(`/v1/messages?actor=greeter&type=${LONG}`), query('type')],
  ['list: states', get('/v1/messages?actor=greeter&state=dead&state=done'), query('state')],
  ['list: an actor of Object', get('/v1/messages?actor=__proto__'), query('actor')],
  ['list: __proto__', get('/v1/messages?actor=greeter&__proto__=1'), query('__proto__')],
  // Actors
  ['pause nobody', post('/v1/actors/nobody/pause', { reason: 'x' }), NOT_FOUND],
  ['pause Object', post('/v1/actors/constructor/pause', { reason: 'x' }), NOT_FOUND],
  ['pause: no reason', post('/v1/actors/greeter/pause', {}), body('reason')],
  ['pause: an empty reason', post('/v1/actors/greeter/pause', { reason: '' }), option('reason')],
  ['pause: NUL', post('/v1/actors/greeter/pause', { reason: '\0' }), option('reason')],
  [
    'pause: half a character',
    post('/v1/actors/greeter/pause', { reason: '\ud800' }),
    option('reason'),
  ],
  [
    'pause: 501 characters',
    post('/v1/actors/greeter/pause', { reason: 'x'.repeat(501) }),
    option('reason'),
  ],
  ['pause: until', post('/v1/actors/greeter/pause', { reason: 'x', until: 1 }), body('until')],
  ['pause: by GET', get('/v1/actors/greeter/pause'), [405, 'method_not_allowed']],
  ['resume nobody', post('/v1/actors/nobody/resume'), NOT_FOUND],
  ['resume NUL', post('/v1/actors/%00/resume'), NOT_FOUND],
  ['journal of nobody', get('/v1/actors/nobody/keys/a/journal'), NOT_FOUND],
  ['journal: limit 0', get('/v1/actors/shelf/keys/a/journal?limit=0'), query('limit')],
  ['journal: before what?', get('/v1/actors/shelf/keys/a/journal?before=%00'), query('before')],
  // Sync
  ['run nothing', sync('run', undefined, 'nobody'), NOT_FOUND],
  ['run Object', sync('run', undefined, '__proto__'), NOT_FOUND],
  [
    'run: a long key',
    { ...sync('run'), headers: { 'idempotency-key': LONG } },
    option('Idempotency-Key'),
  ],
  ['backfill: an unknown field', sync('backfill', { to: 1 }), body('to')],
  ['backfill: from NUL', sync('backfill', { from: '\0' }), option('from')],
  ['backfill: a list', sync('backfill', [1]), body('')],
  ['reset: half a character', sync('reset', { cursor: '\ud800' }), option('cursor')],
  ['reset: a deep cursor', sync('reset', { cursor: deep(40) }), option('body')],
  ['reset: a large cursor', sync('reset', { cursor: 'x'.repeat(300_000) }), option('body')],
  ['pause a pipeline: a number', sync('pause', { reason: 5 }), body('reason')],
  ['pause a pipeline: NUL', sync('pause', { reason: '\0' }), option('reason')],
  ['pipelines: limit 0', get('/v1/sync?limit=0'), query('limit')],
  ['history: a cursor', get('/v1/sync/numbers/history?cursor=%00'), query('cursor')],
  // API keys
  ['key: no name', post(KEYS, { role: 'viewer' }), body('name')],
  ['key: an empty name', key({ name: '' }), body('name')],
  ['key: a long name', key({ name: LONG }), body('name')],
  ['key: a name of NUL', key({ name: 'a\0' }), body('name')],
  ['key: half a character', key({ name: '\ud800' }), body('name')],
  ['key: a tenant of two lines', key({ tenant: 'a\nb' }), body('tenant')],
  ['key: for no time', key({ expiresIn: 0 }), option('expiresIn')],
  ['key: for less than a millisecond', key({ expiresIn: 0.4 }), option('expiresIn')],
  ['key: no such role', key({ role: 'root' }), body('role')],
  ['key: a role of Object', key({ role: '__proto__' }), body('role')],
  ['key: roles', key({ role: ['admin'] }), body('role')],
  ['key: no permission', key({ permissions: [] }), body('permissions')],
  ['key: no such permission', key({ permissions: ['*'] }), body('permissions/0')],
  ['key: an empty tenant', key({ tenant: '' }), body('tenant')],
  ['key: for ever', key({ expiresIn: 1e18 }), option('expiresIn')],
  ['key: for less', key({ expiresIn: -1 }), option('expiresIn')],
  ['key: for a while', key({ expiresIn: 'a while' }), option('expiresIn')],
  ["key: of one's own", key({ key: 'cs_1' }), body('key')],
  ['key: an id', key({ id: '1' }), body('id')],
  ['key that is not there', get(`${KEYS}/0123456789abcdef`), NOT_FOUND],
  ['key of Object', get(`${KEYS}/__proto__`), NOT_FOUND],
  ['key NUL', get(`${KEYS}/%00`), NOT_FOUND],
  ['rotate nothing', post(`${KEYS}/0123456789abcdef/rotate`), NOT_FOUND],
  ['rotate: an overlap of text', post(`${KEYS}/x/rotate`, { overlap: 'soon' }), option('overlap')],
  ['rotate: into the past', post(`${KEYS}/x/rotate`, { overlap: -1 }), option('overlap')],
  ['rotate: an unknown field', post(`${KEYS}/x/rotate`, { role: 'admin' }), body('role')],
  ['revoke nothing', remove(`${KEYS}/0123456789abcdef`), NOT_FOUND],
  ['all keys at once', remove(KEYS), [405, 'method_not_allowed']],
  // The audit log
  ['audit: limit 0', get('/v1/audit?limit=0'), query('limit')],
  ['audit: before NUL', get('/v1/audit?before=%00'), query('before')],
  ['audit: by what', get('/v1/audit?by=local'), query('by')],
  ['audit: who too long', get(`/v1/audit?who=${'x'.repeat(251)}`), query('who')],
  ['audit: written', post('/v1/audit', {}), [405, 'method_not_allowed']],
  ['audit: removed', remove('/v1/audit'), [405, 'method_not_allowed']],
  [
    'a reason that is too long',
    { ...post('/v1/actors/greeter/resume'), headers: { 'x-reason': LONG } },
    option('X-Reason'),
  ],
  [
    'a reason of nothing',
    { ...post('/v1/actors/greeter/resume'), headers: { 'x-reason': '' } },
    option('X-Reason'),
  ],
  // Pages, health
  ['docs: another file', get('/docs/..%2f..%2fpackage.json'), NOT_FOUND],
  ['docs: NUL', get('/docs/%00'), NOT_FOUND],
  ['docs: by POST', post('/docs', {}), [405, 'method_not_allowed']],
  [
    'the description: by PUT',
    { method: 'PUT', url: '/openapi.json', payload: {} },
    [405, 'method_not_allowed'],
  ],
  ['health: by POST', post('/health/ready', {}), [405, 'method_not_allowed']],
  ['metrics: removed', remove('/metrics'), [405, 'method_not_allowed']],
  ['login: removed', remove('/login'), [405, 'method_not_allowed']],
  [
    'login: XML',
    { ...post('/login'), payload: '<a/>', headers: { 'content-type': 'text/xml' } },
    [415, 'unsupported_media_type'],
  ],
  [
    'login: a large form',
    {
      ...post('/login'),
      payload: `key=${'x'.repeat(17_000)}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
    [413, 'too_large'],
  ],
  ['logout: by GET', get('/logout'), [405, 'method_not_allowed']],
  [
    'who I am: changed',
    { method: 'PUT', url: '/v1/me', payload: { role: 'admin' } },
    [405, 'method_not_allowed'],
  ],
];

function deep(depth: number): unknown {
  return depth === 0 ? 1 : [deep(depth - 1)];
}

describe('abuse of each entry point', () => {
  it.each(TABLE)('%s', async (_, request, answer) => {
    expect(await refusalOf(app, request)).toEqual(answer);
  });
});

/** Bodies that every call refuses before it looks at anything else. */
const BODIES: [name: string, payload: string | Buffer, answer: Refusal, type?: string][] = [
  ['more than 1 MiB', `{"a":"${'x'.repeat(2 ** 20)}"}`, [413, 'too_large']],
  ['broken JSON', '{"a":', [400, 'malformed_json']],
  ['two values', '{}{}', [400, 'malformed_json']],
  ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), [400, 'malformed_json']],
  ['__proto__', '{"__proto__":{"polluted":true}}', [400, 'forbidden_key']],
  ['__proto__, escaped', '{"\\u005f_proto__":{"polluted":true}}', [400, 'forbidden_key']],
  ['__proto__, deep', '{"a":[{"__proto__":{"polluted":true}}]}', [400, 'forbidden_key']],
  ['constructor.prototype', '{"constructor":{"prototype":{"x":1}}}', [400, 'forbidden_key']],
  ['a form', 'a=1', [415, 'unsupported_media_type'], 'application/x-www-form-urlencoded'],
  ['several parts', '--x--', [415, 'unsupported_media_type'], 'multipart/form-data; boundary=x'],
  [
    'XML',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    [415, 'unsupported_media_type'],
    'text/xml',
  ],
];

/** Bodies that are JSON, and that no call takes. */
const NONSENSE: [name: string, payload: string][] = [
  ['150,000 lists', '['.repeat(150_000) + ']'.repeat(150_000)],
  ['5,000 objects', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`],
  ['5,000 keys', `{${Array.from({ length: 5_000 }, (__, n) => `"k${n}":1`).join(',')}}`],
  ['keys of Object', '{"constructor":1,"prototype":1,"toString":1,"__defineGetter__":1}'],
  ['a number', '1e400'],
  ['a text', '"\\u0000\\ud800"'],
  ['false', 'false'],
];

describe('each call that takes a body', () => {
  /** All of them, about things that are not there, but those that are signed. */
  async function calls(): Promise<[method: 'POST' | 'PUT', url: string][]> {
    const { paths } = (await app.inject({ url: '/openapi.json' })).json<{
      paths: Record<string, Record<string, { requestBody?: object }>>;
    }>();
    const found = Object.entries(paths).flatMap(([path, item]) =>
      (['POST', 'PUT'] as const)
        .filter((method) => item[method.toLowerCase()]?.requestBody)
        .map((method) => [method, path.replaceAll(/\{\w+\}/g, 'x')] as ['POST' | 'PUT', string]),
    );
    expect(found.length).toBeGreaterThan(20);
    return found;
  }

  it.each(BODIES)('refuses %s', async (_, payload, answer, type = 'application/json') => {
    for (const [method, url] of await calls()) {
      // Its signature is looked at before what it says.
      if (url.startsWith('/v1/hooks/') && answer[1] !== 'too_large') continue;
      const headers = { 'content-type': type };
      const given = await refusalOf(app, { method, url, payload, headers });
      expect([method, url, ...given]).toEqual([method, url, ...answer]);
    }
  });

  it.each(NONSENSE)('refuses %s', async (_, payload) => {
    for (const [method, url] of await calls()) {
      const headers = { 'content-type': 'application/json' };
      const [status, code] = await refusalOf(app, { method, url, payload, headers });
      // Of what is not there some calls tell that first, or that nobody signed it; signed bodies are smaller.
      expect([url, status]).toEqual([url, expect.toBeOneOf([401, 404, 413, 422])]);
      expect(code).toBeTypeOf('string');
    }
  });
});

it('leaves the process healthy and every queue as it was', async () => {
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect((await app.inject({ url: '/health/ready' })).statusCode).toBe(200);
  expect(await messagesInQueues(app, ['numbers'])).toBe(before);
  expect((await app.inject({ url: '/v1/sync/numbers' })).json()).toMatchObject({ state: 'idle' });
  for (const url of ['/v1/api-keys', '/v1/routes']) {
    expect((await app.inject({ url })).json()).toMatchObject({ items: [] });
  }
});
