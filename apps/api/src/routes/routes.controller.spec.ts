import {
  Actor,
  Actors,
  AskTimeoutError,
  On,
  RoutesActor,
  UnroutedActor,
} from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Greet, Greeter, openStage } from '../../test/stage.js';
import type { RouteHistory, RouteList, RouteTested, StoredRoute } from './route.view.js';

/** Subscribes to what is greeted, in Europe. */
@Actor({ name: 'diary' })
class Diary {
  @On(Greet, { topic: 'greetings.eu.**' })
  greeted(): void {}
}

let app: NestFastifyApplication;

beforeAll(async () => {
  app = await openStage({ providers: [Greeter, Diary, RoutesActor, UnroutedActor] });
});
afterAll(() => app.close());

beforeEach(async () => {
  const { body } = await call<RouteList>('GET', '/v1/routes?limit=100');
  for (const { id } of body.items) await call('DELETE', `/v1/routes/${id}`);
});

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

async function call<T = object>(
  method: Method,
  url: string,
  payload?: unknown,
  headers: Record<string, string> = {},
) {
  const response = await app.inject({ method, url, payload: payload as object, headers });
  const body = response.body === '' ? (undefined as T) : response.json<T>();
  return { status: response.statusCode, etag: response.headers.etag, body };
}

function put<T = StoredRoute>(id: string, change: object = {}, headers?: Record<string, string>) {
  return call<T>('PUT', `/v1/routes/${id}`, { ...ROUTE, ...change }, headers);
}

const ROUTE = { order: 10, match: { topic: 'orders.**' }, to: ['shelf'] };
const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;

describe('a route', () => {
  it('is made, shown, put back as it was shown, and changed', async () => {
    const match = {
      type: 'greeter.greet',
      topic: 'orders.*.created',
      headers: { region: 'eu' },
      tenant: 'acme',
      when: 'data.name != "Bob"',
    };
    const made = await put('whole', {
      match: { ...match, priority: { min: 'high', max: 'normal' } },
      to: ['shelf', { oneOf: ['greeter', 'diary'], by: 'hash' }],
      set: { priority: 'low', delay: '10s', headers: { seen: 'yes' } },
      last: true,
      disabled: false,
    });
    const shown = {
      id: 'whole',
      order: 10,
      match: { ...match, priority: { min: 10, max: 100 } },
      to: ['shelf', { oneOf: ['greeter', 'diary'], by: 'hash' }],
      set: { priority: 1_000, delay: 10_000, headers: { seen: 'yes' } },
      last: true,
      disabled: false,
      revision: 1,
      changedAt: iso,
    };
    expect(made).toEqual({ status: 201, etag: '"1"', body: { ...shown, outcome: 'created' } });
    const { body, ...got } = await call('GET', '/v1/routes/whole');
    expect([got, body]).toEqual([{ status: 200, etag: '"1"' }, shown]);
    expect(await put('whole', body)).toMatchObject({
      status: 200,
      etag: '"1"',
      body: { outcome: 'unchanged', revision: 1 },
    });
    expect(await put('whole', { ...body, last: false })).toMatchObject({
      status: 200,
      etag: '"2"',
      body: { outcome: 'changed', revision: 2, last: false },
    });
  });

  it('leads what is published, as it says', async () => {
    await put('late', { set: { delay: '1h', priority: 7, headers: { via: 'late' } } });
    const event = { type: 'greeter.greet', data: { name: 'Ada' }, id: 'led' };
    expect(await call('POST', '/v1/topics/orders.eu', event)).toMatchObject({
      status: 202,
      body: { receivers: ['shelf'], copies: ['led@shelf'] },
    });
    expect((await call('GET', '/v1/messages/led@shelf')).body).toMatchObject({
      state: 'delayed',
      priority: 7,
      headers: { via: 'late' },
      topic: 'orders.eu',
    });
    await call('DELETE', '/v1/routes/late');
    const next = { ...event, id: 'next' };
    expect((await call('POST', '/v1/topics/orders.eu', next)).body).toMatchObject({
      receivers: [],
    });
  });

  it('is removed', async () => {
    await put('gone');
    expect(await call('DELETE', '/v1/routes/gone')).toEqual({
      status: 204,
      etag: undefined,
      body: undefined,
    });
    expect((await call('GET', '/v1/routes/gone')).status).toBe(404);
    expect(await call('DELETE', '/v1/routes/gone')).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    // It was there before: its revisions go on.
    expect(await put('gone')).toMatchObject({ status: 201, etag: '"3"' });
  });
});

