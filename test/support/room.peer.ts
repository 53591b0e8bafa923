import { onTestFinished } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { EventPeer, type Told } from './event.peer.js';
import { eventually } from './eventually.js';

/** Somebody who follows a room as a client does. */
export abstract class RoomPeer {
  abstract readonly told: Told[];
  abstract close(): void;

  of(type: string): Record<string, unknown>[] {
    return this.told.filter((each) => each.type === type).map(({ data }) => data);
  }

  /** Texts of the messages. */
  get texts(): unknown[] {
    return this.of('message').map(({ text }) => text);
  }

  /** Numbers of the messages. */
  get seqs(): number[] {
    return this.of('message').map(({ seq }) => Number(seq));
  }

  /** Waits until it knows where it is. */
  async seated(): Promise<this> {
    await eventually(() => this.of('room').length > 0);
    return this;
  }

  /** Waits until it has been told so many messages. */
  async has(messages: number): Promise<this> {
    await eventually(() => {
      if (this.seqs.length >= messages) return true;
      throw new Error(`${this.seqs.length} of ${messages} messages came`);
    });
    return this;
  }
}

const EVENTS = ['room', 'message', 'gap', 'members'];

/** Follows with server-sent events, as a browser does: comes back by itself. */
export class SsePeer extends RoomPeer {
  readonly told: Told[];
  private readonly peer: EventPeer;

  /** @param headers sent with the first request, and with each that follows */
  constructor(url: string, headers: Record<string, string> = {}) {
    super();
    this.peer = new EventPeer(url, EVENTS, headers);
    this.told = this.peer.told;
  }

  get isOpen(): boolean {
    return this.peer.isOpen;
  }

  close(): void {
    this.peer.close();
  }
}

/** Follows over a WebSocket, and comes back only when it is made anew. */
export class WsPeer extends RoomPeer {
  readonly told: Told[] = [];
  readonly socket: WebSocket;
  /** How it ended. */
  ended?: { code: number; reason: string };
  /** The status with which it was refused. */
  refused?: number;

  /** @param url with http: in place of ws: */
  constructor(url: string, options: ClientOptions = {}) {
    super();
    this.socket = new WebSocket(url.replace(/^http/, 'ws'), options);
    this.socket.on('message', (data: Buffer) => {
      const { type, ...rest } = JSON.parse(data.toString()) as { type: string };
      this.told.push({ type, data: rest });
    });
    this.socket.on('close', (code, reason) => (this.ended = { code, reason: reason.toString() }));
    this.socket.on('error', () => undefined);
    this.socket.on('unexpected-response', (request, response) => {
      this.refused = response.statusCode;
      request.destroy();
    });
    onTestFinished(() => this.close());
  }

  say(what: unknown): void {
    this.socket.send(typeof what === 'string' ? what : JSON.stringify(what));
  }

  close(): void {
    this.socket.close();
  }
}
