import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from './problem.js';
import { isSignedRoute } from './signed.route.js';

/** A body that nobody has looked into. */
export class RawBody {
  constructor(
    /** As they were sent. */
    readonly bytes: Buffer,
    private readonly parse: (bytes: Buffer) => unknown,
  ) {}

  /** What the bytes say; undefined when there are none. @throws ProblemError when that is not JSON, or has a forbidden key */
  json(): unknown {
    return this.parse(this.bytes);
  }
}

/**
 * Accepts `application/json` in UTF-8 and no other body. An empty one counts as none, because clients send the header
 * with calls that have no body. Keys that pollute prototypes are refused here, before any code touches the value. Calls that
 * are signed get a {@link RawBody}.
 */
export function acceptOnlyJson(fastify: FastifyInstance): void {
  const parse = parserOf(fastify);
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, bytes: Buffer) =>
      isSignedRoute(request) ? new RawBody(bytes, parse) : parse(bytes),
  );
}

function parserOf(fastify: FastifyInstance): (bytes: Buffer) => unknown {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  return (bytes) => {
    if (bytes.length === 0) return undefined;
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw new ProblemError('malformed_json', 'the body is not UTF-8');
    }
    let outcome: { error: Error | null; value?: unknown } = { error: null };
    // It calls back before it returns, and does not look at the request.
    void parse({} as FastifyRequest, text, (error, value) => (outcome = { error, value }));
    if (outcome.error) throw explain(text);
    return outcome.value;
  };
}

function explain(text: string): ProblemError {
  try {
    JSON.parse(text);
  } catch (error) {
    return new ProblemError('malformed_json', (error as Error).message);
  }
  return new ProblemError(
    'forbidden_key',
    'the keys __proto__ and constructor.prototype are not allowed',
  );
}
