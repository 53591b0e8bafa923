import { OptionError } from '@callsheet/messaging';
import { randomBytes } from 'node:crypto';
import type { Configuration } from 'openid-client';
import { publicUrlOf } from '../bind.js';
import { ProblemError } from '../problem.js';
import type { Principal } from './principal.js';
import { SignedCookie } from './signed.cookie.js';
import {
  PATIENCE,
  SKEW,
  tokenOptionsOf,
  TokenVerifier,
  unreachable,
  type TokenOptions,
} from './token.verifier.js';

type Env = Readonly<Record<string, string | undefined>>;

/** Where people log in with a browser instead of showing a key. */
export interface OidcLoginOptions {
  /** The identity provider, and which claims of its ID tokens say what somebody may. */
  provider: TokenOptions;
  /** As whom this application is registered there, from `OIDC_CLIENT_ID`. */
  clientId: string;
  /** From `OIDC_CLIENT_SECRET`. Default: none, as of a public client. */
  clientSecret?: string;
  /** What is asked for, from `OIDC_SCOPE`. Default `openid profile email`. */
  scope: string;
  /** Where browsers find this application, from `PUBLIC_URL`. */
  publicUrl: string;
}

/** A login that was begun in a browser. */
interface Begun {
  /** Where somebody wanted to go, a path of this site. */
  next: string;
  state: string;
  nonce: string;
  verifier: string;
}

/** Where the identity provider sends browsers back to. */
export const CALLBACK = '/login/oidc/callback';
/** How long somebody may take to log in there, seconds. */
const LONGEST = 600;
const AGAIN = 'begin again at /login';
/** What the library says of answers that are not the one that was asked for; by other codes the provider is not as it should be. */
const FORGED = [
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
];

