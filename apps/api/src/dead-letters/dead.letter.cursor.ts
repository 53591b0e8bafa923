import type { DeadLetterPlace } from '@callsheet/messaging';
import { z } from 'zod';

const place = z.tuple([z.int().min(0), z.string().min(1).max(200)]);

/** The cursor of the page that begins after this place. Opaque to clients. */
export function cursorAfter({ finishedAt, storageId }: DeadLetterPlace): string {
  const after: z.infer<typeof place> = [finishedAt, storageId];
  return Buffer.from(JSON.stringify(after)).toString('base64url');
}

/** The place in a cursor; undefined for text that is not one. */
export function placeOf(cursor: string): DeadLetterPlace | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(cursor, 'base64url'));
    const [finishedAt, storageId] = place.parse(JSON.parse(text));
    return storageId.includes('\0') ? undefined : { finishedAt, storageId };
  } catch {
    return undefined;
  }
}
