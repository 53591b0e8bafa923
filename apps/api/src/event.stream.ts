import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { admissionOf } from './access/principal.js';

/** How soon a client that lost the connection tries again, ms. */
const RETRY = 1_000;

/** An event on the wire. */
export interface SentEvent {
  name: string;
  data: object;
  /** After which a client that comes back goes on. */
  id?: number | undefined;
}

/** A client that follows something by server-sent events. */
export class EventStream<E> {
  private constructor(
    private readonly raw: ServerResponse,
    /** Told to close, and tells of it, also while the answers to earlier requests are on it. */
    private readonly socket: Socket,
    /** Whether who opened it may still follow. */
    private readonly holds: () => Promise<boolean>,
    private readonly sent: (event: E) => SentEvent,
  ) {}

  /**
   * Answers the request with a stream that stays open.
   *
   * @param sent what goes on the wire for an event
   */
  static open<E>(reply: FastifyReply, sent: (event: E) => SentEvent): EventStream<E> {
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
    const holds = admissionOf(reply.request);
    return new EventStream(raw, reply.request.raw.socket, holds, sent);
  }

  /** Bytes that are on their way to it and that it has not taken. */
  get pending(): number {
    return this.raw.writableLength;
  }

  /** @param left called once, when the connection is gone */
  onLeft(left: () => void): void {
    if (this.socket.destroyed) setImmediate(left);
    else this.socket.once('close', left);
  }

  /** @param taken called when the connection has taken it */
  send(event: E, taken?: () => void): void {
    const { name, data, id } = this.sent(event);
    const line = id === undefined ? '' : `id: ${id}\n`;
    this.raw.write(`${line}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`, taken);
  }

  /** Shows that the connection lives; ends it when who opened it may follow no more. */
  beat(): void {
    this.raw.write(':\n\n');
    void this.holds().then((holds) => holds || this.terminate());
  }

  /** Says goodbye: the client may come back, here or elsewhere. */
  close(): void {
    this.raw.end();
  }

  /** Ends the connection at once. */
  terminate(): void {
    this.socket.destroy();
  }
}
