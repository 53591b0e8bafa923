import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { beforeEach, describe, expect, it } from 'vitest';
import { stageForTest } from '../../test/stage.js';

const KEY = 'k'.repeat(32);
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const SAME = { 'sec-fetch-site': 'same-origin' };

let app: NestFastifyApplication;
beforeEach(async () => {
  app = await stageForTest({ apiKey: KEY });
});

/** Sends the form. */
function logIn(key: string, { next = '/board', ...headers }: Record<string, string> = {}) {
  return app.inject({
    method: 'POST',
    url: '/login',
    headers: { host: 'jobs.example.org', ...FORM, ...headers },
    payload: new URLSearchParams({ key, next }).toString(),
  });
}

/** The cookie of somebody who has logged in. */
async function session(key = KEY): Promise<string> {
  const cookie = (await logIn(key)).headers['set-cookie'];
  if (typeof cookie !== 'string') throw new Error('was not logged in');
  return cookie.split(';', 1)[0]!;
}

async function newKey(role: string): Promise<{ id: string; key: string }> {
  const response = await app.inject({
    method: 'POST',
    url: '/v1/api-keys',
    headers: { authorization: `Bearer ${KEY}` },
    payload: { name: `a ${role}`, role },
  });
  return response.json();
}

describe('logging in', () => {
  it('begins a session of which scripts know nothing', async () => {
    const response = await logIn(KEY);
    expect(response.statusCode).toBe(303);
    expect(response.headers.location).toBe('/board');
    expect(response.headers['set-cookie']).toMatch(
      /^callsheet=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
  });

  it('works over plain HTTP on the machine itself', async () => {
    const response = await logIn(KEY, { host: 'localhost:3000' });
    expect(response.headers['set-cookie']).not.toContain('Secure');
  });

  it('with another key is refused, and asked for again', async () => {
    const response = await logIn(`${KEY}x`);
    expect(response.statusCode).toBe(401);
    expect(response.headers).not.toHaveProperty('set-cookie');
    expect(response.body).toContain('role="alert"');
    expect(response.body).toContain('<form method="post" action="/login">');
    expect(response.body).not.toContain(KEY);
  });

  it.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/a\\b',
    'board',
    '',
    '/a\r\nx: y',
  ])('goes to no other site: %o', async (next) => {
    expect((await logIn(KEY, { next })).headers.location).toBe('/');
  });

  it('from a page of another site is refused', async () => {
    const response = await logIn(KEY, { 'sec-fetch-site': 'cross-site' });
    expect([response.statusCode, response.headers['set-cookie']]).toEqual([403, undefined]);
  });

  it('is not tried for ever from one address', async () => {
    const statuses = new Set<number>();
    for (let n = 0; n < 30; n++) statuses.add((await logIn('wrong')).statusCode);
    expect(statuses).toEqual(new Set([401, 429]));
    const bearer = (key: string) =>
      app.inject({ url: '/v1/me', headers: { authorization: `Bearer ${key}` } });
    const wrong = await bearer('wrong');
    expect([wrong.statusCode, wrong.headers['retry-after']]).toEqual([429, expect.any(String)]);
    // Who has a right one is not held up by others behind his address.
    expect((await bearer(KEY)).statusCode).toBe(200);
    expect((await logIn(KEY)).statusCode).toBe(303);
  });

  it('shows what it is given as text', async () => {
    const next = `/"><script>alert(1)</script>`;
    const response = await app.inject({ url: `/login?next=${encodeURIComponent(next)}` });
    expect(response.body).toContain('value="/&#34;&#62;&#60;script&#62;');
    expect(response.body).not.toContain('<script');
    expect(response.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'/,
    );
  });

  it('takes no other body', async () => {
    const response = await app.inject({ method: 'POST', url: '/login', payload: { key: KEY } });
    expect(response.statusCode).toBe(401);
    const large = await logIn('x'.repeat(20_000));
    expect(large.statusCode).toBe(413);
  });
});

