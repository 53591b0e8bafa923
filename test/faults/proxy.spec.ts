import { createServer, connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { atEnd } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { Proxy } from './proxy.js';

/** A server that answers what it hears, and tells what it heard. */
async function echo(): Promise<{ port: number; heard: () => string }> {
  const port = await freePort();
  let heard = '';
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      heard += chunk.toString();
      socket.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  atEnd(() => server.close());
  return { port, heard: () => heard };
}

function client(port: number): {
  socket: Socket;
  heard: () => string;
  error: () => string | undefined;
} {
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  let failure: string | undefined;
  socket.on('data', (chunk) => (heard += chunk.toString()));
  socket.on('error', (error: NodeJS.ErrnoException) => (failure = error.code));
  atEnd(() => socket.destroy());
  return { socket, heard: () => heard, error: () => failure };
}

describe('Proxy', () => {
  it('passes everything in fair weather, and late when told so', async () => {
    const server = await echo();
    const proxy = await Proxy.to(server.port);
    const { socket, heard } = client(proxy.port);
    socket.write('a');
    await eventually(() => heard() === 'a');
    proxy.become({ latency: 40 });
    const asked = performance.now();
    socket.write('b');
    await eventually(() => heard() === 'ab', { interval: 1 });
    expect(performance.now() - asked).toBeGreaterThan(75);
  });

  it('loses replies, not requests', async () => {
    const server = await echo();
    const proxy = await Proxy.to(server.port);
    proxy.become({ losesReplies: true });
    const { socket, heard } = client(proxy.port);
    socket.write('a');
    await eventually(() => server.heard() === 'a');
    proxy.become({});
    socket.write('b');
    await eventually(() => heard() === 'b');
    expect(server.heard()).toBe('ab');
  });

  it('swallows everything as a black hole', async () => {
    const server = await echo();
    const proxy = await Proxy.to(server.port);
    const { socket, heard } = client(proxy.port);
    proxy.become({ isBlackHole: true });
    socket.write('a');
    await eventually(() => socket.bytesWritten === 1 && proxy.connections === 1);
    proxy.become({});
    socket.write('b');
    await eventually(() => heard() === 'b');
    expect(server.heard()).toBe('b');
  });

  it('resets connections, open and new, and those that have carried too much', async () => {
    const server = await echo();
    const proxy = await Proxy.to(server.port);
    const open = client(proxy.port);
    open.socket.write('a');
    await eventually(() => open.heard() === 'a');
    proxy.become({ refuses: true });
    proxy.cut();
    await eventually(() => open.error() === 'ECONNRESET' && proxy.connections === 0);
    const refused = client(proxy.port);
    await eventually(() => refused.error() === 'ECONNRESET');
    proxy.become({ bytes: 3 });
    const talker = client(proxy.port);
    talker.socket.write('12345');
    await eventually(() => expect(server.heard()).toBe('a123'));
    await eventually(() => talker.error() === 'ECONNRESET');
  });

  it('leads to another server', async () => {
    const [one, other] = [await echo(), await echo()];
    const proxy = await Proxy.to(one.port);
    proxy.point(other.port);
    const { socket } = client(proxy.port);
    socket.write('a');
    await eventually(() => other.heard() === 'a');
    expect(one.heard()).toBe('');
  });
});
