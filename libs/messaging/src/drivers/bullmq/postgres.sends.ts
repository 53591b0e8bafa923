import type { Envelope } from '../../envelope.js';
import {
  IdempotencyConflictError,
  LockLostError,
  MailboxFullError,
  MessageActiveError,
  OptionError,
} from '../../messaging.errors.js';
import { toJob } from './bullmq.job.js';
import { ACTIVE, CONFLICT, FULL, ISOLATED, STALE } from './postgres.schema.js';

/** Messages as `callsheet.send` takes them, and every function that sends: JSON. */
export function toSends(envelopes: readonly Envelope[]): string {
  return JSON.stringify(
    envelopes.map((envelope) => {
      const { data, ...job } = toJob(envelope);
      const { id, actor, fingerprint, replace } = envelope;
      const payload = JSON.parse(data) as unknown;
      return { ...job, data: payload, queue: actor, publicId: id, fingerprint, replace };
    }),
  );
}

/** What it means that PostgreSQL refused a message; undefined when the error says something else. */
export function refusalOf(error: unknown): Error | undefined {
  const { code, detail = '' } = error as { code?: string; detail?: string };
  if (code === CONFLICT) return new IdempotencyConflictError(detail);
  if (code === ACTIVE) return new MessageActiveError(detail);
  if (code === STALE) return new LockLostError();
  if (code === ISOLATED) {
    return new OptionError(
      'tx',
      'must be a transaction at READ COMMITTED to send messages with a key',
    );
  }
  if (code === FULL) {
    const { actor, key, max } = JSON.parse(detail) as { actor: string; key: string; max: number };
    return new MailboxFullError(actor, key, max);
  }
  return undefined;
}
