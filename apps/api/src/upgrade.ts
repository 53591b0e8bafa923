import type { FastifyInstance } from 'fastify';
import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** A connection whose client asks to speak another protocol on it. */
export interface Upgrade {
  readonly socket: Socket;
  /** What the client has said on it already. */
  readonly head: Buffer;
}

/** A request, and the answer that it gets if it is not upgraded. */
interface Asked extends Upgrade {
  readonly response: ServerResponse;
}

const upgrades = new WeakMap<IncomingMessage, Asked>();

/**
 * Has requests that ask for a WebSocket go the way of all others, so that they meet the same access rules, checks and problems;
 * Node hands them over beside that. A handler takes the connection with {@link takeUpgrade}, or answers as ever. Whoever offers
 * another protocol gets its answer in this one.
 */
export function routeUpgrades(fastify: FastifyInstance): void {
  fastify.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (request.method !== 'GET' || request.headers.upgrade?.toLowerCase() !== 'websocket') {
      socket.unshift(Buffer.concat([withoutOffer(request), head]));
      fastify.server.emit('connection', socket);
      // What is put back is read like what comes.
      socket.resume();
      return;
    }
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once('finish', () => socket.end());
    upgrades.set(request, { socket, head, response });
    fastify.routing(request, response);
  });
}

/** The connection, if the request asks for a WebSocket: nothing can be answered on it any more. */
export function takeUpgrade(request: IncomingMessage): Upgrade | undefined {
  const asked = upgrades.get(request);
  asked?.response.detachSocket(asked.socket);
  return asked;
}

/** The head of a request as it came, but for what it offers to upgrade to: Node reads no body of one that does. */
function withoutOffer({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (/^(upgrade|http2-settings)$/i.test(name)) continue;
    const kept = /^connection$/i.test(name) ? value.replace(OFFER, '') : value;
    lines.push(`${name}: ${kept}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** What a header `Connection` says of an upgrade. */
const OFFER = /\b(upgrade|http2-settings)\b\s*,?/gi;