describe('a session', () => {
  it('is as good as its key', async () => {
    const { key } = await newKey('viewer');
    const cookie = await session(key);
    const get = await app.inject({ url: '/v1/me', headers: { cookie } });
    expect(get.json()).toMatchObject({ name: 'a viewer', role: 'viewer' });
    const page = await app.inject({ url: '/login', headers: { cookie } });
    expect(page.body).toContain('You are <strong>a viewer</strong>, viewer');
  });

  it('ends with its key', async () => {
    const { id, key } = await newKey('viewer');
    const cookie = await session(key);
    const authorization = `Bearer ${KEY}`;
    await app.inject({ method: 'DELETE', url: `/v1/api-keys/${id}`, headers: { authorization } });
    expect((await app.inject({ url: '/v1/me', headers: { cookie } })).statusCode).toBe(401);
  });

  it('ends when somebody logs out', async () => {
    const cookie = await session();
    const response = await app.inject({
      method: 'POST',
      url: '/logout',
      headers: { cookie, ...FORM, ...SAME },
    });
    expect(response.headers.location).toBe('/login');
    expect(response.headers['set-cookie']).toMatch(/^callsheet=; Max-Age=0; Path=\//);
  });

  it('over https is of this host only, and no other is taken', async () => {
    app = await stageForTest({ apiKey: KEY, publicUrl: 'https://jobs.example.org' });
    const cookie = await session();
    expect(cookie).toMatch(/^__Host-callsheet=/);
    const plain = cookie.replace('__Host-', '');
    expect((await app.inject({ url: '/v1/me', headers: { cookie } })).statusCode).toBe(200);
    expect((await app.inject({ url: '/v1/me', headers: { cookie: plain } })).statusCode).toBe(401);
    const through = await logIn(KEY, { host: 'localhost:3000' });
    expect(through.headers['set-cookie']).toMatch(
      /^__Host-callsheet=.*; Path=\/; HttpOnly; Secure;/,
    );
    const out = await app.inject({ method: 'POST', url: '/logout', headers: { ...FORM, ...SAME } });
    expect(out.headers['set-cookie']).toMatch(/^__Host-callsheet=; Max-Age=0; Path=\/;.* Secure/);
  });

  it('is not another one', async () => {
    const cookie = await session();
    const [head, body, tail] = cookie.split('.');
    const forged = Buffer.from(JSON.stringify({ value: { via: 'environment' }, exp: 9e9 }));
    for (const other of [
      `${cookie.slice(0, -2)}AA`,
      [head, forged.toString('base64url'), tail].join('.'),
      `callsheet=${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`,
      'callsheet=x',
      'other=1',
    ]) {
      const response = await app.inject({ url: '/v1/me', headers: { cookie: other } });
      expect([other, response.statusCode]).toEqual([other, 401]);
    }
  });

  it('is of one secret', async () => {
    const cookie = await session();
    const same = await stageForTest({ apiKey: KEY });
    const other = await stageForTest({ apiKey: `${KEY}2` });
    expect((await same.inject({ url: '/v1/me', headers: { cookie } })).statusCode).toBe(200);
    expect((await other.inject({ url: '/v1/me', headers: { cookie } })).statusCode).toBe(401);
  });

  it('of the key of the environment ends with that, also where sessions have their own secret', async () => {
    const sessionSecret = 's'.repeat(32);
    app = await stageForTest({ apiKey: KEY, sessionSecret });
    const cookie = await session();
    const after = await stageForTest({ apiKey: `${KEY}2`, sessionSecret });
    expect((await app.inject({ url: '/v1/me', headers: { cookie } })).statusCode).toBe(200);
    expect((await after.inject({ url: '/v1/me', headers: { cookie } })).statusCode).toBe(401);
  });

  it.each([
    ['its own page', SAME, 202],
    ['its own page, an old browser', { origin: 'http://jobs.example.org' }, 202],
    ['another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['another host of the site', { 'sec-fetch-site': 'same-site' }, 403],
    ['another origin', { origin: 'http://evil.example' }, 403],
    ['whoever does not say', {}, 403],
  ])('changes things from %s', async (_, headers, status) => {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/messages',
      headers: { host: 'jobs.example.org', cookie: await session(), ...headers },
      payload: { type: 'shelf.keep', data: {} },
    });
    expect(response.statusCode).toBe(status);
  });
});

describe('a browser without session', () => {
  it('is led to the page, and back', async () => {
    const response = await app.inject({
      url: '/board/queue/greeter?status=failed',
      headers: { accept: 'text/html,*/*' },
    });
    expect([response.statusCode, response.headers.location]).toEqual([
      303,
      '/login?next=%2Fboard%2Fqueue%2Fgreeter%3Fstatus%3Dfailed',
    ]);
    const page = await app.inject({ url: response.headers.location as string });
    expect(page.body).toContain('value="/board/queue/greeter?status=failed"');
  });

  it('gets a problem for what is no page', async () => {
    const data = await app.inject({ url: '/board/api/queues', headers: { accept: '*/*' } });
    expect(data.statusCode).toBe(401);
  });
});
