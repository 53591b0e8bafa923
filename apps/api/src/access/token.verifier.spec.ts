import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
  type GenerateKeyPairResult,
  type JWTPayload,
} from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { startHttpPeer, type HttpPeer } from '../../../../test/support/http.peer.js';
import { TokenVerifier, tokenOptionsOf, type TokenOptions } from './token.verifier.js';

const AUDIENCE = 'callsheet';
const CLAIMS = { sub: 'ada', name: 'Ada', roles: ['operator'] };

let provider: HttpPeer;
let options: TokenOptions;
let verifier: TokenVerifier;
let own: GenerateKeyPairResult;
let foreign: GenerateKeyPairResult;

beforeAll(async () => {
  [own, foreign] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
  provider = await startHttpPeer();
  const keys = [{ ...(await exportJWK(own.publicKey)), kid: 'a', alg: 'ES256', use: 'sig' }];
  const answers: Record<string, object> = {
    '/.well-known/openid-configuration': {
      issuer: provider.url,
      jwks_uri: `${provider.url}/keys`,
    },
    '/keys': { keys },
  };
  provider.answer(({ url }) => ({
    status: answers[url] ? 200 : 404,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(answers[url] ?? {}),
  }));
  options = { issuer: provider.url, audience: AUDIENCE, roleClaim: 'roles' };
  verifier = new TokenVerifier(options);
});

function token(claims: JWTPayload = {}, header: object = {}): SignJWT {
  return new SignJWT({
    ...CLAIMS,
    iss: provider.url,
    aud: AUDIENCE,
    exp: inSeconds(600),
    ...claims,
  }).setProtectedHeader({ alg: 'ES256', kid: 'a', ...header });
}

function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1_000) + seconds;
}

