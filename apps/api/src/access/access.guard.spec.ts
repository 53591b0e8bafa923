import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openStage } from '../../test/stage.js';

const KEY = 'k'.repeat(32);
const KEEP = { type: 'shelf.keep', data: {} };

describe('with an API key', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await openStage({ apiKey: KEY });
  });
  afterAll(() => app.close());

  it.each([
    ['nothing', '/v1/actors', undefined, 401],
    ['the key', '/v1/actors', `Bearer ${KEY}`, 200],
    ['the scheme in another case', '/v1/actors', `bearer ${KEY}`, 200],
    ['another key', '/v1/actors', `Bearer ${'x'.repeat(32)}`, 401],
    ['part of the key', '/v1/actors', `Bearer ${KEY.slice(1)}`, 401],
    ['an empty key', '/v1/actors', 'Bearer ', 401],
    [
      'the key as Basic password',
      '/v1/actors',
      `Basic ${Buffer.from(`:${KEY}`).toString('base64')}`,
      401,
    ],
    [
      'the key as Basic password, on the board',
      '/board',
      `Basic ${Buffer.from(`:${KEY}`).toString('base64')}`,
      401,
    ],
    ['nothing, for the API document', '/openapi.json', undefined, 401],
    ['nothing, on an unknown path', '/nope', undefined, 401],
    ['nothing, by an encoded path', '/v1/%61ctors', undefined, 401],
    ['nothing, for liveness', '/health/live', undefined, 200],
    ['nothing, for readiness', '/health/ready', undefined, 200],
    ['nothing, for readiness with a query', '/health/ready?oldest=1d', undefined, 200],
    ['nothing, beside health', '/health/live/x', undefined, 401],
    ['nothing, on the board', '/board', undefined, 401],
    ['nothing, on its data', '/board/api/queues', undefined, 401],
    ['nothing, on its files', '/board/static/app.js', undefined, 401],
    // The memory store has no queues: past the door, the board says 404.
    ['the key on the board', '/board/api/queues', `Bearer ${KEY}`, 404],
  ])('%s: %s', async (_, url, authorization, status) => {
    const response = await app.inject({
      url,
      headers: { host: 'jobs.example.org', ...(authorization && { authorization }) },
    });
    expect(response.statusCode).toBe(status);
    expect(response.body.includes('"unauthorized"')).toBe(status === 401);
  });

  it('guards changes on the board', async () => {
    const response = await app.inject({ method: 'PUT', url: '/board/api/queues/shelf/pause' });
    expect(response.statusCode).toBe(401);
  });

  it('does not read the body of a stranger', async () => {
    const response = await app.inject({ method: 'POST', url: '/v1/messages', payload: '{' });
    expect(response.statusCode).toBe(401);
  });

  it('tells browsers how to log in', async () => {
    const board = await app.inject({ url: '/board' });
    const api = await app.inject({ url: '/v1/actors' });
    expect(board.headers['www-authenticate']).toBe('Bearer realm="Callsheet"');
    expect(api.headers['www-authenticate']).toBe('Bearer realm="Callsheet"');
  });

  it('refuses other sites even so', async () => {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/messages',
      payload: KEEP,
      headers: { authorization: `Bearer ${KEY}`, 'sec-fetch-site': 'cross-site' },
    });
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([
      403,
      'cross_site',
    ]);
  });
});

it('lets each key ask as often as it may', async () => {
  const app = await openStage({ apiKey: KEY, rate: 2 });
  onTestFinished(() => app.close());
  const ask = (key: string) =>
    app.inject({ url: '/v1/me', headers: { authorization: `Bearer ${key}` } });
  const payload = { name: 'other', role: 'viewer' };
  const authorization = `Bearer ${KEY}`;
  const made = {
    method: 'POST',
    url: '/v1/api-keys',
    headers: { authorization },
    payload,
  } as const;
  const { key } = (await app.inject(made)).json<{ key: string }>();
  const answers = await Promise.all(Array.from({ length: 30 }, () => ask(KEY)));
  const late = answers.find(({ statusCode }) => statusCode === 429);
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200, 429]));
  expect(late?.json()).toMatchObject({ code: 'too_many_requests' });
  expect(late?.headers['retry-after']).toMatch(/^\d+$/);
  expect((await ask(key)).statusCode).toBe(200);
});

describe('without an API key', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await openStage();
  });
  afterAll(() => app.close());

  it.each([
    ['localhost', 200],
    ['localhost:3000', 200],
    ['LOCALHOST:3000', 200],
    ['127.0.0.1:3000', 200],
    ['[::1]:3000', 200],
    ['evil.example:3000', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['192.168.0.7:3000', 421],
    ['0.0.0.0:3000', 421],
  ])('host %o: %d', async (host, status) => {
    const response = await app.inject({ url: '/v1/actors', headers: { host } });
    expect(response.statusCode).toBe(status);
    expect(response.body.includes('"misdirected"')).toBe(status === 421);
  });

  it.each([
    ['no browser', {}, 202],
    ['its own page', { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:3000' }, 202],
    [
      'its own page behind a proxy',
      { 'sec-fetch-site': 'same-origin', origin: 'https://jobs.example.org' },
      202,
    ],
    ['the address bar', { 'sec-fetch-site': 'none' }, 202],
    ['another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['another port of this machine', { 'sec-fetch-site': 'same-site' }, 403],
    ['an old browser on its own page', { origin: 'http://localhost:3000' }, 202],
    ['an old browser on another site', { origin: 'https://evil.example' }, 403],
    ['an old browser on another port', { origin: 'http://localhost:8080' }, 403],
    ['a page without origin', { origin: 'null' }, 403],
  ])('a change from %s', async (_, headers, status) => {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/messages',
      payload: KEEP,
      headers: { host: 'localhost:3000', ...headers },
    });
    expect(response.statusCode).toBe(status);
  });

  it.each(['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'])(
    'what a proxy sends on with %s is not from here',
    async (header) => {
      const headers = { host: '127.0.0.1:3000', [header]: '203.0.113.9' };
      const response = await app.inject({ url: '/v1/actors', headers });
      expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([
        421,
        'misdirected',
      ]);
    },
  );

  it.each(['hooks.received', 'schedule.troubled', 'dead-letters.added'])(
    '%s is believed, and nobody says it',
    async (type) => {
      const payload = { type, data: {} };
      const response = await app.inject({ method: 'POST', url: '/v1/topics/a.b', payload });
      expect(response.json()).toMatchObject({ code: 'unknown_message' });
    },
  );

  it('lets any page read, which browsers then keep from it', async () => {
    const response = await app.inject({
      url: '/v1/actors',
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(response.statusCode).toBe(200);
    expect(response.headers).not.toHaveProperty('access-control-allow-origin');
  });
});
