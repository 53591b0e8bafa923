import { hostNameOf, isLoopback } from '@callsheet/messaging';
import type { FastifyRequest } from 'fastify';
import { randomBytes } from 'node:crypto';
import { Pace } from '../pace.js';
import { ProblemError } from '../problem.js';
import { apiKeyIdOf, digestOf, isDigestOf } from './api.key.js';
import type { ApiKeys } from './api.keys.js';
import { OidcLogin, type OidcLoginOptions } from './oidc.login.js';
import { LOCAL, type Principal } from './principal.js';
import { Sessions, type SessionHolder } from './sessions.js';
import { TokenVerifier, type TokenOptions } from './token.verifier.js';

/** What credentials there are, beside API keys. */
export interface AccessOptions {
  /** The key of the environment: an admin's, to make others with. */
  apiKey?: string | undefined;
  /** Whose tokens are taken instead. */
  tokens?: TokenOptions | undefined;
  /** Where people may log in with a browser; with `tokens` of the same provider. */
  login?: OidcLoginOptions | undefined;
  /** Where browsers find the application. Default: whatever they ask for. */
  publicUrl?: string | undefined;
  /** Requests per second that one key, or whoever else is told apart, may make of this process. Default: any number. */
  rate?: number | undefined;
  /** Of all processes of one installation. Default: `apiKey`; without either a random one. */
  sessionSecret?: string | undefined;
}

/** Somebody who presented credentials. */
export interface Admitted {
  principal: Principal;
  /** Whether a browser sends them by itself. */
  isSession: boolean;
}

/** Credentials as somebody gave them to log in. */
interface Known {
  principal: Principal;
  holder: SessionHolder;
  /** When they end by themselves, epoch seconds. */
  until?: number;
}

/** Tells who makes a request. */
export class Access {
  readonly sessions: Sessions;
  /** Undefined where people have no identity provider to log in at. */
  readonly login?: OidcLogin;
  /** Those of the store, once the application is there. */
  keys?: ApiKeys;
  /** With which the application asks itself, as an admin. Known to this process alone. */
  readonly ownAuthorization: string = `Bearer ${randomBytes(32).toString('hex')}`;
  private readonly pace?: Pace;
  private readonly digest?: string;
  private readonly ownDigest = digestOf(this.ownAuthorization);
  private readonly tokens?: TokenVerifier;
  /** Wrong credentials by the address that they come from. */
  private readonly wrong = new Pace(1, 20);
  /** Answers of the identity provider by the address that they come through. */
  private readonly returns = new Pace(1, 20);

  constructor({
    apiKey,
    tokens,
    login,
    publicUrl,
    rate,
    sessionSecret = apiKey,
  }: AccessOptions = {}) {
    if (rate !== undefined) this.pace = new Pace(rate, rate * BURST);
    this.sessions = new Sessions(sessionSecret, publicUrl?.startsWith('https:'));
    if (login) this.login = new OidcLogin(login, sessionSecret);
    if (apiKey !== undefined) this.digest = digestOf(apiKey);
    if (tokens) this.tokens = new TokenVerifier(tokens);
  }

  /** Whether credentials are configured; if not, only requests to this machine by a local name are served without any. */
  get isConfigured(): boolean {
    return this.digest !== undefined || this.tokens !== undefined;
  }

  /**
   * Who makes a request; undefined when there are no credentials where some are needed.
   *
   * @throws ProblemError unauthorized for wrong ones, too_many_attempts for many of them; misdirected
   */
  async admit(request: FastifyRequest): Promise<Admitted | undefined> {
    const { authorization, cookie } = request.headers;
    if (authorization !== undefined) {
      if (isDigestOf(this.ownDigest, authorization)) return { principal: ITSELF, isSession: false };
      const [scheme = '', text = ''] = authorization.split(' ');
      const known =
        scheme.toLowerCase() === 'bearer' ? await this.identify(text, request.ip) : undefined;
      if (!known) throw unauthorized('the credentials do not hold');
      return { principal: known.principal, isSession: false };
    }
    const holder = await this.sessions.holder(cookie);
    const principal = holder && (await this.principalOf(holder));
    if (principal) return { principal, isSession: true };
    if (this.isConfigured) return undefined;
    requireLocalName(request);
    return { principal: LOCAL, isSession: false };
  }

