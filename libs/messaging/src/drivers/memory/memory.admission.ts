import { storageId, type Envelope } from '../../envelope.js';
import {
  IdempotencyConflictError,
  MailboxFullError,
  MessageActiveError,
} from '../../messaging.errors.js';
import type { Entry } from './memory.entry.js';
import type { RememberedIds } from './memory.ids.js';
import type { MemoryQueue } from './memory.queue.js';

/** What an admission looks at. */
export interface Stored {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly ids: RememberedIds;
  queue(actor: string): MemoryQueue;
}

/**
 * Of messages that are to be stored together, those that are new, by storage id; the others are there already.
 *
 * @param ending a message that ends in the same step
 * @throws IdempotencyConflictError, MessageActiveError, MailboxFullError
 */
export function admit(
  envelopes: readonly Envelope[],
  stored: Stored,
  now: number,
  ending?: Entry,
): Map<string, Envelope> {
  const fresh = new Map<string, Envelope>();
  for (const envelope of envelopes) {
    const id = storageId(envelope);
    const entry = stored.entries.get(id);
    if (envelope.replace) {
      if (entry?.state === 'active' && entry !== ending) throw new MessageActiveError(envelope.id);
      fresh.delete(id);
    } else {
      const known = fresh.get(id) ?? entry?.envelope;
      const fingerprint = known?.fingerprint ?? stored.ids.fingerprint(id, now);
      if (fingerprint !== undefined && fingerprint !== envelope.fingerprint) {
        throw new IdempotencyConflictError(envelope.id);
      }
      if (known || fingerprint !== undefined) continue;
    }
    fresh.set(id, envelope);
  }
  requireRoom(fresh, stored, now);
  return fresh;
}

/** What is due later joins its mailbox then, full or not. */
function requireRoom(fresh: ReadonlyMap<string, Envelope>, stored: Stored, now: number): void {
  const room = new Map<string, number>();
  for (const [id, envelope] of fresh) {
    const { actor, key, dueAt = 0 } = envelope;
    const queue = stored.queue(actor);
    if (key === undefined || queue.mailboxLimit === Infinity) continue;
    if (dueAt > now || !queue.usesMailbox(envelope)) continue;
    const name = `${actor} ${key}`;
    const replaced = stored.entries.get(id);
    const isFreed = replaced?.mailbox !== undefined && replaced.state !== 'active';
    const left = (room.get(name) ?? queue.roomFor(key)) - (isFreed ? 0 : 1);
    if (left < 0) throw new MailboxFullError(actor, key, queue.mailboxLimit);
    room.set(name, left);
  }
}
