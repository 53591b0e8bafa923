import { connect, createServer, type Server, type Socket } from 'node:net';
import { atEnd } from '../support/cleanup.js';
import { freePort } from '../support/ports.js';

/** What a network may do to what passes; each at any time, for connections that are open too. */
export interface Weather {
  /** Every chunk is late by this much, ms. */
  latency: number;
  /** Nothing passes in either direction, and nobody is told. */
  isBlackHole: boolean;
  /** Requests pass, replies do not: what was asked for is done, and who asked never hears of it. */
  losesReplies: boolean;
  /** New connections are reset. */
  refuses: boolean;
  /** Connections are reset when they have carried this many bytes to the server. */
  bytes: number;
}

const FAIR: Weather = {
  latency: 0,
  isBlackHole: false,
  losesReplies: false,
  refuses: false,
  bytes: Infinity,
};

/** A TCP proxy on a loopback port of its own, between a client and a server. */
export class Proxy {
  weather: Weather = FAIR;
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private server: Server | undefined;

  private constructor(
    readonly port: number,
    private target: number,
  ) {}

  static async to(target: number): Promise<Proxy> {
    const proxy = new Proxy(await freePort(), target);
    const server = createServer((client) => proxy.join(client));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(proxy.port, '127.0.0.1', resolve);
    });
    proxy.server = server;
    atEnd(() => proxy.close());
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.pairs.size;
  }

  become(weather: Partial<Weather>): void {
    this.weather = { ...FAIR, ...weather };
  }

  /** New connections go to another server. */
  point(target: number): void {
    this.target = target;
  }

  /** Resets every connection. */
  cut(): void {
    for (const [client, server] of this.pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.cut();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  private join(client: Socket): void {
    if (this.weather.refuses) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.target, '127.0.0.1');
    const pair = [client, server] as const;
    this.pairs.add(pair);
    let carried = 0;
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.pairs.delete(pair);
        for (const each of pair) each.destroy();
      });
    }
    client.on('data', (chunk) => {
      const room = this.weather.bytes - carried;
      carried += chunk.length;
      if (carried <= this.weather.bytes) return this.pass(server, chunk);
      // What fits is still carried out: a client that dies in the middle of a write leaves a part of it.
      server.end(chunk.subarray(0, Math.max(0, room)));
      client.resetAndDestroy();
    });
    server.on('data', (chunk) => {
      if (!this.weather.losesReplies) this.pass(client, chunk);
    });
  }

  private pass(to: Socket, chunk: Buffer): void {
    const { isBlackHole, latency } = this.weather;
    if (isBlackHole) return;
    if (latency === 0) to.write(chunk);
    else setTimeout(() => to.writable && to.write(chunk), latency);
  }
}