describe('conditions', () => {
  const conflict = { status: 412, body: { code: 'precondition_failed' } };

  it('change a route only as it was seen', async () => {
    await put('x');
    expect(await put('x', { order: 1 }, { 'if-match': '"2"' })).toMatchObject({
      ...conflict,
      etag: '"1"',
    });
    expect(await put('x', { order: 1 }, { 'if-match': '"1"' })).toMatchObject({
      status: 200,
      etag: '"2"',
    });
    expect(await put('x', { order: 2 }, { 'if-match': '"1"' })).toMatchObject(conflict);
    expect(await put('x', { order: 2 }, { 'if-match': '*' })).toMatchObject({ status: 200 });
    expect((await call('GET', '/v1/routes/x')).body).toMatchObject({ order: 2, revision: 3 });
  });

  it('make a route only if there is none', async () => {
    expect(await put('new', {}, { 'if-match': '*' })).toMatchObject(conflict);
    expect(await put('new', {}, { 'if-match': '"1"' })).toMatchObject(conflict);
    expect((await call('GET', '/v1/routes/new')).status).toBe(404);
    expect(await put('new', {}, { 'if-none-match': '*' })).toMatchObject({ status: 201 });
    expect(await put('new', {}, { 'if-none-match': '*' })).toMatchObject(conflict);
  });

  it('remove a route only as it was seen', async () => {
    await put('y');
    const remove = (tag: string) => call('DELETE', '/v1/routes/y', undefined, { 'if-match': tag });
    expect(await remove('"2"')).toMatchObject(conflict);
    expect(await remove('"1"')).toMatchObject({ status: 204 });
    expect(await remove('"2"')).toMatchObject({ status: 404 });
  });

  it('let one of many at once through', async () => {
    await put('busy');
    const puts = await Promise.all(
      [1, 2, 3, 4, 5].map((order) => put('busy', { order }, { 'if-match': '"1"' })),
    );
    expect(puts.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      ...[200, 412, 412, 412, 412],
    ]);
  });
});

describe('GET /v1/routes/{id}/history', () => {
  it('tells what was changed and why, newest first, of a removed one too', async () => {
    await put('told', {}, { 'x-reason': 'the shop opens' });
    // As curl sends it: UTF-8.
    const reason = Buffer.from('más tarde').toString('latin1');
    await put('told', { order: 11 }, { 'x-reason': reason });
    await put('told', { order: 11 }, { 'x-reason': 'nothing changes' });
    await call('DELETE', '/v1/routes/told', undefined, { 'x-reason': 'closed' });
    const { body } = await call<RouteHistory>('GET', '/v1/routes/told/history');
    const route = { id: 'told', ...ROUTE };
    expect(body.items).toEqual([
      { at: iso, change: 'removed', revision: 3, by: 'local', reason: 'closed' },
      {
        at: iso,
        change: 'changed',
        revision: 2,
        by: 'local',
        reason: 'más tarde',
        route: { ...route, order: 11 },
      },
      { at: iso, change: 'created', revision: 1, by: 'local', reason: 'the shop opens', route },
    ]);
    const first = await call<RouteHistory>('GET', '/v1/routes/told/history?limit=1');
    expect(first.body.items).toEqual(body.items.slice(0, 1));
    expect(body.next).toBeUndefined();
    const rest = `/v1/routes/told/history?limit=2&cursor=${first.body.next}`;
    expect((await call<RouteHistory>('GET', rest)).body).toEqual({ items: body.items.slice(1) });
    expect((await call('GET', '/v1/routes/never/history')).status).toBe(404);
  });
});

