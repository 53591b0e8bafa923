import { isLoopback, OptionError } from '@callsheet/messaging';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Where the server listens. */
export interface Address {
  host: string;
  /** 0 lets the system choose. */
  port: number;
}

type Env = Readonly<Record<string, string | undefined>>;

const SHORTEST_KEY = 32;

/**
 * The address to listen on: `HOST`, default 127.0.0.1, and `PORT`, default 3000.
 *
 * @throws OptionError for a bad value, and for an address that others can reach while no credentials are configured: neither
 *   `CALLSHEET_API_KEY` nor `OIDC_ISSUER`
 */
export function bindAddress(env: Env = process.env): Address {
  const host = env.HOST || '127.0.0.1';
  const port = env.PORT || '3000';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new OptionError('PORT', `must be a whole number from 0 to 65535, got '${port}'`);
  }
  if (apiKeyOf(env) === undefined && !env.OIDC_ISSUER && !isLoopback(host)) {
    throw new OptionError(
      'HOST',
      `is '${host}', which others can reach, and there are no credentials: set CALLSHEET_API_KEY or OIDC_ISSUER, or leave HOST out and use an SSH tunnel`,
    );
  }
  return { host, port: Number(port) };
}

/**
 * The key that clients must present, from `CALLSHEET_API_KEY`; undefined when none is set.
 *
 * @throws OptionError for a key that is short or that a header cannot carry; never shows it
 */
export function apiKeyOf(env: Env = process.env): string | undefined {
  return secretOf('CALLSHEET_API_KEY', env);
}

/** What sessions of browsers are signed with, from `SESSION_SECRET`; undefined when none is set. @throws as {@link apiKeyOf} */
export function sessionSecretOf(env: Env = process.env): string | undefined {
  return secretOf('SESSION_SECRET', env);
}

/**
 * Where browsers find this application, from `PUBLIC_URL`, without a slash at its end; undefined when it is not set.
 *
 * @throws OptionError for one that is not https, but on this machine, or has a path
 */
export function publicUrlOf(env: Env = process.env): string | undefined {
  if (!env.PUBLIC_URL) return undefined;
  requireUrl('PUBLIC_URL', env.PUBLIC_URL);
  const { origin, href } = new URL(env.PUBLIC_URL);
  if (href === `${origin}/`) return origin;
  throw new OptionError(
    'PUBLIC_URL',
    'must be a URL without path, such as https://jobs.example.org',
  );
}

/** Requests per second that one key may make of a process, from `HTTP_RATE`; undefined when none is set. @throws OptionError */
export function requestRateOf(env: Env = process.env): number | undefined {
  const rate = env.HTTP_RATE;
  if (!rate) return undefined;
  if (/^[1-9]\d{0,5}$/.test(rate)) return Number(rate);
  throw new OptionError(
    'HTTP_RATE',
    'must be a whole number of requests per second, from 1 to 999999',
  );
}

/** @throws OptionError naming `name` for a URL that others can listen to */
export function requireUrl(name: string, text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))) return;
  throw new OptionError(name, 'must be an https URL');
}

function secretOf(name: string, env: Env): string | undefined {
  const secret = env[name];
  if (!secret) return undefined;
  if (secret.length < SHORTEST_KEY || !/^[\x21-\x7e]+$/.test(secret)) {
    throw new OptionError(
      name,
      `must be at least ${SHORTEST_KEY} printable ASCII characters without spaces; make one with: openssl rand -hex 32`,
    );
  }
  return secret;
}

/**
 * Rejects when nothing can listen on the address. Asked before anything starts, so that a second start by mistake never
 * takes messages.
 *
 * @throws OptionError naming what to change
 */
export async function requireFree({ host, port }: Address): Promise<void> {
  const probe = createServer();
  try {
    probe.listen({ host, port });
    await once(probe, 'listening');
  } catch (error) {
    throw explain(error, { host, port });
  } finally {
    probe.close();
  }
}

function explain(error: unknown, { host, port }: Address): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new OptionError(
        'PORT',
        `${port} is in use on ${host}: stop what listens there, or set another PORT`,
      );
    case 'EACCES':
      return new OptionError('PORT', `${port} needs privileges: set one from 1024`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new OptionError('HOST', `'${host}' is not an address of this machine`);
    default:
      return error;
  }
}
