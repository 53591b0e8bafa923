import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const PATTERN = /^cs_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

/** An API key as its holder has it: `cs_<id>_<32 random bytes>`. The prefix lets scanners of secrets find it. */
export interface ApiKey {
  /** Public: names the key in lists and in the audit log. */
  id: string;
  text: string;
}

/** A new key. @param id of one that exists already, for another secret */
export function newApiKey(id = randomBytes(8).toString('hex')): ApiKey {
  return { id, text: `cs_${id}_${randomBytes(32).toString('base64url')}` };
}

/** The id in a text that looks like a key; undefined for any other text. */
export function apiKeyIdOf(text: string): string | undefined {
  return PATTERN.exec(text)?.[1];
}

/**
 * What is stored of a key, hexadecimal. A plain SHA-256 is enough, and fast: 256 random bits cannot be guessed, which slow hashes
 * are there to hinder.
 */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Whether a digest is that of a text; takes as long for each. */
export function isDigestOf(digest: string, text: string): boolean {
  const own = createHash('sha256').update(text).digest();
  const other = Buffer.from(digest, 'hex');
  return other.length === own.length && timingSafeEqual(own, other);
}
