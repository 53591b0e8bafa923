import type { MessagePlace, MessageState, SearchPlace } from '@callsheet/messaging';
import { z } from 'zod';
import { pageCursor, pageLimit } from '../page.js';
import { schemas } from '../schema.registry.js';
import { messageView } from './message.view.js';

/** The query of a list of messages. */
export const messageQuery = z.strictObject({
  actor: z.string().optional(),
  q: z.string().max(1_100).optional(),
  state: messageView.shape.state.optional(),
  key: z.string().max(200).optional(),
  type: z.string().max(127).optional(),
  limit: pageLimit,
  cursor: pageCursor,
});
export type MessageQuery = z.output<typeof messageQuery>;

/** A page of messages. */
export const messageList = z
  .object({
    items: z.array(messageView),
    next: z
      .string()
      .optional()
      .describe('cursor of the next page, which may be empty; absent on the last'),
  })
  .register(schemas, { id: 'MessageList' });
export type MessageList = z.infer<typeof messageList>;

/** Where a list goes on: with the first message of a state, or behind one. */
export interface ListPlace {
  state: MessageState;
  after?: MessagePlace;
}

const cursor = z.union([
  z.tuple([messageView.shape.state]),
  z.tuple([messageView.shape.state, z.int(), z.int(), z.string().min(1).max(200)]),
]);

const foundCursor = z.tuple([z.literal('found'), z.int().min(0), z.string().min(1).max(200)]);

/** The cursor of the page that begins there. Opaque to clients. */
export function cursorAt({ state, after }: ListPlace): string {
  const place = after && [after.rank, after.order, after.storageId];
  return toText([state, ...(place ?? [])]);
}

/** The cursor of the page of a search that begins behind a message. */
export function cursorBehind({ sentAt, storageId }: SearchPlace): string {
  return toText(['found', sentAt, storageId]);
}

/** The place in a cursor; undefined for text that is not one. */
export function placeAt(text: string): ListPlace | undefined {
  const { data } = cursor.safeParse(fromText(text));
  if (!data) return undefined;
  const [state, rank, order, storageId] = data;
  if (rank === undefined || order === undefined || storageId === undefined) return { state };
  return storageId.includes('\0') ? undefined : { state, after: { rank, order, storageId } };
}

/** The place in a cursor of a search; undefined for text that is not one. */
export function foundPlaceAt(text: string): SearchPlace | undefined {
  const { data } = foundCursor.safeParse(fromText(text));
  const [, sentAt = 0, storageId = '\0'] = data ?? [];
  return storageId.includes('\0') ? undefined : { sentAt, storageId };
}

function toText(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function fromText(text: string): unknown {
  try {
    const bytes = Buffer.from(text, 'base64url');
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