describe('a token', () => {
  it('stands for its subject', async () => {
    const exp = inSeconds(600);
    expect(await verifier.verify(await token({ exp }).sign(own.privateKey))).toEqual({
      principal: { id: 'token:ada', name: 'Ada', role: 'operator' },
      expiresAt: exp,
    });
  });

  it.each([
    ['the highest of several roles', { roles: ['viewer', 'admin', 'x'] }, {}, { role: 'admin' }],
    ['one role', { roles: 'viewer' }, {}, { role: 'viewer' }],
    [
      'a role deeper',
      { realm: { roles: ['viewer'] } },
      { roleClaim: 'realm.roles' },
      { role: 'viewer' },
    ],
    [
      'a claim named as a URL',
      { 'https://a.example/role': 'viewer' },
      { roleClaim: 'https://a.example/role' },
      { role: 'viewer' },
    ],
    ['several audiences', { aud: ['x', AUDIENCE] }, {}, { role: 'operator' }],
    ['a clock that is a minute off', { exp: inSeconds(-30) }, {}, { role: 'operator' }],
    ['a tenant', { org: 'acme' }, { tenantClaim: 'org' }, { tenant: 'acme' }],
    ['an admin of all tenants', { roles: 'admin' }, { tenantClaim: 'org' }, { role: 'admin' }],
  ])('may have %s', async (_, claims, more, principal) => {
    const found = await new TokenVerifier({ ...options, ...more }).verify(
      await token(claims).sign(own.privateKey),
    );
    expect(found?.principal).toMatchObject(principal);
  });

  it.each<[string, () => Promise<string> | string]>([
    ['nothing', () => ''],
    ['no token', () => 'a.b.c'],
    ['two parts', async () => (await token().sign(own.privateKey)).split('.', 2).join('.')],
    ['without signature', async () => (await token().sign(own.privateKey)).replace(/[^.]*$/, '')],
    [
      'alg none',
      () =>
        new UnsecuredJWT({
          ...CLAIMS,
          iss: provider.url,
          aud: AUDIENCE,
          exp: inSeconds(60),
        }).encode(),
    ],
    ['signed by another key', () => token().sign(foreign.privateKey)],
    ['of an unknown key', () => token({}, { kid: 'b' }).sign(own.privateKey)],
    [
      'with a key that is a path',
      () => token({}, { kid: '../../etc/passwd' }).sign(foreign.privateKey),
    ],
    [
      'that brings its own key',
      async () => token({}, { jwk: await exportJWK(foreign.publicKey) }).sign(foreign.privateKey),
    ],
    [
      'that says where its key is',
      () => token({}, { jku: 'https://evil.example/keys' }).sign(foreign.privateKey),
    ],
    [
      'HMAC with the public key',
      async () =>
        token({}, { alg: 'HS256' }).sign(new TextEncoder().encode(await exportSPKI(own.publicKey))),
    ],
    [
      'changed after it was signed',
      async () => {
        const [head, , tail] = (await token().sign(own.privateKey)).split('.');
        const claims = {
          ...CLAIMS,
          roles: ['admin'],
          iss: provider.url,
          aud: AUDIENCE,
          exp: inSeconds(60),
        };
        return [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), tail].join('.');
      },
    ],
    ['expired', () => token({ exp: inSeconds(-61) }).sign(own.privateKey)],
    ['without end', () => token({ exp: undefined }).sign(own.privateKey)],
    ['not yet', () => token({ nbf: inSeconds(120) }).sign(own.privateKey)],
    ['of another issuer', () => token({ iss: 'https://evil.example' }).sign(own.privateKey)],
    ['without issuer', () => token({ iss: undefined }).sign(own.privateKey)],
    ['for another audience', () => token({ aud: 'billing' }).sign(own.privateKey)],
    ['without audience', () => token({ aud: undefined }).sign(own.privateKey)],
    ['without subject', () => token({ sub: undefined }).sign(own.privateKey)],
    ['without role', () => token({ roles: [] }).sign(own.privateKey)],
    ['of a role in another case', () => token({ roles: 'Admin' }).sign(own.privateKey)],
    [
      'of a role that all objects have',
      () => token({ roles: ['constructor'] }).sign(own.privateKey),
    ],
    [
      'with something critical',
      async () => {
        const [, body = ''] = (await token().sign(own.privateKey)).split('.');
        const header = JSON.stringify({ alg: 'ES256', kid: 'a', crit: ['x'], x: 1 });
        const signed = `${Buffer.from(header).toString('base64url')}.${body}`;
        const data = new TextEncoder().encode(signed);
        const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
        const signature = await crypto.subtle.sign(algorithm, own.privateKey, data);
        return `${signed}.${Buffer.from(signature).toString('base64url')}`;
      },
    ],
    ['of a subject without end', () => token({ sub: 'x'.repeat(201) }).sign(own.privateKey)],
  ])('is refused: %s', async (_, make) => {
    expect(await verifier.verify(await make())).toBeUndefined();
  });

  it.each([
    ['none', {}],
    ['empty', { org: '' }],
    ['a list', { org: ['acme'] }],
  ])('is refused where tenants are told apart: %s', async (_, claims) => {
    const strict = new TokenVerifier({ ...options, tenantClaim: 'org' });
    expect(await strict.verify(await token(claims).sign(own.privateKey))).toBeUndefined();
  });

  it('cannot be verified while its provider is away, and can be when that is back', async () => {
    const away = new TokenVerifier(options);
    const text = await token().sign(own.privateKey);
    await provider.stop();
    await expect(away.verify(text)).rejects.toMatchObject({ code: 'identity_provider' });
    await provider.start();
    expect(await away.verify(text)).toBeDefined();
  });

  it('cannot be verified with the keys of another issuer', async () => {
    const other = new TokenVerifier({ ...options, issuer: `${provider.url}/` });
    await expect(other.verify(await token().sign(own.privateKey))).rejects.toMatchObject({
      code: 'identity_provider',
    });
  });
});

describe('settings', () => {
  it('say whose tokens are accepted', () => {
    expect(tokenOptionsOf({})).toBeUndefined();
    expect(
      tokenOptionsOf({ OIDC_ISSUER: 'https://id.example', OIDC_AUDIENCE: 'callsheet' }),
    ).toEqual({ issuer: 'https://id.example', audience: 'callsheet', roleClaim: 'roles' });
  });

  it.each([
    ['OIDC_ISSUER', { OIDC_ISSUER: 'http://id.example', OIDC_AUDIENCE: 'a' }],
    ['OIDC_ISSUER', { OIDC_ISSUER: 'id.example', OIDC_AUDIENCE: 'a' }],
    ['OIDC_AUDIENCE', { OIDC_ISSUER: 'https://id.example' }],
    [
      'OIDC_JWKS_URL',
      { OIDC_ISSUER: 'https://id.example', OIDC_AUDIENCE: 'a', OIDC_JWKS_URL: 'file:///k' },
    ],
  ])('are refused by name: %s of %o', (path, env) => {
    expect(() => tokenOptionsOf(env)).toThrow(expect.objectContaining({ path }) as Error);
  });
});
