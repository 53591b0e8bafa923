import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress } from './store.url.js';

/** A connection to one server, or the connections to a cluster: the same commands. */
export type Client = Redis | Cluster;

const CONNECT_TIMEOUT = 5_000;

/** A client that is not connected yet, and comes back by itself after an outage. */
export function redisClient(address: RedisAddress, options: RedisOptions): Client {
  const client = address.isCluster ? clusterOf(address, options) : serverOf(address, options);
  // Outages reach callers as rejections and operators through workers' logs; unheard, they would end the process.
  client.on('error', () => undefined);
  return client;
}

function serverOf({ nodes: [url = ''] }: RedisAddress, options: RedisOptions): Redis {
  return new Redis(url, { ...COMMON, ...options });
}

/** Nodes that it finds by itself are spoken to as the first one that was named. */
function clusterOf({ nodes }: RedisAddress, options: RedisOptions): Cluster {
  const { username, password, protocol } = new URL(nodes[0] ?? '');
  const retryStrategy = options.retryStrategy ?? COMMON.retryStrategy;
  return new Cluster([...nodes], {
    lazyConnect: true,
    clusterRetryStrategy: (times) => retryStrategy(times) as number | null,
    redisOptions: {
      ...COMMON,
      ...options,
      ...(username && { username: decodeURIComponent(username) }),
      ...(password && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' && { tls: {} }),
    },
  });
}

const COMMON = {
  lazyConnect: true,
  connectTimeout: CONNECT_TIMEOUT,
  retryStrategy: (times: number): number => Math.min(100 * times, 2_000),
};
