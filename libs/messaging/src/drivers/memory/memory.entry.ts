import {
  HISTORY_LIMIT,
  type AttemptRecord,
  type Delivery,
  type MessageRecord,
  type Trial,
} from '../../engine.js';
import { storageId, type Envelope } from '../../envelope.js';
import type { Slot } from './memory.heap.js';
import type { Place } from './memory.line.js';
import type { Mailbox } from './memory.mailbox.js';

/** A message in memory. */
export interface Entry extends MessageRecord {
  /** Its priority, or that of the lane into which it came because it waited for long. */
  rank: number;
  /** Order in which it became ready; rank first, then this. */
  seq: number;
  /** Order in which it came into its mailbox. */
  arrival: number;
  /** Failed attempts since it was sent or last redriven. */
  failures: number;
  /** How often it was given out since it was sent. */
  starts: number;
  /** How often its process died while it was in work. */
  crashes: number;
  /** The last trial that was noted. */
  trial?: Trial;
  /** Somebody cancelled it while it was in work. */
  isCancelled: boolean;
  /** Order of its death among all messages, when it died. */
  death?: number;
  /** Where it waits for its turn or its time. */
  slot?: Slot<Entry>;
  /** Where it stands among those of its key, or among the ended. */
  place?: Place<Entry>;
  /** That of its key, while it stands in it. */
  mailbox?: Mailbox;
  /** Its turn, while it is in work. */
  work?: Work;
}

/** A message given out. Whoever holds one that is no longer its entry's has lost the message. */
export interface Work {
  readonly entry: Entry;
  readonly delivery: Delivery;
}

/** A message as it is stored: nothing is shared with the sender. */
export function entryOf(envelope: Envelope): Entry {
  return {
    storageId: storageId(envelope),
    envelope: structuredClone(envelope),
    state: 'waiting',
    history: [],
    redrives: 0,
    rank: envelope.priority,
    seq: 0,
    arrival: 0,
    failures: 0,
    starts: 0,
    crashes: 0,
    isCancelled: false,
  };
}

/** The entry as others see it: nothing is shared with the store. */
export function recordOf(entry: Entry): MessageRecord {
  const { storageId: key, envelope, state, history, redrives } = entry;
  const { startedAt, finishedAt, reason, reply, sent } = entry;
  return structuredClone({
    storageId: key,
    envelope,
    state,
    history,
    redrives,
    ...(startedAt !== undefined && { startedAt }),
    ...(finishedAt !== undefined && { finishedAt }),
    ...(reason !== undefined && { reason }),
    ...(reply !== undefined && { reply }),
    ...(sent !== undefined && { sent }),
  });
}

export function remember(entry: Entry, attempt: AttemptRecord): void {
  entry.failures++;
  entry.history = [...entry.history, structuredClone(attempt)].slice(-HISTORY_LIMIT);
}
