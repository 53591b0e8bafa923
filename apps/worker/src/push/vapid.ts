import { createECDH } from 'node:crypto';
import { OptionError } from '@callsheet/messaging';

/** As whom this application pushes (RFC 8292). */
export interface Vapid {
  /** What browsers subscribe with, as `applicationServerKey`: base64url of a point of P-256. */
  readonly publicKey: string;
  /** Base64url of 32 bytes. */
  readonly privateKey: string;
  /** Whom a push service tells of trouble: a `mailto:` or `https:` URL. */
  readonly subject: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const MAKE = 'make a pair with: npx web-push generate-vapid-keys';

/**
 * From `VAPID_PUBLIC_KEY`, `VAPID_PRIVATE_KEY` and `VAPID_SUBJECT`; undefined when neither key is set.
 *
 * @throws OptionError naming what is missing or bad, never with its value
 */
export function vapidOf(env: Environment): Vapid | undefined {
  const {
    VAPID_PUBLIC_KEY: publicKey,
    VAPID_PRIVATE_KEY: privateKey,
    VAPID_SUBJECT: subject,
  } = env;
  if (!publicKey && !privateKey) return undefined;
  if (!/^[A-Za-z0-9_-]{87}$/.test(publicKey ?? '')) {
    throw new OptionError('VAPID_PUBLIC_KEY', `must be the base64url of 65 bytes; ${MAKE}`);
  }
  if (!/^[A-Za-z0-9_-]{43}$/.test(privateKey ?? '')) {
    throw new OptionError('VAPID_PRIVATE_KEY', `must be the base64url of 32 bytes; ${MAKE}`);
  }
  if (publicOf(privateKey ?? '') !== publicKey) {
    throw new OptionError('VAPID_PRIVATE_KEY', `must be that of VAPID_PUBLIC_KEY; ${MAKE}`);
  }
  if (!/^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/.test(subject ?? '')) {
    throw new OptionError(
      'VAPID_SUBJECT',
      'must be a mailto: or https: URL, at which a push service can tell of trouble',
    );
  }
  return { publicKey: publicKey ?? '', privateKey: privateKey ?? '', subject: subject ?? '' };
}

function publicOf(privateKey: string): string | undefined {
  const pair = createECDH('prime256v1');
  try {
    pair.setPrivateKey(privateKey, 'base64url');
  } catch {
    return undefined;
  }
  return pair.getPublicKey('base64url');
}
