import type { MessageRecord } from '@callsheet/messaging';
import { z } from 'zod';

/** Reads dead letters, newest first. */
export type ReadDeadLetters = (page: { offset: number; limit: number }) => Promise<MessageRecord[]>;

const place = z.tuple([z.int().min(1), z.int().min(0), z.string().min(1).max(200)]);

/** Where a page ended: after how many dead letters, and which was the last. */
type Place = z.infer<typeof place>;

const STEP = 100;

/** The cursor of the page that begins after `count` dead letters, of which `last` is the last. Opaque to clients. */
export function cursorAfter(count: number, last: MessageRecord): string {
  const after: Place = [count, last.finishedAt ?? 0, last.envelope.id];
  return Buffer.from(JSON.stringify(after)).toString('base64url');
}

/** The place in a cursor; undefined for text that is not one. */
export function placeOf(cursor: string): Place | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(cursor, 'base64url'));
    return place.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * How many dead letters come before the rest of the list. Letters that arrived since moved the place down, redriven ones
 * moved it up: then it is searched from the top, so that no letter is left out; one that died in the same millisecond may
 * be seen twice.
 */
export async function offsetOf([count, time, id]: Place, read: ReadDeadLetters): Promise<number> {
  const [expected] = await read({ offset: count - 1, limit: 1 });
  if (expected?.envelope.id === id) return count;
  let firstAtTime: number | undefined;
  for (let offset = 0; ; offset += STEP) {
    const records = await read({ offset, limit: STEP });
    for (const [index, { envelope, finishedAt = 0 }] of records.entries()) {
      if (envelope.id === id && finishedAt === time) return offset + index + 1;
      if (finishedAt <= time) firstAtTime ??= offset + index;
      if (finishedAt < time) return firstAtTime ?? offset + index;
    }
    if (records.length < STEP) return firstAtTime ?? offset + records.length;
  }
}
