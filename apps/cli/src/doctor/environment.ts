import { isLoopback, KeyRing } from '@callsheet/messaging';
import { when, type Check } from './check.js';

export type Env = Readonly<Record<string, string | undefined>>;

const OIDC = [
  ...['OIDC_AUDIENCE', 'OIDC_JWKS_URL', 'OIDC_ROLE_CLAIM', 'OIDC_TENANT_CLAIM'],
  ...['OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'],
];
const VAPID = ['VAPID_PUBLIC_KEY', 'VAPID_PRIVATE_KEY', 'VAPID_SUBJECT'];
const SHORTEST_KEY = 32;
/** A key of fewer different characters was typed, not drawn. */
const FEWEST_CHARACTERS = 10;

/** Mistakes in the environment, as its processes would have it. */
export const ENVIRONMENT: readonly Check<Env>[] = [
  {
    id: 'store-named-otherwise',
    severity: 'warning',
    find: (env) =>
      env.CALLSHEET_URL
        ? undefined
        : set(env, ['REDIS_URL', 'DATABASE_URL']).map(
            (name) => `${name} is set, and CALLSHEET_URL is not`,
          )[0],
    fix: 'set CALLSHEET_URL to the store; without it an embedded one in ./.callsheet is used',
  },
  {
    id: 'host-open',
    severity: 'error',
    find: (env) =>
      when(
        isOpen(env) && !env.CALLSHEET_API_KEY && !env.OIDC_ISSUER,
        `HOST is ${env.HOST}, which others can reach, and there are no credentials: the api refuses to start`,
      ),
    fix: 'set CALLSHEET_API_KEY=$(openssl rand -hex 32) or OIDC_ISSUER, or leave HOST out',
  },
  {
    id: 'host-without-tls',
    severity: 'warning',
    find: (env) => when(isOpen(env), `HOST is ${env.HOST}, and the api itself speaks plain HTTP`),
    fix: 'let a proxy with TLS stand before it, and see that nobody reaches it around that',
  },
  {
    id: 'api-key-weak',
    severity: 'error',
    find: ({ CALLSHEET_API_KEY: key }) =>
      when(key && !isStrong(key), 'CALLSHEET_API_KEY is short, or easily guessed'),
    fix: 'make one with: openssl rand -hex 32',
  },
  {
    id: 'session-secret-missing',
    severity: 'warning',
    find: (env) =>
      when(
        env.OIDC_ISSUER && !env.SESSION_SECRET && !env.CALLSHEET_API_KEY,
        'OIDC_ISSUER is set without SESSION_SECRET: each process draws its own, so sessions end with it and hold on one only',
      ),
    fix: 'set the same SESSION_SECRET=$(openssl rand -hex 32) for all processes',
  },
  {
    id: 'oidc-half',
    severity: 'error',
    find: (env) => {
      const [first] = set(env, OIDC);
      if (!env.OIDC_ISSUER) return first && `${first} is set without OIDC_ISSUER`;
      if (!env.OIDC_AUDIENCE) return 'OIDC_ISSUER is set without OIDC_AUDIENCE';
      if (!env.OIDC_CLIENT_ID) {
        return when(env.OIDC_CLIENT_SECRET, 'OIDC_CLIENT_SECRET is set without OIDC_CLIENT_ID');
      }
      return when(!env.PUBLIC_URL, 'OIDC_CLIENT_ID is set without PUBLIC_URL');
    },
    fix: 'set OIDC_ISSUER and OIDC_AUDIENCE together, or neither; for logins OIDC_CLIENT_ID and PUBLIC_URL too',
  },
  {
    id: 'metrics-open',
    severity: 'error',
    find: ({ METRICS_ADDRESS: address = '', METRICS_TOKEN: token }) => {
      // A port alone is on this machine.
      const [, host = '127.0.0.1'] = /^(.+):\d+$/.exec(address) ?? [];
      return when(
        !token && !isLoopback(host),
        `METRICS_ADDRESS is ${address}, which others can reach, without METRICS_TOKEN: workers refuse to start`,
      );
    },
    fix: 'set METRICS_TOKEN=$(openssl rand -hex 32), or only the port in METRICS_ADDRESS',
  },
  {
    id: 'smtp-half',
    severity: 'warning',
    find: ({ SMTP_URL: url, MAIL_FROM: from }) => {
      if (!url) return when(from, 'MAIL_FROM is set without SMTP_URL: mail is written to files');
      if (!/^smtps?:\/\/[^/]/.test(url)) return 'SMTP_URL is no smtp:// or smtps:// URL';
      return when(!from, 'SMTP_URL is set without MAIL_FROM: mail comes from callsheet@localhost');
    },
    fix: "set SMTP_URL=smtps://user:password@host and MAIL_FROM='Name <name@example.org>' together",
  },
  {
    id: 'push-half',
    severity: 'error',
    find: (env) => {
      const missing = VAPID.filter((name) => !env[name]);
      const isHalf = missing.length > 0 && missing.length < VAPID.length;
      return when(isHalf, `of the settings of pushes ${missing.join(' and ')} is missing`);
    },
    fix: 'set VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY and VAPID_SUBJECT together, or none; npx web-push generate-vapid-keys makes a pair',
  },
  {
    id: 'encryption-keys-bad',
    severity: 'error',
    find: (env) => {
      try {
        KeyRing.parse(env.CALLSHEET_ENCRYPTION_KEYS, 'CALLSHEET_ENCRYPTION_KEYS');
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    },
    fix: 'write <id>:<base64 of 32 bytes>, such as k1:$(openssl rand -base64 32), with commas between',
  },
  {
    id: 'webhook-secret-missing',
    severity: 'warning',
    find: (env) =>
      when(
        isShared(env) && !env.WEBHOOK_SECRET,
        'WEBHOOK_SECRET is not set: each process signs webhooks with a key of its own, which no receiver can know',
      ),
    fix: 'set WEBHOOK_SECRET=whsec_$(openssl rand -base64 32), the same for all workers',
  },
  {
    id: 'api-url-plain',
    severity: 'warning',
    find: ({ CALLSHEET_API_URL: url = '', CALLSHEET_API_KEY: key }) =>
      when(
        key && url.startsWith('http:') && !isLoopback(hostOf(url)),
        'CALLSHEET_API_URL is plain HTTP to another machine: the key travels for all to read',
      ),
    fix: 'use https://, or an SSH tunnel',
  },
];

/** Ids of the keys that payloads are encrypted with, the one that encrypts first; none: nothing is encrypted. */
export function encryptionKeysOf({ CALLSHEET_ENCRYPTION_KEYS: text = '' }: Env): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim().split(':', 1)[0] ?? '')
    .filter((id) => id !== '');
}

function set(env: Env, names: readonly string[]): string[] {
  return names.filter((name) => env[name]);
}

function isOpen({ HOST: host }: Env): boolean {
  return !!host && !isLoopback(host);
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}

function isStrong(key: string): boolean {
  return key.length >= SHORTEST_KEY && new Set(key).size >= FEWEST_CHARACTERS;
}

function isShared({ CALLSHEET_URL: url = '' }: Env): boolean {
  return /^(redis|postgres)/.test(url);
}
