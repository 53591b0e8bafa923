import { createHash, randomFillSync } from 'node:crypto';
import { monotonicFactory } from 'ulid';
import type { Carried } from './codec.js';
import type { JsonObject } from './json.js';
import type { MessageType } from './message.js';
import type { RetryPolicy } from './retry.js';

/** A message and its metadata, as it travels. Times are epoch milliseconds. */
export interface Envelope extends Carried {
  /** Public id: the sender's own, else generated (`<actor>-<ulid>`). */
  id: string;
  type: MessageType;
  version: number;
  data: JsonObject;
  /** Under which topic it was published; absent: its type. */
  topic?: string;
  /** Whose queue it is in: the actor that handles its type, or a subscriber that has this copy of an event. */
  actor: string;
  /** Which instance of the actor it is for; absent: any worker. */
  key?: string;
  /** 1 is served first. */
  priority: number;
  sentAt: number;
  /** Not before this time; absent: at once. */
  dueAt?: number;
  /** Not started after this time; absent: never too late. */
  deadline?: number;
  headers: Record<string, string>;
  /** Id of the first message of the chain that this one belongs to; absent: it is the first itself. */
  correlationId?: string;
  /** Id of the message whose turn sent this one. */
  causationId?: string;
  /** W3C trace context of the sender. */
  traceparent?: string;
  tracestate?: string;
  tenant?: string;
  /** What it is found by: see `termsOf`. Absent: nothing. */
  terms?: readonly string[];
  /** Inbox of the process that waits for the reply. */
  replyTo?: string;
  /** Takes the place of the message with this id that has not started: a timer that is moved. */
  replace?: true;
  /** Nominal time, when it is an occurrence of a schedule. */
  occurrence?: number;
  /** Who is told of its end by a turn, in the same commit, with an EndNotice. */
  notify?: NotifyTarget;
  /** What the sender asked for beyond the actor's own retry policy. */
  retry?: Partial<RetryPolicy>;
  /** Digest of the body; present when the sender chose the id, so that the same id with another body is refused. */
  fingerprint?: string;
}

/** Who is told that a message has ended. */
export interface NotifyTarget {
  /** Type of the message that tells it, `<actor>.<verb>`: a message of that actor. Its data is an `EndNotice`. */
  type: MessageType;
  /** Key of that message, 1 to 200 characters; it stands in the data as `key`. Absent: without key. */
  key?: string;
  /** Not told before this time, epoch milliseconds, at most a year from now. Absent: at once. */
  notBefore?: number;
}

/** Random bytes, many at a time: one by one, as ulid asks for them, sixteen calls of the system's source make an id. */
const random = new Uint8Array(4_096);
let used = random.length;

const ulid = monotonicFactory(() => {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  return (random[used++] ?? 0) / 256;
});
/** Copies of events end with their subscriber. */
const GENERATED = /^[a-z][a-z0-9-]{0,62}-[0-9a-hjkmnp-tv-z]{26}(?:@[a-z][a-z0-9-]{0,62})?$/;
/** Whether an id is as those that messages without one get, or copies of such events. */
export function isGeneratedId(id: string): boolean {
  return GENERATED.test(id);
}

/** Ids that BullMQ gives to occurrences of a schedule. */
const OCCURRENCE = /^repeat:[a-z][a-z0-9-]*\.[a-zA-Z0-9_$-]+:\d+$/;

/** Ids that BullMQ gives to jobs of other producers. */
const COUNTED = /^\d{1,15}$/;

/** A new id that tells its actor and sorts by time. */
export function generateId(actor: string): string {
  return `${actor}-${ulid().toLowerCase()}`;
}

/** Id of the copy of an event that a subscriber gets. */
export function copyId(event: string, subscriber: string): string {
  return `${event}@${subscriber}`;
}

/** Whether a message is the copy of an event for the actor in whose queue it is. */
export function isCopyOf({ id, actor }: Pick<Envelope, 'id' | 'actor'>): boolean {
  return id.endsWith(`@${actor}`);
}

/**
 * The name under which a store keeps a message. Generated ids stand for themselves; a sender's id is hashed, because raw text
 * can name a store's own records (a BullMQ job called `meta` breaks its queue).
 */
export function storageId(envelope: Pick<Envelope, 'id' | 'fingerprint'>): string {
  return envelope.fingerprint === undefined ? envelope.id : hashedId(envelope.id);
}

/** The storage ids under which a message with this public id may be found, likeliest first. */
export function storageIds(id: string): string[] {
  if (GENERATED.test(id) || OCCURRENCE.test(id)) return [id, hashedId(id)];
  return COUNTED.test(id) ? [hashedId(id), id] : [hashedId(id)];
}

function hashedId(id: string): string {
  return `h-${createHash('sha256').update(id).digest('hex').slice(0, 40)}`;
}

/**
 * Digest of what makes two sends the same: type, version, data, priority, retry and the relative times the sender gave.
 * Headers are left out: a repeated request carries another trace id.
 */
export function fingerprintOf(body: unknown): string {
  return createHash('sha256').update(canonical(body)).digest('hex').slice(0, 32);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, child]) => child !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, child]) => `${JSON.stringify(key)}:${canonical(child)}`);
  return `{${entries.join(',')}}`;
}
