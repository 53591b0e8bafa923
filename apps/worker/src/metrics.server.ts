import { hostNameOf, isLoopback, OptionError, type Metrics } from '@callsheet/messaging';
import { Logger } from '@nestjs/common';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createHash, timingSafeEqual } from 'node:crypto';

/** Where a worker serves its metrics, and to whom. */
export interface MetricsAddress {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** What is presented as `Bearer`; undefined: anybody on this machine. */
  token?: string;
}

const PATTERN = /^(?:(.+):)?(\d{1,5})$/;
const logger = new Logger('Callsheet');

/**
 * Where the metrics of a worker of its own are served, from `METRICS_ADDRESS`: a port, or `<host>:<port>`; the host is 127.0.0.1 by default.
 * Not set: nowhere. Others can reach it only with the token in `METRICS_TOKEN`.
 *
 * @throws OptionError for what is no address, for a short token, and without one for an address that others can reach
 */
export function metricsAddressOf(
  env: Readonly<Record<string, string | undefined>>,
): MetricsAddress | undefined {
  const { METRICS_ADDRESS: address, METRICS_TOKEN: token } = env;
  if (!address) return undefined;
  const [, host = '127.0.0.1', port = ''] = PATTERN.exec(address) ?? [];
  if (port === '' || Number(port) > 65_535) {
    throw new OptionError('METRICS_ADDRESS', `must be a port or <host>:<port>, got '${address}'`);
  }
  if (token && !/^[\x21-\x7e]{32,}$/.test(token)) {
    throw new OptionError('METRICS_TOKEN', 'must be at least 32 printable ASCII characters');
  }
  if (!token && !isLoopback(host)) {
    throw new OptionError(
      'METRICS_ADDRESS',
      `is '${address}', which others can reach: set METRICS_TOKEN, which they must present then`,
    );
  }
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return { host: bare, port: Number(port), ...(token && { token }) };
}

/**
 * Serves `/metrics`, and `/health/live` to anybody, for a process that has no other server. It keeps no process alive.
 *
 * @throws OptionError when nothing can listen there
 */
export async function serveMetrics(metrics: Metrics, address: MetricsAddress): Promise<Server> {
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    answer(metrics, address, request, response).catch(() => response.destroy());
  });
  server.maxConnections = 100;
  try {
    server.listen(address.port, address.host);
    await once(server, 'listening');
  } catch (error) {
    throw new OptionError('METRICS_ADDRESS', `cannot be listened on: ${(error as Error).message}`);
  }
  // Without files left, say, it refuses connections; the work goes on.
  server.on('error', (error) => logger.warn(`metrics: ${error.message}`));
  return server.unref();
}

async function answer(
  metrics: Metrics,
  { token }: MetricsAddress,
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const end = (status: number, text: string, type = 'text/plain; charset=utf-8'): void => {
    response.writeHead(status, {
      'content-type': type,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    response.end(method === 'HEAD' ? undefined : text);
  };
  // A page of elsewhere could call itself this machine.
  if (token === undefined && !isLoopback(hostNameOf(headers.host))) {
    return end(421, 'only under a name of this machine\n');
  }
  if (method !== 'GET' && method !== 'HEAD') return end(405, 'only GET\n');
  if (url === '/health/live') return end(200, '{"status":"live"}', 'application/json');
  if (url !== '/metrics') return end(404, 'see /metrics and /health/live\n');
  if (token !== undefined && !isSame(headers.authorization ?? '', `Bearer ${token}`)) {
    response.setHeader('www-authenticate', 'Bearer');
    return end(401, 'the token in METRICS_TOKEN is needed\n');
  }
  const { type, text } = await metrics.accepted(headers.accept);
  end(200, text, type);
}

/** Compares what may differ in length, in a time that tells nothing. */
function isSame(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a!, b!);
}
