import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isLoopback, nameOf } from '../bind.js';
import { ProblemError } from '../problem.js';
import { answerProblem, reportProblem } from '../problem.filter.js';
import { problemFrom } from '../problem.translation.js';
import type { Access } from './access.js';
import { loginPage, STYLE_HASH } from './login.page.js';
import { pageHeaders } from './security.headers.js';

/** Where somebody goes who did not say. */
const HOME = '/board';
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

    scope.get('/login', async (request, reply) => {
      const admitted = await access.admit(request).catch(() => undefined);
      const { next } = request.query as { next?: unknown };
      return page(reply, { principal: admitted?.principal, next: ownPath(next) });
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
        const found = problemFrom(error);
        reportProblem(request, found, error);
        const { status, message, headers } = found;
        return page(reply.code(status).headers(headers), { next, problem: message });
      }
    });

    scope.post('/logout', async (request, reply) =>
      reply.header('set-cookie', access.sessions.end(isSecure(request))).redirect('/login', 303),
    );
  });
}

function page(reply: FastifyReply, shown: Parameters<typeof loginPage>[0]): FastifyReply {
  return reply
    .headers(pageHeaders(STYLE_HASH))
    .type('text/html; charset=utf-8')
    .send(loginPage(shown));
}

/** A path of this site, and of no other: `//host` and `/\host` are of others. */
function ownPath(text: unknown): string {
  return typeof text === 'string' && /^\/(?![/\\])[\x21-\x7e]*$/.test(text) && !text.includes('\\')
    ? text
    : HOME;
}

/** Browsers do not send secure cookies over plain HTTP; that is right everywhere but on the machine itself. */
function isSecure({ headers }: FastifyRequest): boolean {
  return !isLoopback(nameOf(headers.host));
}
