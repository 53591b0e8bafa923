import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { atEnd } from './cleanup.js';
import { freePort } from './ports.js';

export interface ReceivedRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingHttpHeaders;
  /** The bytes as they came, for signatures. */
  body: Buffer;
  /** When its last byte was read, in milliseconds since the epoch. */
  at: number;
}

/** What the peer does with a request: answers, says nothing until the client gives up, or cuts the connection. */
export type Answer =
  | { status: number; headers?: OutgoingHttpHeaders; body?: string; delay?: number }
  | 'silence'
  | 'reset';

export interface HttpPeer {
  readonly url: string;
  readonly port: number;
  /** Requests that were read to the end, in order of arrival. */
  readonly requests: ReceivedRequest[];
  /** How it answers from now on: always the same, or as the function says. At first 204. */
  answer(answer: Answer | ((request: ReceivedRequest) => Answer)): void;
  /** Answers the next requests with these, one each, before the usual answer. */
  answerNext(...answers: Answer[]): void;
  /** Goes away: cuts every connection and closes the port. */
  stop(): Promise<void>;
  /** Comes back on the same port. */
  start(): Promise<void>;
}

/** A real HTTP server on a free loopback port. */
export async function startHttpPeer(): Promise<HttpPeer> {
  const port = await freePort();
  const requests: ReceivedRequest[] = [];
  const next: Answer[] = [];
  let usual: (request: ReceivedRequest) => Answer = () => ({ status: 204 });

  const receive = async (incoming: IncomingMessage, response: ServerResponse) => {
    const request: ReceivedRequest = {
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      headers: incoming.headers,
      body: await buffer(incoming),
      at: Date.now(),
    };
    requests.push(request);
    give(next.shift() ?? usual(request), response);
  };

  let server: Server | undefined;
  const peer: HttpPeer = {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    answer(answer) {
      usual = typeof answer === 'function' ? answer : () => answer;
    },
    answerNext(...answers) {
      next.push(...answers);
    },
    async stop() {
      const closing = server;
      server = undefined;
      if (!closing) return;
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
      closing.closeAllConnections();
      await closed;
    },
    async start() {
      if (server) return;
      const starting = createServer((incoming, response) => {
        // Reading fails when the client leaves in the middle: there is nobody to answer.
        receive(incoming, response).catch(() => response.destroy());
      });
      await new Promise<void>((resolve, reject) => {
        starting.once('error', reject);
        starting.listen(port, '127.0.0.1', resolve);
      });
      server = starting;
    },
  };
  atEnd(() => peer.stop());
  await peer.start();
  return peer;
}

/** The id of the message that a webhook delivers; empty when the request is no webhook. */
export function webhookIdOf({ headers }: ReceivedRequest): string {
  return String(headers['webhook-id'] ?? '');
}

function give(answer: Answer, response: ServerResponse): void {
  if (answer === 'silence') return;
  if (answer === 'reset') return void response.destroy();
  const send = () => response.writeHead(answer.status, answer.headers).end(answer.body);
  if (!answer.delay) return void send();
  const timer = setTimeout(send, answer.delay);
  response.once('close', () => clearTimeout(timer));
}
