import { On } from './actor.decorators.js';
import type { DeadReason, Delivery, Outcome } from './engine.js';
import { fingerprintOfDeath } from './dead.letter.fingerprint.js';
import { Message } from './message.js';
import { trusting } from './standard.schema.js';

/** What is told of a new dead letter. */
export interface DeadLetterNotice {
  /** Id of the message that died. */
  readonly id: string;
  readonly actor: string;
  readonly type: string;
  readonly key?: string;
  readonly tenant?: string;
  readonly reason: DeadReason;
  /** The same for letters that died of the same trouble. */
  readonly fingerprint: string;
  readonly attempts: number;
  readonly error: { readonly name: string; readonly message: string; readonly code?: string };
}

/** Published, in one step with the letter, whenever a message becomes a dead letter. */
export class DeadLetterAdded extends Message('dead-letters.added', trusting<DeadLetterNotice>()) {}

/**
 * Marks a method of an actor that is told of every new dead letter of all actors: once per letter and actor, with retries of
 * its own, also if the process in which the message died is gone.
 *
 *     @Actor({ name: 'alerts' })
 *     class Alerts {
 *       @OnDeadLetter() alert(letter: DeadLetterAdded) { ... }
 *     }
 */
export const OnDeadLetter = (): ReturnType<typeof On<DeadLetterAdded>> => On(DeadLetterAdded);

/** The event for a message that is about to become a dead letter. */
export function deadLetterAdded(
  { envelope, attempt }: Delivery,
  { reason, attempt: { error } }: Extract<Outcome, { kind: 'dead' }>,
): DeadLetterAdded {
  const { id, actor, type, key, tenant } = envelope;
  const { name, message, code } = error;
  return new DeadLetterAdded({
    id,
    actor,
    type,
    ...(key !== undefined && { key }),
    ...(tenant !== undefined && { tenant }),
    reason,
    fingerprint: fingerprintOfDeath({ actor, type, reason, error }),
    attempts: attempt,
    error: { name, message, ...(code !== undefined && { code }) },
  });
}
