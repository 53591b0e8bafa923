import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  exportJWK,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
  type GenerateKeyPairResult,
  type JWTPayload,
} from 'jose';
import { createHash } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startHttpPeer, type HttpPeer } from '../../../../test/support/http.peer.js';
import { stageForTest } from '../../test/stage.js';
import { oidcLoginOptionsOf, type OidcLoginOptions } from './oidc.login.js';

const KEY = 'k'.repeat(32);
const SECRET = 's'.repeat(32);
const HOST = 'jobs.example.org';
const JSON_TYPE = { 'content-type': 'application/json' };

let provider: HttpPeer;
let own: GenerateKeyPairResult;
let foreign: GenerateKeyPairResult;
let options: OidcLoginOptions;
let app: NestFastifyApplication;
/** What the provider gives for the next code; one code is taken once. */
let idToken: string | undefined;
let codes = 0;

beforeAll(async () => {
  [own, foreign] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
  provider = await startHttpPeer();
  const { url: issuer } = provider;
  const keys = [{ ...(await exportJWK(own.publicKey)), kid: 'a', alg: 'ES256', use: 'sig' }];
  const answers: Record<string, object> = {
    '/.well-known/openid-configuration': {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      id_token_signing_alg_values_supported: ['ES256'],
    },
    '/keys': { keys },
  };
  const used = new Set<string | null>();
  provider.answer(({ url, body }) => {
    if (url !== '/token') {
      return { status: 200, headers: JSON_TYPE, body: JSON.stringify(answers[url] ?? {}) };
    }
    const code = new URLSearchParams(body.toString()).get('code');
    const isUsed = used.has(code);
    used.add(code);
    const tokens = { access_token: 'x', token_type: 'bearer', id_token: idToken };
    const answer = isUsed ? { error: 'invalid_grant' } : tokens;
    return { status: isUsed ? 400 : 200, headers: JSON_TYPE, body: JSON.stringify(answer) };
  });
  options = {
    provider: { issuer, audience: 'api', roleClaim: 'roles' },
    clientId: 'callsheet',
    clientSecret: SECRET,
    scope: 'openid profile',
    publicUrl: `https://${HOST}`,
  };
});

beforeEach(async () => {
  app = await open();
});

function open(more: Partial<OidcLoginOptions> = {}): Promise<NestFastifyApplication> {
  const login = { ...options, ...more };
  return stageForTest({ apiKey: KEY, tokens: login.provider, login, publicUrl: login.publicUrl });
}

function get(url: string, cookie = '') {
  return app.inject({ url, headers: { host: HOST, ...(cookie && { cookie }) } });
}

interface Begun {
  /** Where the browser was sent. */
  url: URL;
  state: string;
  nonce: string;
  cookie: string;
}

async function begin(next = '/board/queue/greeter'): Promise<Begun> {
  const response = await get(`/login/oidc?next=${encodeURIComponent(next)}`);
  expect(response.statusCode).toBe(303);
  const url = new URL(response.headers.location as string);
  const [state = '', nonce = ''] = ['state', 'nonce'].map((name) => url.searchParams.get(name)!);
  return { url, state, nonce, cookie: cookieOf(response.headers['set-cookie']) };
}

function cookieOf(header: string | readonly string[] | undefined): string {
  return String([header].flat()[0]).split(';', 1)[0]!;
}

function claims({ nonce }: Begun, more: JWTPayload = {}): JWTPayload {
  const now = Math.floor(Date.now() / 1_000);
  return {
    ...{ iss: provider.url, aud: options.clientId, sub: 'ada', iat: now, exp: now + 300, nonce },
    ...{ name: 'Ada', roles: ['operator'], ...more },
  };
}

function signed(payload: JWTPayload, { privateKey } = own): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'a' }).sign(privateKey);
}

/** Comes back from the provider. */
function comeBack({ state, cookie }: Begun, more: Record<string, string> = {}) {
  const query = new URLSearchParams({ code: `code-${++codes}`, state, ...more });
  return get(`/login/oidc/callback?${query.toString()}`, cookie);
}