describe('GET /v1/routes', () => {
  it('lists by id, in pages, without those that were removed', async () => {
    for (const n of [3, 1, 5, 2, 4]) await put(`p${n}`, { order: -n });
    await call('DELETE', '/v1/routes/p3');
    const page = async (query: string) => {
      const { body } = await call<RouteList>('GET', `/v1/routes?${query}`);
      return [body.items.map(({ id }) => id).join(' '), body.next] as const;
    };
    const [first, cursor] = await page('limit=2');
    const [second, last] = await page(`limit=2&cursor=${cursor}`);
    expect([first, second, last]).toEqual(['p1 p2', 'p4 p5', undefined]);
    expect(await page('limit=4')).toEqual(['p1 p2 p4 p5', undefined]);
  });
});

describe('POST /v1/routes:test', () => {
  const event = { type: 'greeter.greet', data: { name: 'Ada' }, topic: 'greetings.eu.es' };
  const test = (change: object = {}) =>
    call<RouteTested>('POST', '/v1/routes:test', { ...event, ...change });

  it('takes a route as if it were stored, and stores nothing', async () => {
    const route = { id: 'draft', order: 5, match: { topic: 'greetings.**' }, to: ['shelf'] };
    const ofDraft = async (body: object) =>
      (await test(body)).body.by.filter(({ by }) => by === 'route:draft');
    expect(await ofDraft({ route })).toEqual([{ receiver: 'shelf', by: 'route:draft' }]);
    expect(await ofDraft({})).toEqual([]);
    const bad = { ...route, match: { when: 'data.' } };
    expect(await test({ route: bad })).toMatchObject({
      status: 422,
      body: { code: 'invalid_option', errors: [{ path: 'route/match/when' }] },
    });
  });

  it('names who would receive an event and what led it there', async () => {
    await put('a', {
      match: { topic: 'greetings.**', headers: { vip: 'yes' }, priority: { max: 'high' } },
      to: ['shelf', 'diary'],
      set: { delay: '10s' },
    });
    await put('b', {
      order: 20,
      match: { tenant: 'acme' },
      to: [{ oneOf: ['greeter'], by: 'hash' }],
    });
    await put('c', { order: 30, match: { when: 'data.age > 18' } });
    const given = { headers: { vip: 'yes' }, priority: 'critical', tenant: 'acme' };
    expect(await test(given)).toEqual({
      status: 200,
      etag: undefined,
      body: {
        receivers: [
          { actor: 'diary', set: { delay: 10_000 } },
          { actor: 'greeter' },
          { actor: 'shelf', set: { delay: 10_000 } },
        ],
        by: [
          { receiver: 'shelf', by: 'route:a' },
          { receiver: 'diary', by: 'route:a' },
          { receiver: 'greeter', by: 'route:b' },
        ],
        failed: [{ owner: 'route:c', error: expect.stringContaining('age') as string }],
        problems: [],
      },
    });
    expect((await test()).body).toMatchObject({
      receivers: [{ actor: 'diary' }],
      by: [{ receiver: 'diary', by: 'actor:diary' }],
    });
    expect((await test({ topic: undefined })).body).toMatchObject({ receivers: [], by: [] });
  });

  it('stores nothing', async () => {
    const counts = async () => {
      const { body } = await call<{ items: { name: string; counts: object }[] }>(
        'GET',
        '/v1/actors',
      );
      return body.items
        .filter(({ name }) => ['diary', 'shelf', 'greeter', 'unrouted'].includes(name))
        .map(({ counts: all }) => all);
    };
    await put('all', { match: {} });
    const before = await counts();
    expect((await test()).body.receivers).toHaveLength(2);
    expect(await counts()).toEqual(before);
  });
});

describe('without a process that keeps routes', () => {
  it('is said so', async () => {
    await put('kept');
    const ask = vi
      .spyOn(app.get(Actors), 'ask')
      .mockRejectedValue(new AskTimeoutError('m', 10_000));
    const answers = [await put('kept', { order: 1 }), await call('DELETE', '/v1/routes/kept')];
    ask.mockRestore();
    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 504,
        body: {
          code: 'ask_timeout',
          detail: expect.stringContaining('no process that keeps routes') as string,
        },
      });
    }
    // Looking needs none.
    expect(await call('GET', '/v1/routes/kept')).toMatchObject({ status: 200 });
  });
});

