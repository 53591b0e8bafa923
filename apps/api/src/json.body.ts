import type { FastifyInstance } from 'fastify';
import { ProblemError } from './problem.js';

/**
 * Accepts `application/json` in UTF-8 and no other body. An empty one counts as none, because clients send the header
 * with calls that have no body. Keys that pollute prototypes are refused here, before any code touches the value.
 */
export function acceptOnlyJson(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, bytes, done) => {
      if (bytes.length === 0) return done(null, undefined);
      let text: string;
      try {
        text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      } catch {
        return done(new ProblemError('malformed_json', 'the body is not UTF-8'));
      }
      return parse(request, text, (error, value) =>
        error ? done(explain(text)) : done(null, value),
      );
    },
  );
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
