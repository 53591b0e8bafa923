import { hostNameOf, isLoopback } from '@callsheet/messaging';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../problem.js';
import { answerProblem, reportProblem } from '../problem.filter.js';
import { problemFrom } from '../problem.translation.js';
import type { Access } from './access.js';
import { arrivalPage, loginPage, STYLE_HASH } from './login.page.js';
import { CALLBACK, type OidcLogin } from './oidc.login.js';
import { pageHeaders } from './security.headers.js';

/** Where somebody goes who did not say. */
const HOME = '/';
/** The most bytes of the form; a token may be long. */
const FORM_LIMIT = 16 * 1024;

/** Serves the page where people log in and out: without scripts, so that it works wherever a form does. */
export function mountLogin(fastify: FastifyInstance, access: Access): void {
  void fastify.register(async (scope) => {
    scope.addContentTypeParser<string>(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: FORM_LIMIT },
      async (_request: FastifyRequest, text: string) => new URLSearchParams(text),
    );
    scope.setErrorHandler((error, request, reply) => answerProblem(request, reply, error));

    const { login } = access;
    const provider = login?.host;
    /** The page again, with what was wrong. The rest of a URL may be secret. */
    const again = (request: FastifyRequest, reply: FastifyReply, next: string, error: unknown) => {
      const found = problemFrom(error);
      const { method, routeOptions } = request;
      reportProblem({ method, url: routeOptions.url ?? '' }, found, error);
      const { status, message, headers } = found;
      const shown = { next, problem: message, provider };
      return page(reply.code(status).headers(headers), loginPage(shown));
    };

    scope.get('/login', async (request, reply) => {
      const admitted = await access.admit(request).catch(() => undefined);
      const next = nextOf(request);
      return page(reply, loginPage({ principal: admitted?.principal, next, provider }));
    });

    scope.post('/login', async (request, reply) => {
      const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
      const next = ownPath(form.get('next'));
      try {
        const known = await access.identify(form.get('key')?.trim() ?? '', request.ip);
        if (!known) throw new ProblemError('unauthorized', 'That key or token does not hold.');
        const cookie = await access.sessions.begin(known.holder, isSecure(request), known.until);
        return reply.header('set-cookie', cookie).redirect(next, 303);
      } catch (error) {
        return again(request, reply, next, error);
      }
    });

    scope.post('/logout', async (request, reply) =>
      reply.header('set-cookie', access.sessions.end(isSecure(request))).redirect('/login', 303),
    );

    if (login) mountOidcLogin(scope, access, login, again);
  });
}

/** The way to the identity provider and back. */
function mountOidcLogin(
  scope: FastifyInstance,
  access: Access,
  login: OidcLogin,
  again: (
    request: FastifyRequest,
    reply: FastifyReply,
    next: string,
    error: unknown,
  ) => FastifyReply,
): void {
  scope.get('/login/oidc', async (request, reply) => {
    const next = nextOf(request);
    try {
      const { url, cookie } = await login.begin(next);
      return reply.header('set-cookie', cookie).redirect(url, 303);
    } catch (error) {
      return again(request, reply, next, error);
    }
  });

  scope.get(CALLBACK, async (request, reply) => {
    try {
      // The provider is asked about each: nobody has it asked without end.
      access.countReturn(request.ip);
      const { search } = new URL(request.raw.url ?? '', 'http://x');
      const { principal, next } = await login.finish(search, request.headers.cookie);
      const session = await access.sessions.begin({ via: 'token', principal }, isSecure(request));
      return page(reply.header('set-cookie', [session, login.end()]), arrivalPage(next));
    } catch (error) {
      return again(request, reply, HOME, error);
    }
  });
}

function nextOf({ query }: FastifyRequest): string {
  return ownPath((query as { next?: unknown }).next);
}

function page(reply: FastifyReply, html: string): FastifyReply {
  return reply.headers(pageHeaders(STYLE_HASH)).type('text/html; charset=utf-8').send(html);
}

/** The longest path that is gone back to: it has to find room in a cookie. */
const LONGEST_PATH = 1_024;

/** A path of this site, and of no other: `//host` and `/\host` are of others. */
function ownPath(text: unknown): string {
  return typeof text === 'string' &&
    text.length <= LONGEST_PATH &&
    /^\/(?![/\\])[\x21-\x7e]*$/.test(text) &&
    !text.includes('\\')
    ? text
    : HOME;
}

/** Browsers do not send secure cookies over plain HTTP; that is right everywhere but on the machine itself. */
function isSecure({ headers }: FastifyRequest): boolean {
  return !isLoopback(hostNameOf(headers.host));
}
