import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { admissionOf } from '../access/principal.js';
import type { RoomClient, RoomEvent } from './room.client.js';

/** How soon a client that lost the connection tries again, ms. */
const RETRY = 1_000;

/** A client that follows a room by server-sent events. The id of an event is the number after which it goes on. */
export class EventStream implements RoomClient {
  private constructor(
    private readonly raw: ServerResponse,
    /** Told to close, and tells of it, also while the answers to earlier requests are on it. */
    private readonly socket: Socket,
    /** Whether who opened it may still follow. */
    private readonly holds: () => Promise<boolean>,
  ) {}

  /** Answers the request with a stream that stays open. */
  static open(reply: FastifyReply): EventStream {
    reply.hijack();
    const { raw } = reply;
    raw.on('error', () => undefined);
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // A proxy must not gather events before it passes them on.
      'x-accel-buffering': 'no',
      // So that the server can close when the stream ends.
      connection: 'close',
    });
    raw.write(`retry: ${RETRY}\n\n`);
    return new EventStream(raw, reply.request.raw.socket, admissionOf(reply.request));
  }

  get pending(): number {
    return this.raw.writableLength;
  }

  /** @param left called once, when the connection is gone */
  onLeft(left: () => void): void {
    if (this.socket.destroyed) setImmediate(left);
    else this.socket.once('close', left);
  }

  send(event: RoomEvent, taken: () => void): void {
    const { type, ...data } = event;
    const id = idOf(event);
    const line = id === undefined ? '' : `id: ${id}\n`;
    this.raw.write(`${line}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`, taken);
  }

  beat(): void {
    this.raw.write(':\n\n');
    void this.holds().then((holds) => holds || this.terminate());
  }

  close(): void {
    this.raw.end();
  }

  terminate(): void {
    this.socket.destroy();
  }
}

function idOf(event: RoomEvent): number | undefined {
  switch (event.type) {
    case 'room':
    case 'message':
      return event.seq;
    case 'gap':
      return event.next - 1;
    case 'members':
      return undefined;
  }
}
