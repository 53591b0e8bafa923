import { OptionError } from '@callsheet/messaging';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { requireUrl } from '../bind.js';
import { ProblemError } from '../problem.js';
import { ROLES, type Role } from './permission.js';
import type { Principal } from './principal.js';

type Env = Readonly<Record<string, string | undefined>>;

/** Whose tokens are accepted. */
export interface TokenOptions {
  /** What `iss` must be: the URL of the identity provider, from `OIDC_ISSUER`. */
  issuer: string;
  /** What `aud` must be, or contain, from `OIDC_AUDIENCE`. */
  audience: string;
  /** Where its keys are, from `OIDC_JWKS_URL`. Default: where its OpenID configuration says. */
  jwksUrl?: string;
  /** Claim with the role, or a list with roles, dots for what lies deeper, from `OIDC_ROLE_CLAIM`. Default `roles`. */
  roleClaim: string;
  /** Claim with the tenant, from `OIDC_TENANT_CLAIM`. Default: tokens are of no tenant. */
  tenantClaim?: string;
}

/** Signatures with a public key: with a shared secret, whoever verifies could also sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'EdDSA',
];
/** Seconds by which clocks may differ. */
export const SKEW = 60;
/** Milliseconds that the identity provider has to answer. */
export const PATIENCE = 5_000;

/** @throws OptionError for settings that do not go together */
export function tokenOptionsOf(env: Env = process.env): TokenOptions | undefined {
  const { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience, OIDC_JWKS_URL: jwksUrl } = env;
  if (!issuer) return undefined;
  requireUrl('OIDC_ISSUER', issuer);
  if (!audience) {
    throw new OptionError(
      'OIDC_AUDIENCE',
      'must be set with OIDC_ISSUER: tokens that were made for others are not accepted',
    );
  }
  if (jwksUrl) requireUrl('OIDC_JWKS_URL', jwksUrl);
  return {
    issuer,
    audience,
    ...(jwksUrl && { jwksUrl }),
    roleClaim: env.OIDC_ROLE_CLAIM || 'roles',
    ...(env.OIDC_TENANT_CLAIM && { tenantClaim: env.OIDC_TENANT_CLAIM }),
  };
}

/** Verifies tokens (JWT, RFC 7519) of an identity provider. */
export class TokenVerifier {
  private keys?: Promise<JWTVerifyGetKey>;

  constructor(private readonly options: TokenOptions) {}

  /**
   * Who presents a token, and until when it holds, epoch seconds; undefined when it does not hold, or gives no role.
   *
   * @throws ProblemError identity_provider when its keys cannot be had
   */
  async verify(token: string): Promise<{ principal: Principal; expiresAt: number } | undefined> {
    const claims = await this.claims(token);
    const principal = claims && this.principalFor(claims);
    return principal && { principal, expiresAt: claims.exp ?? 0 };
  }

  /** What a token says; undefined when it does not hold. @throws as {@link verify} */
  async claims(token: string): Promise<JWTPayload | undefined> {
    // Nobody is asked about what cannot be one.
    if (token.split('.').length !== 3) return undefined;
    // oxlint-disable-next-line no-restricted-imports -- this is when it is needed
    const { errors, jwtVerify } = await import('jose');
    const { issuer, audience } = this.options;
    const keys = await this.keysOf();
    try {
      const options = {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: SKEW,
        requiredClaims: ['exp', 'sub'],
      };
      return (await jwtVerify(token, keys, options)).payload;
    } catch (error) {
      const isKnown = error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout);
      // What the provider answers instead of keys has no code of its own.
      if (isKnown && error.code !== 'ERR_JOSE_GENERIC') return undefined;
      throw unreachable(error);
    }
  }

  /** For whom claims stand; undefined when they give no role, or no tenant where there must be one. */
  principalFor(claims: JWTPayload): Principal | undefined {
    const { roleClaim, tenantClaim } = this.options;
    const role = highest([claimOf(claims, roleClaim)].flat());
    const tenant = tenantClaim === undefined ? undefined : claimOf(claims, tenantClaim);
    // A setup that tells tenants apart must not take a token without one for one of all tenants, but for admins.
    const isBad =
      tenant === undefined ? tenantClaim !== undefined && role !== 'admin' : !isText(tenant);
    if (!role || isBad || !isText(claims.sub)) return undefined;
    const name = [claims.name, claims.email, claims.sub].find(isText)!;
    return {
      id: `token:${claims.sub}`,
      name: name.slice(0, 100),
      role,
      ...(isText(tenant) && { tenant }),
    };
  }

  private keysOf(): Promise<JWTVerifyGetKey> {
    this.keys ??= this.load().catch((error: unknown) => {
      this.keys = undefined;
      throw error;
    });
    return this.keys;
  }

  private async load(): Promise<JWTVerifyGetKey> {
    // oxlint-disable-next-line no-restricted-imports -- this is when it is needed
    const { createRemoteJWKSet } = await import('jose');
    const url = this.options.jwksUrl ?? (await this.discover());
    return createRemoteJWKSet(new URL(url), { timeoutDuration: PATIENCE });
  }

  /** After OpenID Connect Discovery 1.0, section 4. */
  private async discover(): Promise<string> {
    const { issuer } = this.options;
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE), redirect: 'error' });
      const found = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown };
      if (found.issuer !== issuer) throw new Error(`${url} is of another issuer`);
      requireUrl('jwks_uri', String(found.jwks_uri));
      return String(found.jwks_uri);
    } catch (error) {
      throw unreachable(error);
    }
  }
}

/** @param cause why the identity provider was of no use */
export function unreachable(cause: unknown): ProblemError {
  return new ProblemError(
    'identity_provider',
    'the identity provider does not answer as it should: tokens cannot be verified now',
    { headers: { 'retry-after': '5' }, cause },
  );
}

function claimOf(claims: JWTPayload, path: string): unknown {
  // A name of a claim may be a URL with dots in it.
  if (Object.hasOwn(claims, path)) return claims[path];
  return path.split('.').reduce<unknown>((value, name) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name))
      return undefined;
    return (value as Record<string, unknown>)[name];
  }, claims);
}

function highest(found: readonly unknown[]): Role | undefined {
  return ROLES.findLast((role) => found.includes(role));
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= 200;
}
