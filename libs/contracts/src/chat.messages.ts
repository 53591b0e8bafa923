import { Message } from '@callsheet/messaging';
import { z } from 'zod';

/** Which room: 1 to 64 letters, digits, `_.-`, the first a letter or digit. One that nobody has used is empty. */
export const roomName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'must be letters, digits, dots, dashes, underscores');

/** Who speaks, or is there: 1 to 64 characters without control characters. */
export const userName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^\P{Cc}*$/u, 'must be without control characters');

/** With the author and the rest it must go into a row of a journal, which takes 4,096 bytes of JSON. */
const TEXT_BYTES = 3_500;

/** What is said: 1 to 2,000 characters, which take at most 3,500 bytes as JSON. */
export const chatText = z
  .string()
  .min(1)
  .max(2_000)
  .refine(
    (text) => Buffer.byteLength(JSON.stringify(text)) <= TEXT_BYTES,
    `must take at most ${TEXT_BYTES} bytes as JSON`,
  );

const seq = z.int().min(1);
const at = z.iso.datetime();

/** What was said in a room, as its journal has it. */
export const roomMessage = z.object({
  /** 1 for the first of the room, one more for each that follows. */
  seq,
  author: userName,
  text: z.string(),
  /** When its turn began. */
  at,
});
export type RoomMessage = z.output<typeof roomMessage>;

/** What is kept of a room beside its journal. */
export const RoomState = z.object({
  /** That of its last message; 0 when there is none. */
  seq: z.int().min(0).default(0),
  /** Who is there, by the place that says so: a process that has connections, say. */
  places: z
    .record(
      z.string(),
      z.object({
        /** Until when it counts, epoch milliseconds. */
        until: z.int(),
        users: z.array(userName),
      }),
    )
    .default({}),
});
export type RoomState = z.output<typeof RoomState>;

/** How long it counts who is in a place, unless the place says it again, ms. */
export const PRESENCE = 90_000;

/** The signal that there is something new in a room: a message, or who is there. */
export const roomSignal = (room: string): string => `chat:${room}`;

/** Says something in a room. The reply tells which message of the room it became, and when. */
export class PostChat extends Message(
  'chat.post',
  z.strictObject({ room: roomName, author: userName, text: chatText }),
  { key: 'room', reply: z.object({ seq, at }) },
) {}

/**
 * Says who of a room is in a place now, in place of what the place said before; nobody leaves it. It counts for 90 seconds from
 * when it was sent. Of more than 500 users of a room, or 100 places, the rest are not shown.
 */
export class AttendRoom extends Message(
  'chat.attend',
  z.strictObject({
    room: roomName,
    /** 1 to 64 letters, digits, `_.-`: nobody else's. */
    place: roomName,
    /** At most 500, each once. */
    users: z.array(userName).max(500),
  }),
  { key: 'room' },
) {}