describe('bad input', () => {
  const match = (change: object) => ({ match: change });
  const set = (change: object) => ({ set: change });
  const oneOf = (names: unknown, by: unknown = 'load') => ({ to: [{ oneOf: names, by }] });

  it.each<[string, change: object, code: string, path: string]>([
    ['no CEL', match({ when: 'data.total >' }), 'invalid_option', 'match/when'],
    ['an unknown name in CEL', match({ when: 'process.exit()' }), 'invalid_option', 'match/when'],
    ['when of a number', match({ when: 5 }), 'invalid_body', 'match/when'],
    ['a bad pattern', match({ topic: 'a.b*' }), 'invalid_option', 'match/topic'],
    ['a bad type', match({ type: 'nodot' }), 'invalid_option', 'match/type'],
    ['an empty tenant', match({ tenant: '' }), 'invalid_option', 'match/tenant'],
    ['a bad header', match({ headers: { 'a b': 'x' } }), 'invalid_option', 'match/headers/a b'],
    ['a header of a number', match({ headers: { a: 5 } }), 'invalid_body', 'match/headers/a'],
    ['a bad lane', match({ priority: { min: 'x' } }), 'invalid_option', 'match/priority/min'],
    ['backwards', match({ priority: { min: 9, max: 1 } }), 'invalid_option', 'match/priority/max'],
    ['an unknown match', match({ key: 'x' }), 'invalid_body', 'match/key'],
    ['no match', { match: undefined }, 'invalid_body', 'match'],
    ['no order', { order: undefined }, 'invalid_body', 'order'],
    ['half an order', { order: 0.5 }, 'invalid_option', 'order'],
    ['an unknown field', { from: 'x' }, 'invalid_body', 'from'],
    ['another id', { id: 'other' }, 'invalid_option', 'id'],
    ['to nobody in a text', { to: 'shelf' }, 'invalid_body', 'to'],
    ['to a bad name', { to: ['shelf', 'No!'] }, 'invalid_option', 'to/1'],
    ['to a number', { to: [5] }, 'invalid_body', 'to/0'],
    ['to 21', { to: Array.from({ length: 21 }, (_, n) => `a${n}`) }, 'invalid_option', 'to'],
    ['one of none', oneOf([]), 'invalid_option', 'to/0/oneOf'],
    ['one of two that are one', oneOf(['a', 'a']), 'invalid_option', 'to/0/oneOf'],
    ['one by luck', oneOf(['a'], 'luck'), 'invalid_body', 'to/0'],
    ['a bad delay', set({ delay: 'soon' }), 'invalid_option', 'set/delay'],
    ['a delay before', set({ delay: -1 }), 'invalid_option', 'set/delay'],
    ['a bad priority', set({ priority: 0 }), 'invalid_option', 'set/priority'],
    ['an unknown set', set({ ttl: 1 }), 'invalid_body', 'set/ttl'],
    ['last of text', { last: 'yes' }, 'invalid_body', 'last'],
    [
      'too much',
      match({ headers: Object.fromEntries([1, 2, 3, 4].map((n) => [n, 'x'.repeat(1_000)])) }),
      'invalid_option',
      '',
    ],
  ])('put: %s', async (_, change, code, path) => {
    const { status, body } = await put<{ errors?: { path: string }[] }>('bad', change);
    expect([status, body]).toEqual([422, expect.objectContaining({ code })]);
    expect(body.errors?.[0]?.path).toBe(path);
  });

  const put0 = (id: string): [Method, string, object] => ['PUT', `/v1/routes/${id}`, ROUTE];
  const test = (body: object): [Method, string, object] => ['POST', '/v1/routes:test', body];
  const GREET = { type: 'greeter.greet', data: { name: 'Ada' } };

  it.each<
    [
      string,
      [Method, string, object?, Record<string, string>?],
      status: number,
      code: string,
      path?: string,
    ]
  >([
    ['a list for a route', ['PUT', '/v1/routes/bad', []], 422, 'invalid_body', ''],
    ['no body', ['PUT', '/v1/routes/bad'], 400, 'malformed_json'],
    ['put to NUL', put0('%00'), 422, 'invalid_option', 'id'],
    ['put to a space', put0('a%20b'), 422, 'invalid_option', 'id'],
    ['put to 101 characters', put0('a'.repeat(101)), 422, 'invalid_option', 'id'],
    ['put to dots', put0('.a'), 422, 'invalid_option', 'id'],
    [
      'a tag that is none',
      [...put0('bad'), { 'if-match': '1' }],
      422,
      'invalid_option',
      'If-Match',
    ],
    ['a weak tag', [...put0('bad'), { 'if-match': 'W/"1"' }], 422, 'invalid_option', 'If-Match'],
    ['a tag of zero', [...put0('bad'), { 'if-match': '"0"' }], 422, 'invalid_option', 'If-Match'],
    [
      'not a tag',
      [...put0('bad'), { 'if-none-match': '"1"' }],
      422,
      'invalid_option',
      'If-None-Match',
    ],
    [
      'both conditions',
      [...put0('bad'), { 'if-match': '*', 'if-none-match': '*' }],
      422,
      'invalid_option',
      'If-None-Match',
    ],
    ['no reason', [...put0('bad'), { 'x-reason': '' }], 422, 'invalid_option', 'X-Reason'],
    [
      'a long reason',
      [...put0('bad'), { 'x-reason': 'x'.repeat(201) }],
      422,
      'invalid_option',
      'X-Reason',
    ],
    ['nothing', ['GET', '/v1/routes/nothing'], 404, 'not_found'],
    ['NUL', ['GET', '/v1/routes/%00'], 404, 'not_found'],
    ['Object', ['GET', '/v1/routes/__proto__'], 404, 'not_found'],
    ['remove nothing', ['DELETE', '/v1/routes/nothing'], 404, 'not_found'],
    ['remove NUL', ['DELETE', '/v1/routes/%00'], 404, 'not_found'],
    ['history of NUL', ['GET', '/v1/routes/%00/history'], 404, 'not_found'],
    ['history: cursor', ['GET', '/v1/routes/x/history?cursor=x'], 422, 'invalid_query', 'cursor'],
    ['history: limit', ['GET', '/v1/routes/x/history?limit=0'], 422, 'invalid_query', 'limit'],
    ['list: limit', ['GET', '/v1/routes?limit=101'], 422, 'invalid_query', 'limit'],
    ['list: cursor', ['GET', '/v1/routes?cursor=x'], 422, 'invalid_query', 'cursor'],
    ['list: unknown', ['GET', '/v1/routes?type=x'], 422, 'invalid_query', 'type'],
    ['POST on one', ['POST', '/v1/routes/x', {}], 405, 'method_not_allowed'],
    ['PUT on all', ['PUT', '/v1/routes', {}], 405, 'method_not_allowed'],
    ['test by GET', ['GET', '/v1/routes:test'], 405, 'method_not_allowed'],
    ['test: no type', test({ data: {} }), 422, 'invalid_body', 'type'],
    ['test: unknown type', test({ type: 'no.such', data: {} }), 422, 'unknown_message', 'type'],
    ['test: bad data', test({ ...GREET, data: {} }), 422, 'invalid_message', 'data/name'],
    ['test: bad topic', test({ ...GREET, topic: 'a..b' }), 422, 'invalid_option', 'topic'],
    ['test: bad lane', test({ ...GREET, priority: 'x' }), 422, 'invalid_option', 'priority'],
    ['test: unknown', test({ ...GREET, delay: 1 }), 422, 'invalid_body', 'delay'],
  ])('%s', async (_, [method, url, payload, headers], status, code, path) => {
    const answer = await call<{ errors?: { path: string }[] }>(method, url, payload, headers);
    expect([answer.status, answer.body]).toEqual([status, expect.objectContaining({ code })]);
    expect(answer.body.errors?.[0]?.path).toBe(path);
  });

  it('leaves no route', async () => {
    expect((await call<RouteList>('GET', '/v1/routes')).body.items).toEqual([]);
  });
});