describe('a login', () => {
  it('goes to the provider, and comes back as a session', async () => {
    const begun = await begin();
    expect(begun.url.href).toMatch(new RegExp(`^${provider.url}/authorize\\?`));
    expect(Object.fromEntries(begun.url.searchParams)).toMatchObject({
      ...{ response_type: 'code', client_id: 'callsheet', scope: 'openid profile' },
      ...{ redirect_uri: `https://${HOST}/login/oidc/callback`, code_challenge_method: 'S256' },
      ...{ state: expect.stringMatching(/^.{43}$/), nonce: expect.stringMatching(/^.{43}$/) },
    });
    idToken = await signed(claims(begun));
    const response = await comeBack(begun);
    expect(response.statusCode).toBe(200);
    expect(response.body).toContain(
      '<meta http-equiv="refresh" content="0;url=/board/queue/greeter">',
    );
    const [session, gone] = response.headers['set-cookie'] as unknown as string[];
    expect(session).toMatch(
      /^__Host-callsheet=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    expect(gone).toMatch(
      /^__Host-callsheet-login=; Max-Age=0; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    const me = await get('/v1/me', cookieOf(session));
    expect(me.json()).toMatchObject({ id: 'token:ada', name: 'Ada', role: 'operator' });
  });

  it('proves to the provider who began it, and as which client', async () => {
    const begun = await begin();
    idToken = await signed(claims(begun));
    await comeBack(begun);
    const { headers, body } = provider.requests.findLast(({ url }) => url === '/token')!;
    const sent = Object.fromEntries(new URLSearchParams(body.toString()));
    expect(sent).toMatchObject({ redirect_uri: `https://${HOST}/login/oidc/callback` });
    const challenge = createHash('sha256').update(sent['code_verifier']!).digest('base64url');
    expect(challenge).toBe(begun.url.searchParams.get('code_challenge'));
    expect(headers.authorization).toBe(
      `Basic ${Buffer.from(`callsheet:${SECRET}`).toString('base64')}`,
    );
  });

  it('of a public client has no secret', async () => {
    const { clientSecret: _, ...rest } = options;
    app = await stageForTest({ apiKey: KEY, tokens: rest.provider, login: rest });
    const begun = await begin();
    idToken = await signed(claims(begun));
    expect((await comeBack(begun)).statusCode).toBe(200);
    const { headers, body } = provider.requests.findLast(({ url }) => url === '/token')!;
    expect(headers).not.toHaveProperty('authorization');
    expect(new URLSearchParams(body.toString()).get('client_id')).toBe('callsheet');
  });

  it('is offered beside the form', async () => {
    const page = await get('/login?next=/docs');
    expect(page.body).toContain('href="/login/oidc?next=%2Fdocs">Log in with 127.0.0.1:');
    expect(page.body).toContain('<form method="post" action="/login">');
    app = await stageForTest({ apiKey: KEY });
    expect((await get('/login')).body).not.toContain('/login/oidc');
  });

  it.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    'board',
    '/a\r\nx: y',
    `/${'a'.repeat(1_024)}`,
  ])('goes to no other site: %o', async (next) => {
    const begun = await begin(next);
    idToken = await signed(claims(begun));
    expect((await comeBack(begun)).body).toContain('content="0;url=/"');
  });
});

/** What somebody is told who was not logged in: status, cookies, and the line on the page, which has no other. */
async function told(answer: ReturnType<typeof comeBack>): Promise<unknown[]> {
  const { statusCode, headers, body } = await answer;
  const lines = [...body.matchAll(/<p[^>]*>(.*)<\/p>/g)].map(([, line]) => line);
  return [statusCode, headers['set-cookie'], ...lines];
}

const refusal = (status: number, line: RegExp): unknown[] => [
  status,
  undefined,
  expect.stringMatching(line),
];
const NOT_OURS = /^That is no answer to the login that was begun here/;

