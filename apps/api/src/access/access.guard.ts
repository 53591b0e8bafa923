import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../problem.js';
import { answerProblem } from '../problem.filter.js';
import { problemFrom } from '../problem.translation.js';
import { unauthorized, type Access } from './access.js';
import { may, setPrincipal, type Principal } from './principal.js';
import { isBoard, isForTenants, isPage, isSafe, needOf, type Need } from './route.permissions.js';
import { API_HEADERS, BOARD_HEADERS } from './security.headers.js';

/**
 * Decides about every request before its body is read. One hook of the server and not a Nest guard, because the routes of
 * Bull Board are not Nest's. Must be added before any route.
 */
export function guardAccess(fastify: FastifyInstance, access: Access): void {
  fastify.addHook('onRequest', async (request, reply) => {
    const url = request.routeOptions.url ?? '';
    void reply.headers(isBoard(url) ? BOARD_HEADERS : API_HEADERS);
    try {
      const need = needOf(request.method, url);
      // What is signed comes from elsewhere, under whatever name this machine has there.
      if (need === 'open' || need === 'signed') return requireOwnSite(request, false);
      const admitted = await access.admit(request);
      requireOwnSite(request, admitted?.isSession ?? false);
      if (!admitted) {
        if (isNavigation(request) && isPage(url)) return toLogin(request, reply);
        throw unauthorized('credentials are needed');
      }
      const { principal } = admitted;
      setPrincipal(request, principal, () => stillHolds(access, request, need));
      // There is nothing behind it: 404 will say so.
      if (url === '') return;
      access.count(principal);
      requirePermission(principal, request, need);
    } catch (error) {
      return answerProblem(request, reply, error);
    }
  });
}

/** What somebody has to be let in for. */
type Asked = Exclude<Need, 'open' | 'signed'> | undefined;

/** Whether a request would be let in now. A store that is away keeps nobody out who is in. */
async function stillHolds(access: Access, request: FastifyRequest, need: Asked): Promise<boolean> {
  try {
    const admitted = await access.admit(request);
    if (admitted) requirePermission(admitted.principal, request, need);
    return admitted !== undefined;
  } catch (error) {
    return problemFrom(error).status >= 500;
  }
}

/** @throws ProblemError forbidden */
function requirePermission(
  principal: Principal,
  { method, routeOptions: { url = '' } }: FastifyRequest,
  need: Asked,
): void {
  const isPermitted =
    need === undefined
      ? principal.role === 'admin' && !principal.permissions
      : need === 'anybody' || may(principal, need);
  if (!isPermitted) {
    throw new ProblemError(
      'forbidden',
      `'${principal.name}' may not: it needs ${need ?? 'an admin'}`,
    );
  }
  if (principal.tenant !== undefined && !isForTenants(method, url)) {
    throw new ProblemError(
      'forbidden',
      `'${principal.name}' is of the tenant '${principal.tenant}', and this is not told apart by tenant`,
    );
  }
}

/**
 * Browsers send a page's requests to any site, with the credentials they remember for it. Other clients send no such headers. What
 * is only read they keep from the page, but not what comes over a WebSocket.
 *
 * @param isSession then it is a browser, and one that says nothing is not believed
 * @throws ProblemError cross_site
 */
function requireOwnSite({ method, headers }: FastifyRequest, isSession: boolean): void {
  if (isSafe(method) && headers.upgrade === undefined) return;
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  const own =
    site === undefined
      ? origin === undefined
        ? !isSession
        : hostOf(origin) === host
      : site === 'same-origin' || site === 'none';
  if (!own) throw new ProblemError('cross_site', 'the request comes from a page of another site');
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Whether a person goes to a page. */
function isNavigation({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && headers.accept?.includes('text/html') === true;
}

function toLogin({ url }: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.redirect(`/login?next=${encodeURIComponent(url)}`, 303);
}
