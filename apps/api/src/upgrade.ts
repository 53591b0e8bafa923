import type { FastifyInstance } from 'fastify';
import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { refuseConnection } from './connection.error.js';

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
 * Has requests that ask for an upgrade go the way of all others, so that they meet the same access rules, checks and problems;
 * Node hands them over beside that. A handler takes the connection with {@link takeUpgrade}, or answers as ever.
 */
export function routeUpgrades(fastify: FastifyInstance): void {
  fastify.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (request.method !== 'GET') {
      // Node reads no body of such a request, and without it others would mean something else.
      return refuseConnection(Object.assign(new Error(), { code: 'UPGRADE_WITH_BODY' }), socket);
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
  if (!asked || request.headers.upgrade?.toLowerCase() !== 'websocket') return undefined;
  asked.response.detachSocket(asked.socket);
  return asked;
}
