import { CallsheetModule } from '@callsheet/messaging';
import { Logger } from '@nestjs/common';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { stageForTest } from '../test/stage.js';
import { ApiModule, serve } from './index.js';

afterEach(() => vi.unstubAllEnvs());

/** Sends bytes and reads the answer to its end. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(bytes);
  return text(socket);
}

/** A request to which a header is missing. */
const HEAD = 'POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

async function listening(): Promise<number> {
  const app = await stageForTest();
  await app.listen(0, '127.0.0.1');
  return (app.getHttpServer().address() as AddressInfo).port;
}

describe('bytes that are no request', () => {
  it.each([
    [
      'a path of 100 kB',
      `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n\r\n', 400, 'bad_request'],
    ['a header with a NUL', `${HEAD}X-Reason: a\0b\r\n\r\n`, 400, 'bad_request'],
    ['a header with half a line break', `${HEAD}X-Reason: a\rb\r\n\r\n`, 400, 'bad_request'],
    ['a header on two lines', `${HEAD}X-Reason: a\r\n b\r\n\r\n`, 400, 'bad_request'],
    ['a header without name', `${HEAD}: a\r\n\r\n`, 400, 'bad_request'],
    ['a space behind a name', `${HEAD}Content-Length : 2\r\n\r\n{}`, 400, 'bad_request'],
    ['two lengths', `${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400, 'bad_request'],
    ['a length below 0', `${HEAD}Content-Length: -2\r\n\r\n{}`, 400, 'bad_request'],
    [
      'a length and chunks',
      `${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      'bad_request',
    ],
    [
      'chunks that are none',
      `${HEAD}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`,
      400,
      'bad_request',
    ],
    ['an unknown method', 'FETCH / HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'bad_request'],
  ])('%s', async (_, bytes, status, code) => {
    const answer = await exchange(await listening(), bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain('Content-Type: application/problem+json');
    expect(answer).toContain('x-content-type-options: nosniff');
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status, code });
  });

  it('a request that names no host', async () => {
    const port = await listening();
    expect(await exchange(port, 'GET /v1/actors HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 421 /);
  });

  it('a request for another host than the path names', async () => {
    const port = await listening();
    const head = 'Host: evil.example\r\nConnection: close\r\n\r\n';
    expect(await exchange(port, `GET http://localhost/v1/actors HTTP/1.1\r\n${head}`)).toMatch(
      /^HTTP\/1\.1 421 /,
    );
  });
});

it('a body that does not come is the fault of its sender, who is told and left', async () => {
  const app = await stageForTest({ patience: 200 });
  await app.listen(0, '127.0.0.1');
  const warn = vi.fn<() => void>();
  Logger.overrideLogger({ log: () => undefined, warn, error: warn });
  onTestFinished(() => Logger.overrideLogger(true));
  const { port } = app.getHttpServer().address() as AddressInfo;
  const head = 'Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{';
  const answer = await exchange(port, `POST /v1/messages HTTP/1.1\r\n${head}`);
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer).toContain('"code":"request_timeout"');
  expect(warn).not.toHaveBeenCalled();
});

describe('a server that closes', () => {
  it('does not wait for connections on which nothing was sent', async () => {
    const app = await stageForTest();
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const accepted = once(app.getHttpServer(), 'connection');
    const socket = connect(port, '127.0.0.1');
    await Promise.all([once(socket, 'connect'), accepted]);
    const ended = once(socket, 'close');
    await app.close();
    socket.end();
    await expect(ended).resolves.toBeDefined();
  });
});

describe('serve', () => {
  const module = {
    module: class {},
    imports: [CallsheetModule.forRoot({ url: 'memory:' }), ApiModule],
  };

  it('listens where the environment says', async () => {
    vi.stubEnv('PORT', '0');
    const { app, url } = await serve(module);
    onTestFinished(() => app.close());
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const response = await fetch(`${url}/health/ready`);
    expect([response.status, response.headers.get('x-content-type-options')]).toEqual([
      200,
      'nosniff',
    ]);
  });

  it('starts nothing on a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    vi.stubEnv('PORT', String(port));
    await expect(serve(module)).rejects.toThrow(`PORT ${port} is in use on 127.0.0.1`);
  });

  it('starts nothing where others could reach it without a key', async () => {
    vi.stubEnv('HOST', '0.0.0.0');
    await expect(serve(module)).rejects.toThrow('set CALLSHEET_API_KEY');
  });

  it('takes the key from the environment', async () => {
    vi.stubEnv('PORT', '0');
    vi.stubEnv('CALLSHEET_API_KEY', 'k'.repeat(32));
    const { app, url } = await serve(module);
    onTestFinished(() => app.close());
    expect((await fetch(`${url}/v1/actors`)).status).toBe(401);
    const headers = { authorization: `Bearer ${'k'.repeat(32)}` };
    expect((await fetch(`${url}/v1/actors`, { headers })).status).toBe(200);
  });
});
