import { EmailBounced } from '@callsheet/contracts';
import { Actors, IdempotencyConflictError } from '@callsheet/messaging';
import { Injectable } from '@nestjs/common';
import { digestOf } from '../digest.js';
import type { Refusal } from './refusals.js';

/** Publishes that mails were refused. */
@Injectable()
export class Bounces {
  constructor(private readonly actors: Actors) {}

  /**
   * Publishes an {@link EmailBounced} for each refusal, at once: what a turn that fails sends is dropped, but the server has
   * spoken. When the process dies before the end of the turn the mail is refused again, and nothing is published twice.
   *
   * @param mail its id as a message, and its Message-ID
   */
  async publish(
    mail: { id: string; messageId: string },
    refusals: readonly Refusal[],
  ): Promise<void> {
    for (const refusal of refusals) {
      const id = `bounce-${digestOf(JSON.stringify([mail.id, refusal.recipient]), 32)}`;
      try {
        await this.actors.publish(new EmailBounced({ ...mail, ...refusal }), { id, now: true });
      } catch (error) {
        // The server used other words the last time.
        if (!(error instanceof IdempotencyConflictError)) throw error;
      }
    }
  }
}
