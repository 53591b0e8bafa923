import type { Socket } from 'node:net';
import { API_HEADERS } from './access/security.headers.js';
import { PROBLEM_TYPE, ProblemError, type ProblemCode } from './problem.js';

const CODES: Record<string, readonly [ProblemCode, detail: string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'the request did not arrive in time'],
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'the URL and the headers are longer than 16 KiB'],
};

const HEADERS = Object.entries(API_HEADERS)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');

/** Answers bytes that never became a request, so without Fastify, in the same form as all other errors. */
export function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const refusal = new ProblemError(
    ...(CODES[error.code ?? ''] ?? ['bad_request', 'this is not HTTP']),
  );
  const problem = refusal.toProblem();
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
      `${HEADERS}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
