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

/** Space, tab and carriage return: what a line may end with. */
const BLANK = new Set([0x20, 0x09, 0x0d]);

/** The route that takes a message per line too. */
const BATCH = '/v1/messages::batch';

/**
 * Accepts `application/json` in UTF-8, for a batch of messages `application/x-ndjson`, and no other body. An empty one counts as none, because clients send the header
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
  fastify.addContentTypeParser<Buffer>(
    'application/x-ndjson',
    { parseAs: 'buffer' },
    async ({ routeOptions }: FastifyRequest, bytes: Buffer) => {
      if (routeOptions.url === BATCH) return { messages: linesOf(bytes, parse) };
      throw new ProblemError('unsupported_media_type', 'send application/json');
    },
  );
}

/** What the lines say, but for empty ones. @throws ProblemError that names the line */
function linesOf(bytes: Buffer, parse: (bytes: Buffer) => unknown): unknown[] {
  const values: unknown[] = [];
  // No byte of another character in UTF-8 is a line feed.
  for (let from = 0, line = 1; from < bytes.length; line++) {
    const found = bytes.indexOf(0x0a, from);
    const end = found < 0 ? bytes.length : found;
    const text = bytes.subarray(from, end);
    from = end + 1;
    if (text.every((byte) => BLANK.has(byte))) continue;
    try {
      values.push(parse(text));
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      throw new ProblemError(error.code, `line ${line}: ${error.message}`);
    }
  }
  return values;
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