describe('nobody is logged in', () => {
  it.each<[string, (begun: Begun) => Partial<Begun>, RegExp]>([
    ['without the cookie', () => ({ cookie: '' }), /^This browser has begun no login/],
    ['with a cookie that was changed', ({ cookie }) => ({ cookie: `${cookie}A` }), /no login/],
    [
      'with the cookie under a name that other hosts may set',
      ({ cookie }) => ({ cookie: cookie.replace('__Host-', '') }),
      /no login/,
    ],
    ['with another state', () => ({ state: 'A'.repeat(43) }), NOT_OURS],
    ['without a state', () => ({ state: '' }), NOT_OURS],
  ])('%s', async (_, change, line) => {
    const begun = await begin();
    idToken = await signed(claims(begun));
    expect(await told(comeBack({ ...begun, ...change(begun) }))).toEqual(refusal(401, line));
  });

  it('with the answer to the login of another browser', async () => {
    const [victim, attacker] = [await begin(), await begin()];
    idToken = await signed(claims(attacker));
    expect(await told(comeBack({ ...attacker, cookie: victim.cookie }))).toEqual(
      refusal(401, NOT_OURS),
    );
    // One that is given the state too, by whoever can.
    expect(await told(comeBack(victim))).toEqual(refusal(401, NOT_OURS));
  });

  it.each<[string, JWTPayload]>([
    ['of another login', { nonce: 'A'.repeat(43) }],
    ['without a nonce', { nonce: undefined }],
    ['of another client', { aud: 'other' }],
    ['of another client, made for both', { aud: ['callsheet', 'other'], azp: 'other' }],
    ['of another provider', { iss: 'https://evil.example' }],
    ['that has expired', { exp: Math.floor(Date.now() / 1_000) - 120 }],
    ['of nobody', { sub: undefined }],
  ])('with an ID token %s', async (_, more) => {
    const begun = await begin();
    idToken = await signed(claims(begun, more));
    expect(await told(comeBack(begun))).toEqual(refusal(401, NOT_OURS));
  });

  it.each<[string, (payload: JWTPayload) => string | Promise<string> | undefined]>([
    ['signed with another key', (payload) => signed(payload, foreign)],
    ['without signature', (payload) => new UnsecuredJWT(payload).encode()],
    [
      'signed with the secret of the client',
      (payload) =>
        new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(SECRET)),
    ],
    ['that is none', () => undefined],
  ])('with an ID token %s', async (_, made) => {
    const begun = await begin();
    idToken = await made(claims(begun));
    expect(await told(comeBack(begun))).toEqual(refusal(401, NOT_OURS));
  });

  it('with an answer that was used before', async () => {
    const begun = await begin();
    idToken = await signed(claims(begun));
    expect((await comeBack(begun, { code: 'once' })).statusCode).toBe(200);
    expect(await told(comeBack(begun, { code: 'once' }))).toEqual(refusal(401, NOT_OURS));
    expect(await told(comeBack({ ...begun, cookie: '' }, { code: 'once' }))).toEqual(
      refusal(401, /no login/),
    );
  });

  it('whom the provider refuses', async () => {
    const begun = await begin();
    const refused = { error: 'access_denied', error_description: '<b>no</b>' };
    expect(await told(comeBack(begun, refused))).toEqual(
      refusal(403, /did not log you in \(access_denied\)/),
    );
    expect(await told(comeBack({ ...begun, state: 'x' }, refused))).toEqual(refusal(401, NOT_OURS));
    expect(await told(comeBack(begun, { iss: 'https://evil.example' }))).toEqual(
      refusal(401, NOT_OURS),
    );
  });

  it.each([
    ['no role', { roles: ['guest'] }, {}],
    ['no tenant', {}, { tenantClaim: 'org' }],
  ])('to whom the provider gives %s', async (_, more, claim) => {
    app = await open({ provider: { ...options.provider, ...claim } });
    const begun = await begin();
    idToken = await signed(claims(begun, more));
    expect(await told(comeBack(begun))).toEqual(refusal(403, /gives you no role here/));
  });

  it('while the provider is away', async () => {
    const begun = await begin();
    await provider.stop();
    expect(await told(comeBack(begun))).toEqual(
      refusal(503, /^the identity provider does not answer/),
    );
    app = await open();
    expect(await told(get('/login/oidc'))).toEqual(
      refusal(503, /^the identity provider does not answer/),
    );
    await provider.start();
    expect((await begin()).state).not.toBe('');
  });

  it('who tries for ever', async () => {
    const begun = await begin();
    const asked = (): number => provider.requests.filter(({ url }) => url === '/token').length;
    const before = asked();
    idToken = await signed(claims(begun, { aud: 'another' }));
    const answers = await Promise.all(Array.from({ length: 60 }, () => comeBack(begun)));
    const refused = answers.filter(({ statusCode }) => statusCode === 401).length;
    expect(answers.filter(({ statusCode }) => statusCode === 429)).toHaveLength(60 - refused);
    expect(asked() - before).toBe(refused);
    // Twenty at once, and one a second.
    expect(refused).toBeGreaterThanOrEqual(20);
    expect(refused).toBeLessThan(30);
  });
});

it('the cookie of a login is no session', async () => {
  const { cookie } = await begin();
  const other = cookie.replace('callsheet-login', 'callsheet');
  expect((await get('/v1/me', other)).statusCode).toBe(401);
});

describe('the settings', () => {
  const env = {
    OIDC_ISSUER: 'https://login.example',
    OIDC_AUDIENCE: 'api',
    OIDC_CLIENT_ID: 'callsheet',
    PUBLIC_URL: 'https://jobs.example.org/',
  };

  it('are of the environment', () => {
    expect(oidcLoginOptionsOf({})).toBeUndefined();
    expect(oidcLoginOptionsOf({ ...env, OIDC_CLIENT_ID: '' })).toBeUndefined();
    expect(oidcLoginOptionsOf(env)).toEqual({
      provider: { issuer: 'https://login.example', audience: 'api', roleClaim: 'roles' },
      clientId: 'callsheet',
      scope: 'openid profile email',
      publicUrl: 'https://jobs.example.org',
    });
    const more = { OIDC_CLIENT_SECRET: SECRET, OIDC_SCOPE: 'openid groups' };
    const found = { clientSecret: SECRET, scope: 'openid groups' };
    expect(oidcLoginOptionsOf({ ...env, ...more })).toMatchObject(found);
  });

  it.each([
    ['PUBLIC_URL', { PUBLIC_URL: '' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'http://jobs.example.org' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'https://jobs.example.org/callsheet' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'jobs.example.org' }],
    ['OIDC_ISSUER', { OIDC_ISSUER: '' }],
    ['OIDC_AUDIENCE', { OIDC_AUDIENCE: '' }],
    ['OIDC_CLIENT_ID', { OIDC_CLIENT_ID: '', OIDC_CLIENT_SECRET: SECRET }],
    ['OIDC_SCOPE', { OIDC_SCOPE: 'profile' }],
  ])('name %s when they do not go together: %o', (name, more) => {
    expect(() => oidcLoginOptionsOf({ ...env, ...more })).toThrow(new RegExp(`^${name} `));
  });
});
