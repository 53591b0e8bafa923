import { StoreError } from '../../messaging.errors.js';

/**
 * Checks a `redis://` or `rediss://` URL, because its client takes almost any text and connects to something else.
 *
 * @returns the number of the database
 * @throws StoreError saying what is wrong, without the password
 */
export function redisDatabase(url: string): number {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const number = parsed && /^\/?(\d{0,4})$/.exec(parsed.pathname)?.[1];
  if (!parsed?.hostname || number === undefined || !isDecodable(parsed)) {
    throw new StoreError(
      `'${safeUrl(url)}' is not a Redis URL: use redis://[user:password@]host[:port][/number of the database], special characters percent-encoded`,
    );
  }
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