  /** Counts a request of somebody. @throws ProblemError too_many_requests, for one that comes too fast */
  count({ id }: Principal): void {
    const early = this.pace?.take(id) ?? 0;
    if (early === 0) return;
    throw new ProblemError('too_many_requests', 'requests with this key come too fast', {
      headers: { 'retry-after': String(Math.ceil(early / 1_000)) },
    });
  }

  /**
   * Who presents a key or a token; undefined when it does not hold.
   *
   * @param address where it comes from. Right ones are never held up: many clients may stand behind one address
   * @throws ProblemError too_many_attempts instead, for many wrong ones from there
   */
  async identify(text: string, address: string): Promise<Known | undefined> {
    const known = await this.lookUp(text);
    if (!known) requirePace(this.wrong.take(address), 'too many wrong credentials came from there');
    return known;
  }

  /** Counts what the identity provider is asked about. @throws ProblemError too_many_attempts for much from one address */
  countReturn(address: string): void {
    requirePace(this.returns.take(address), 'too many logins came from there');
  }

  private async lookUp(text: string): Promise<Known | undefined> {
    if (this.digest !== undefined && isDigestOf(this.digest, text)) {
      return { principal: ENVIRONMENT, holder: { via: 'environment', digest: this.digest } };
    }
    const id = apiKeyIdOf(text);
    if (id !== undefined) {
      const principal = await this.keys?.verify(text);
      return principal && { principal, holder: { via: 'api-key', id } };
    }
    const token = await this.tokens?.verify(text);
    if (!token) return undefined;
    const { principal, expiresAt } = token;
    return { principal, holder: { via: 'token', principal }, until: expiresAt };
  }

  private async principalOf(holder: SessionHolder): Promise<Principal | undefined> {
    switch (holder.via) {
      case 'environment':
        return holder.digest === this.digest ? ENVIRONMENT : undefined;
      case 'api-key':
        return this.keys?.holder(holder.id);
      case 'token':
        return this.tokens && holder.principal;
    }
  }
}

/** The application, which looks at what is changed. */
const ITSELF: Principal = { id: 'itself', name: 'Callsheet', role: 'admin' };

/** Seconds' worth of requests that may come at once. */
const BURST = 5;

/** Whoever has the key of the environment. */
const ENVIRONMENT: Principal = { id: 'environment', name: 'CALLSHEET_API_KEY', role: 'admin' };

/** @param detail what is wrong */
export function unauthorized(detail: string): ProblemError {
  return new ProblemError(
    'unauthorized',
    `${detail}: send authorization: Bearer <API key>, or log in at /login`,
    { headers: { 'www-authenticate': 'Bearer realm="Callsheet"' } },
  );
}

/** What proxies add: then it is not this machine that asks. */
const FORWARDED = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
];

/** A page elsewhere can point a name of its own at this machine; its requests then carry that name (DNS rebinding). */
function requireLocalName({ headers }: FastifyRequest): void {
  const isForwarded = FORWARDED.some((header) => headers[header] !== undefined);
  if (isLoopback(hostNameOf(headers.host)) && !isForwarded) return;
  throw new ProblemError(
    'misdirected',
    'without credentials only this machine is served, as localhost, 127.0.0.1 or [::1] and through no proxy; set CALLSHEET_API_KEY to serve others',
  );
}

function requirePace(early: number, problem: string): void {
  if (early === 0) return;
  throw new ProblemError('too_many_attempts', problem, {
    headers: { 'retry-after': String(Math.ceil(early / 1_000)) },
  });
}
