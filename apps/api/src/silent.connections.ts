import type { FastifyInstance } from 'fastify';
import type { Socket } from 'node:net';

/**
 * Lets a server close at once although clients keep connections on which they have sent nothing yet, as browsers and Node's
 * `fetch` do: Node counts them as busy, not as idle, and would wait for them.
 */
export function dropSilentConnections(fastify: FastifyInstance): void {
  const sockets = new Set<Socket>();
  let isClosing = false;
  const drop = (socket: Socket): void => {
    if (socket.bytesRead === 0) socket.destroy();
  };
  fastify.server.on('connection', (socket: Socket) => {
    if (isClosing) return drop(socket);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  fastify.addHook('preClose', async () => {
    isClosing = true;
    for (const socket of sockets) drop(socket);
  });
}
