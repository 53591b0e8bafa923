import type { Envelope } from '../../envelope.js';
import {
  IdempotencyConflictError,
  LockLostError,
  MailboxFullError,
  MessageActiveError,
} from '../../messaging.errors.js';
import type { RawState } from './redis.mailboxes.js';

/** A job as scripts answer it: BullMQ's four, and the state of its key, 0 for none yet; absent without key. */
export type TakenJob = readonly [
  job: unknown,
  id: unknown,
  limit: unknown,
  until: unknown,
  state?: RawState | 0,
];

/** What the scripts that send answer. */
export type Result = readonly [
  kind: 0 | 1 | 2 | 3 | 4 | 5,
  which?: number | TakenJob,
  max?: number,
];

/** @throws what a script refused */
export function refuse([kind, which, max = 0]: Result, envelopes: readonly Envelope[]): void {
  if (kind === 0) return;
  if (kind === 4) throw new LockLostError();
  const { id = '', actor = '', key = '' } = envelopes[Number(which) - 1] ?? {};
  if (kind === 1) throw new IdempotencyConflictError(id);
  if (kind === 2) throw new MessageActiveError(id);
  throw new MailboxFullError(actor, key, max);
}
