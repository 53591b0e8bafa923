import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import { isLoopback } from './bind.js';
import { ProblemError, sendProblem } from './problem.js';
import { isSignedRoute } from './signed.route.js';

const OPEN = new Set(['/health/live', '/health/ready']);
const BOARD = /^\/board(\/|$)/;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
const HEADERS = { 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' };

/**
 * Decides about every request before its body is read. One hook of the server and not a Nest guard, because the routes of
 * Bull Board are not Nest's. Must be added before any route.
 *
 * @param apiKey what clients must present; without one, only requests to this machine by a local name are served
 */
export function guardAccess(fastify: FastifyInstance, apiKey: string | undefined): void {
  const key = apiKey === undefined ? undefined : digest(apiKey);
  fastify.addHook('onRequest', async (request, reply) => {
    void reply.headers(HEADERS);
    const refusal = stranger(request, key) ?? crossSite(request);
    if (refusal) return sendProblem(reply, refusal);
  });
}

/** What is signed comes from elsewhere, under whatever name this machine has there; its signature is checked with its body. */
function stranger(request: FastifyRequest, key: Buffer | undefined): ProblemError | undefined {
  if (isSignedRoute(request)) return undefined;
  return key ? credentials(request, key) : localName(request);
}

/** Bearer key, or on the board, for browsers, the key as Basic password. */
function credentials(request: FastifyRequest, key: Buffer): ProblemError | undefined {
  const route = request.routeOptions.url ?? '';
  if (OPEN.has(route)) return undefined;
  const board = BOARD.test(route);
  const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(' ');
  const given =
    scheme.toLowerCase() === 'bearer'
      ? value
      : board && scheme.toLowerCase() === 'basic'
        ? Buffer.from(value, 'base64')
            .toString()
            .replace(/^[^:]*:/, '')
        : '';
  if (timingSafeEqual(digest(given), key)) return undefined;
  return new ProblemError(
    'unauthorized',
    board ? 'log in with the API key as password' : 'send authorization: Bearer <API key>',
    { headers: { 'www-authenticate': `${board ? 'Basic' : 'Bearer'} realm="Callsheet"` } },
  );
}

/** A page elsewhere can point a name of its own at this machine; its requests then carry that name (DNS rebinding). */
function localName({ headers }: FastifyRequest): ProblemError | undefined {
  const name = (headers.host ?? '').replace(/:\d+$/, '');
  if (isLoopback(name)) return undefined;
  return new ProblemError(
    'misdirected',
    'without credentials only localhost, 127.0.0.1 and [::1] are served; set CALLSHEET_API_KEY to serve other names',
  );
}

/**
 * Browsers send a page's requests to any site, with the credentials they remember for it. Other clients send no such headers. What
 * is only read they keep from the page, but not what comes over a WebSocket.
 */
function crossSite({ method, headers }: FastifyRequest): ProblemError | undefined {
  if (SAFE.has(method) && headers.upgrade === undefined) return undefined;
  const site = headers['sec-fetch-site'];
  const own =
    site === undefined
      ? headers.origin === undefined || hostOf(headers.origin) === headers.host
      : site === 'same-origin' || site === 'none';
  return own
    ? undefined
    : new ProblemError('cross_site', 'the request comes from a page of another site');
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
