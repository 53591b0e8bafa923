import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError, sendProblem } from './problem.js';
import { problemFrom } from './problem.translation.js';
import type { RouteTable } from './route.table.js';

const logger = new Logger('Http');

/** Logs what is our fault, or that of something we need. */
export function reportProblem(
  { method, url }: Pick<FastifyRequest, 'method' | 'url'>,
  problem: ProblemError,
  error: unknown,
): void {
  if (problem.code === 'internal') {
    logger.error(`${method} ${url}`, error instanceof Error ? error.stack : error);
  } else if (problem.status >= 500) {
    const cause = problem.cause as Error | undefined;
    logger.warn(`${method} ${url}: ${cause?.message ?? problem.message}`);
  }
}

/** Answers a request with what became of it, outside of Nest's handlers. */
export function answerProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
): FastifyReply {
  const problem = problemFrom(error);
  reportProblem(request, problem, error);
  return sendProblem(reply, problem);
}

/** Turns every error of the application into a problem document, and logs the ones that are our fault. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly routes: RouteTable) {}

  catch(error: unknown, host: ArgumentsHost): void {
    // Global filters are asked about handlers of actors too.
    if (host.getType() !== 'http') throw error;
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const problem = request.is404 ? this.unrouted(request) : answerTo(request, error);
    reportProblem(request, problem, error);
    void sendProblem(http.getResponse<FastifyReply>(), problem);
  }

  private unrouted({ method, url }: FastifyRequest): ProblemError {
    const path = url.split('?', 1)[0] ?? url;
    const methods = this.routes.methods(path);
    // A route of files knows the method, yet not every path.
    if (methods.length === 0 || methods.includes(method)) {
      return new ProblemError('not_found', `no route ${method} ${path}; see /openapi.json`);
    }
    const allow = methods.join(', ');
    return new ProblemError('method_not_allowed', `${path} allows ${allow}`, {
      headers: { allow },
    });
  }
}

function answerTo({ raw }: FastifyRequest, error: unknown): ProblemError {
  const problem = problemFrom(error);
  if (problem.code !== 'timeout' || hasArrived(raw)) return problem;
  // It was the client that took so long; what else it sends nobody reads.
  return new ProblemError('request_timeout', 'the body did not arrive in time', {
    headers: { connection: 'close' },
  });
}

/** Without a connection, as tests ask, there is nothing to wait for. */
function hasArrived({ complete }: { complete?: boolean }): boolean {
  return complete ?? true;
}