/** @throws OptionError for settings that do not go together */
export function oidcLoginOptionsOf(env: Env = process.env): OidcLoginOptions | undefined {
  const { OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = env;
  if (!clientId) {
    if (!clientSecret) return undefined;
    throw new OptionError('OIDC_CLIENT_ID', 'must be set with OIDC_CLIENT_SECRET');
  }
  const provider = tokenOptionsOf(env);
  if (!provider) throw new OptionError('OIDC_ISSUER', 'must be set with OIDC_CLIENT_ID');
  const publicUrl = publicUrlOf(env);
  if (publicUrl === undefined) {
    throw new OptionError(
      'PUBLIC_URL',
      'must be set with OIDC_CLIENT_ID: it is where the identity provider sends browsers back to',
    );
  }
  const scope = env.OIDC_SCOPE || 'openid profile email';
  if (!scope.split(' ').includes('openid')) {
    throw new OptionError('OIDC_SCOPE', "must contain 'openid'");
  }
  return { provider, clientId, ...(clientSecret && { clientSecret }), scope, publicUrl };
}

/**
 * Lets people log in at their identity provider: the authorization code flow of OpenID Connect Core 1.0 with PKCE. What was begun is
 * kept in a cookie of the browser that began it, so that nobody can be logged in with an answer that another one was given.
 */
export class OidcLogin {
  /** The provider's, for people. */
  readonly host: string;
  private readonly cookie: SignedCookie<Begun>;
  private readonly verifier: TokenVerifier;
  private readonly redirectUri: string;
  private client?: Promise<Configuration>;

  /** @param secret of all processes of one installation. Default: a random one */
  constructor(
    private readonly options: OidcLoginOptions,
    secret: string = randomBytes(32).toString('hex'),
  ) {
    const { provider, clientId, publicUrl } = options;
    this.host = new URL(provider.issuer).host;
    this.redirectUri = publicUrl + CALLBACK;
    // What was made for another client is not for this one.
    this.verifier = new TokenVerifier({ ...provider, audience: clientId });
    this.cookie = new SignedCookie({
      ...{ name: 'callsheet-login', secret, isHttps: publicUrl.startsWith('https:') },
      // Somebody comes back from another site.
      ...{ sameSite: 'lax', longest: LONGEST },
    });
  }

  /**
   * Begins a login: where to send the browser, and the header `Set-Cookie` that it must come back with.
   *
   * @param next where to go then, a path of this site
   * @throws ProblemError identity_provider when it does not answer
   */
  async begin(next: string): Promise<{ url: string; cookie: string }> {
    const library = await openid();
    const client = await this.configuration();
    const [state, nonce] = [library.randomState(), library.randomNonce()];
    const verifier = library.randomPKCECodeVerifier();
    const url = library.buildAuthorizationUrl(client, {
      redirect_uri: this.redirectUri,
      scope: this.options.scope,
      state,
      nonce,
      code_challenge: await library.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    return {
      url: url.href,
      cookie: await this.cookie.set({ next, state, nonce, verifier }, false),
    };
  }

  /**
   * Who came back from the provider, and where that one wanted to go.
   *
   * @param query what the provider added to the URL
   * @param cookies the header `Cookie`
   * @throws ProblemError unauthorized for what does not belong to the login that this browser began; forbidden when the provider
   *   refuses, or gives no role; identity_provider when it does not answer as it should
   */
  async finish(
    query: string,
    cookies: string | undefined,
  ): Promise<{ principal: Principal; next: string }> {
    const begun = await this.cookie.read(cookies);
    if (!begun) {
      throw new ProblemError(
        'unauthorized',
        `This browser has begun no login in the last ten minutes: ${AGAIN}.`,
      );
    }
    const claims = await this.verifier.claims(await this.redeem(query, begun));
    if (!claims) throw isNotOurs();
    const principal = this.verifier.principalFor(claims);
    if (principal) return { principal, next: begun.next };
    throw new ProblemError(
      'forbidden',
      `${this.host} says who you are, but gives you no role here (claim '${this.options.provider.roleClaim}').`,
    );
  }

  /** The header `Set-Cookie` after which a login is over. */
  end(): string {
    return this.cookie.clear(false);
  }

  /** The ID token that the provider gives for its answer. */
  private async redeem(query: string, { state, nonce, verifier }: Begun): Promise<string> {
    const library = await openid();
    const client = await this.configuration();
    const url = new URL(this.redirectUri);
    url.search = query;
    try {
      const { id_token: token = '' } = await library.authorizationCodeGrant(client, url, {
        ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier },
        idTokenExpected: true,
      });
      return token;
    } catch (error) {
      if (error instanceof library.AuthorizationResponseError) {
        const code = error.error.slice(0, 100);
        throw new ProblemError('forbidden', `${this.host} did not log you in (${code}): ${AGAIN}.`);
      }
      const isForged =
        error instanceof library.ResponseBodyError
          ? error.error === 'invalid_grant'
          : error instanceof library.ClientError && FORGED.includes(error.code ?? '');
      throw isForged ? isNotOurs() : unreachable(error);
    }
  }

  private configuration(): Promise<Configuration> {
    this.client ??= this.discover().catch((error: unknown) => {
      this.client = undefined;
      throw unreachable(error);
    });
    return this.client;
  }

  private async discover(): Promise<Configuration> {
    const library = await openid();
    const { clientId, clientSecret, provider } = this.options;
    const issuer = new URL(provider.issuer);
    return library.discovery(
      issuer,
      clientId,
      { [library.clockTolerance]: SKEW },
      clientSecret === undefined ? library.None() : library.ClientSecretBasic(clientSecret),
      {
        timeout: PATIENCE / 1_000,
        // As the settings are checked, that is one on this machine.
        execute: issuer.protocol === 'http:' ? [library.allowInsecureRequests] : [],
      },
    );
  }
}

/** The library, loaded with the first login. */
function openid() {
  // oxlint-disable-next-line no-restricted-imports -- this is when it is needed
  return import('openid-client');
}

function isNotOurs(): ProblemError {
  return new ProblemError(
    'unauthorized',
    `That is no answer to the login that was begun here, or it was used before: ${AGAIN}.`,
  );
}
