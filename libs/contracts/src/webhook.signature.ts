import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { OptionError } from '@callsheet/messaging';

const PREFIX = 'whsec_';

/**
 * The signature of one delivery after Standard Webhooks: `v1,` and base64 of the HMAC-SHA256 over `<id>.<timestamp>.<body>`.
 *
 * @param timestamp seconds since the epoch, as sent in `webhook-timestamp`; receivers refuse an old one
 * @param body byte for byte what is sent
 */
export function sign(
  secret: Buffer,
  id: string,
  timestamp: number,
  body: string | Uint8Array,
): string {
  return `v1,${digest(secret, id, timestamp, body).toString('base64')}`;
}

/** `webhook-signature` of one delivery: a signature for each key, so that receivers may change from one to the next. */
export function signatures(
  secrets: readonly Buffer[],
  ...signed: [id: string, timestamp: number, body: string]
): string {
  return secrets.map((secret) => sign(secret, ...signed)).join(' ');
}

/**
 * Whether one of the signatures in `webhook-signature` is that of one of the keys. Those of another version than `v1` are passed
 * over. How long it takes tells nothing of how much of a signature is right.
 */
export function isSigned(
  secrets: readonly Buffer[],
  signature: string,
  ...signed: [id: string, timestamp: number, body: Uint8Array]
): boolean {
  const given = signature
    .split(' ')
    .filter((part) => part.startsWith('v1,'))
    .map((part) => Buffer.from(part.slice('v1,'.length), 'base64'));
  return secrets.some((secret) => {
    const right = digest(secret, ...signed);
    return given.some((one) => one.length === right.length && timingSafeEqual(one, right));
  });
}

function digest(secret: Buffer, id: string, timestamp: number, body: string | Uint8Array): Buffer {
  return createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest();
}

/** The keys behind one or more `whsec_<base64>`, with commas between. @throws OptionError as {@link parseSecret} */
export function parseSecrets(secrets: string, name: string): Buffer[] {
  return secrets.split(',').map((secret) => parseSecret(secret.trim(), name));
}

/**
 * The key behind `whsec_<base64>`.
 *
 * @param name names the option in the error
 * @throws OptionError when it is not base64 of the 24 to 64 bytes that Standard Webhooks asks for
 */
export function parseSecret(secret: string, name: string): Buffer {
  const encoded = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : '';
  const key = Buffer.from(encoded, 'base64');
  const clean = key.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '');
  if (!clean || key.length < 24 || key.length > 64) {
    throw new OptionError(
      name,
      `must be '${PREFIX}' followed by the base64 of 24 to 64 random bytes; make one with: echo ${PREFIX}$(openssl rand -base64 32)`,
    );
  }
  return key;
}

/** A new random key. */
export function generateSecret(): Buffer {
  return randomBytes(32);
}
