import { createHash } from 'node:crypto';

/** A number in [0, 1) that depends on the text alone: the same in every process and version, evenly spread over many texts. */
export function draw(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6) / 2 ** 48;
}
