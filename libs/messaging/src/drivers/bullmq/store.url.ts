import { StoreError } from '../../messaging.errors.js';

/** Where Redis is. */
export interface RedisAddress {
  /** A `redis://` or `rediss://` URL for each server that is named: one, or some of a cluster's. */
  readonly nodes: readonly string[];
  readonly isCluster: boolean;
  /** Number of the database; 0 on a cluster, which has no other. */
  readonly database: number;
}

const CLUSTER = /^(rediss?)\+cluster:\/\/(.*@)?([^@]*)$/s;

/**
 * Reads a `redis://`, `rediss://`, `redis+cluster://` or `rediss+cluster://` URL, because its client takes almost any text and
 * connects to something else.
 *
 * @throws StoreError saying what is wrong, without the password
 */
export function redisAddress(url: string): RedisAddress {
  const [, scheme, user = '', hosts = ''] = CLUSTER.exec(url) ?? [];
  const isCluster = scheme !== undefined;
  const nodes = isCluster ? hosts.split(',').map((host) => `${scheme}://${user}${host}`) : [url];
  const databases = nodes.map(databaseOf);
  if (databases.includes(undefined) || (isCluster && databases.some((number) => number !== 0))) {
    const form = isCluster
      ? `${scheme}+cluster://[user:password@]host[:port][,host[:port]...]`
      : 'redis://[user:password@]host[:port][/number of the database]';
    throw new StoreError(
      `'${safeUrl(url)}' is not a Redis URL: use ${form}, special characters percent-encoded`,
    );
  }
  return { nodes, isCluster, database: databases[0] ?? 0 };
}

function databaseOf(url: string): number | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const number = parsed && /^\/?(\d{0,4})$/.exec(parsed.pathname)?.[1];
  if (!parsed?.hostname || number === undefined || !isDecodable(parsed)) return undefined;
  return Number(number);
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

/**
 * A URL for messages and logs: without user, password and query, which may hold a password too. Taken as text, because a
 * password with a bare `/` or `#` is just what makes a URL unreadable.
 */
export function safeUrl(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/*)?.*@/is, '$1').replace(/[?#].*$/s, '');
}
