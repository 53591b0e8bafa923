import { createHash } from 'node:crypto';

/** SHA-256 in lower-case hexadecimal, or its first digits. */
export function digestOf(content: string | Uint8Array, digits = 64): string {
  return createHash('sha256').update(content).digest('hex').slice(0, digits);
}
