import { chatText, roomMessage, roomName, userName } from '@callsheet/contracts';
import { z } from 'zod';
import { pageLimit } from '../page.js';
import { ProblemError } from '../problem.js';
import { schemas } from '../schema.registry.js';

const seqText = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/, 'must be the number of a message, or 0')
  .transform(Number);

/** The body that says something in a room. */
export const posting = z
  .strictObject({
    author: userName.describe('who says it, 1 to 64 characters'),
    text: chatText.describe('1 to 2,000 characters, which take at most 3,500 bytes as JSON'),
    id: z.string().min(1).max(200).optional().describe('idempotency key'),
  })
  .register(schemas, { id: 'ChatPosting' });
export type Posting = z.output<typeof posting>;

/** What is answered to it. */
export const posted = z
  .object({
    id: z.string().describe('of the message to the actor: its idempotency key'),
    room: z.string(),
    seq: z.int().describe('its number in the room'),
    at: z.iso.datetime(),
  })
  .register(schemas, { id: 'ChatPosted' });
export type Posted = z.output<typeof posted>;

/** The query of a page of a room. */
export const roomQuery = z.strictObject({ after: seqText.optional(), limit: pageLimit });
export type RoomQuery = z.output<typeof roomQuery>;

/** A room, and a page of what was said in it. */
export const roomView = z
  .object({
    room: z.string(),
    seq: z.int().describe('number of its last message; 0 when there is none'),
    members: z.array(z.string()).describe('who is connected, sorted'),
    items: z.array(roomMessage).describe('oldest first; the last 500 of a room are kept'),
  })
  .register(schemas, { id: 'Room' });
export type RoomView = z.output<typeof roomView>;

/** The query of who follows a room. */
export const followQuery = z.strictObject({
  after: seqText.optional(),
  user: userName.optional(),
});
export type FollowQuery = z.output<typeof followQuery>;

/** The stream of what is new in a room. */
export const roomEvents = z
  .string()
  .describe(
    'events: room (first: seq and members), message, gap (after, next: what lies between is not kept any more), members',
  )
  .register(schemas, { id: 'RoomEvents' });

/**
 * The number after which a client goes on: that of the header, which browsers send when they come back, else of the query.
 *
 * @throws ProblemError invalid_query
 */
export function resumeAfter(header: string | undefined, after: number | undefined) {
  if (!header) return after;
  const parsed = seqText.safeParse(header);
  if (parsed.success) return parsed.data;
  const message = 'must be the id of an event';
  throw new ProblemError('invalid_query', `Last-Event-ID ${message}`, {
    errors: [{ path: 'Last-Event-ID', message }],
  });
}

/** @throws ProblemError not_found for what cannot be the name of a room */
export function requireRoom(room: string): void {
  if (roomName.safeParse(room).success) return;
  throw new ProblemError(
    'not_found',
    'no room has such a name: it is 1 to 64 letters, digits, dots, dashes, underscores',
  );
}
