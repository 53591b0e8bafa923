import type { Carried } from '../codec.js';
import type { Json } from '../json.js';
import { UnreadableError } from '../messaging.errors.js';

/** What is stored in place of a value that is encrypted, all but `kid` in base64. */
export interface Encrypted {
  /** Id of the key. */
  kid: string;
  /** 28 bytes, another one each time. */
  iv: string;
  tag: string;
  text: string;
  /** Why it could not be decrypted. Never stored. */
  problem?: string;
}

/** The one field of what is stored in place of data, or of a row of a journal. */
export const ENCRYPTED = '$encrypted';
/** What is stored in place of `types`: nobody who knows only plain values can read these, so nobody takes them for data. */
export const ENCRYPTED_TYPES = { encrypted: true };

export const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;

/** What stands in place of a value, whatever is left of it; undefined for a plain value. */
export function encryptedIn({ data, types }: Carried): Partial<Encrypted> | undefined {
  const inside = isObject(data) && Object.hasOwn(data, ENCRYPTED) ? data[ENCRYPTED] : undefined;
  if (inside === undefined && !(isObject(types) && Object.hasOwn(types, 'encrypted'))) return;
  return isObject(inside) ? (inside as Partial<Encrypted>) : {};
}

/** Why a value cannot be read, when it is still encrypted; undefined for a plain value. */
export function unreadable(carried: Carried): string | undefined {
  const encrypted = encryptedIn(carried);
  return encrypted && (encrypted.problem ?? missingKey(encrypted.kid));
}

/**
 * For those who look into the store: the value itself, if it can be read.
 *
 * @param subject names it in the error
 * @throws UnreadableError
 */
export function readable<T extends Carried | undefined>(subject: string, carried: T): T {
  const problem = carried && unreadable(carried);
  if (problem === undefined) return carried;
  throw new UnreadableError(subject, problem);
}

export function missingKey(kid: unknown): string {
  return typeof kid === 'string' && KEY_ID.test(kid)
    ? `is encrypted with key '${kid}', which this process does not have`
    : 'says that it is encrypted, and is not in that form';
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
