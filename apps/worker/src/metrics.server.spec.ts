import { CallsheetModule, METRICS, type Metrics } from '@callsheet/messaging';
import { NestFactory } from '@nestjs/core';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { metricsAddressOf, serveMetrics } from './metrics.server.js';

const TOKEN = 't'.repeat(32);

describe('METRICS_ADDRESS', () => {
  it.each<[string, object]>([
    ['9464', { host: '127.0.0.1', port: 9464 }],
    ['localhost:9464', { host: 'localhost', port: 9464 }],
    ['[::1]:9464', { host: '::1', port: 9464 }],
  ])('may be %s', (METRICS_ADDRESS, expected) => {
    expect(metricsAddressOf({ METRICS_ADDRESS })).toEqual(expected);
  });

  it('may be one of others with a token, and need not be', () => {
    const env = { METRICS_ADDRESS: '0.0.0.0:9464', METRICS_TOKEN: TOKEN };
    expect(metricsAddressOf(env)).toEqual({ host: '0.0.0.0', port: 9464, token: TOKEN });
    expect(metricsAddressOf({ METRICS_ADDRESS: '' })).toBeUndefined();
  });

  it.each<[string, string, string | undefined]>([
    ['METRICS_ADDRESS', 'here', undefined],
    ['METRICS_ADDRESS', '65536', undefined],
    ['METRICS_ADDRESS', '0.0.0.0:9464', undefined],
    ['METRICS_ADDRESS', '127.evil.example:9464', undefined],
    ['METRICS_TOKEN', '9464', 'short'],
  ])('names %s when it is %s with the token %s', (path, METRICS_ADDRESS, METRICS_TOKEN) => {
    expect(() => metricsAddressOf({ METRICS_ADDRESS, METRICS_TOKEN })).toThrow(
      expect.objectContaining({ path }),
    );
  });
});

describe('the server of metrics', () => {
  async function serve(token?: string): Promise<string> {
    const app = await NestFactory.createApplicationContext(
      { module: class {}, imports: [CallsheetModule.forRoot({ url: 'memory:' })] },
      { logger: false },
    );
    const server = await serveMetrics(app.get<Metrics>(METRICS, { strict: false }), {
      host: '127.0.0.1',
      port: 0,
      ...(token && { token }),
    });
    onTestFinished(async () => {
      server.close();
      server.closeAllConnections();
      await app.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('serves what the process counts, as OpenMetrics to who accepts that', async () => {
    const url = await serve();
    const plain = await fetch(`${url}/metrics`);
    expect(plain.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await plain.text()).toContain('# TYPE callsheet_turns_total counter');
    const open = await fetch(`${url}/metrics`, {
      headers: { accept: 'application/openmetrics-text;version=1.0.0' },
    });
    expect(open.headers.get('content-type')).toMatch(/^application\/openmetrics-text/);
    expect(await open.text()).toMatch(/# EOF\n$/);
  });

  it('asks for the token, but for whether it lives', async () => {
    const url = await serve(TOKEN);
    const statusOf = async (path: string, authorization?: string): Promise<number> =>
      (await fetch(`${url}${path}`, authorization ? { headers: { authorization } } : {})).status;
    expect(await statusOf('/metrics')).toBe(401);
    expect(await statusOf('/metrics', `Bearer ${TOKEN}x`)).toBe(401);
    expect(await statusOf('/metrics', `Bearer ${TOKEN}`)).toBe(200);
    expect(await statusOf('/health/live')).toBe(200);
    expect(await statusOf('/')).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
  });

  it('without a token serves only who calls it by a name of this machine', async () => {
    const { port } = new URL(await serve());
    const answered = new Promise<number | undefined>((resolve, reject) => {
      get({ port, path: '/metrics', headers: { host: `evil.example:${port}` } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    expect(await answered).toBe(421);
  });

  it('says when nothing can listen there', async () => {
    const url = await serve();
    const address = { host: '127.0.0.1', port: Number(new URL(url).port) };
    await expect(serveMetrics({} as Metrics, address)).rejects.toMatchObject({
      path: 'METRICS_ADDRESS',
    });
  });
});
