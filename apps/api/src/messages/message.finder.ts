import {
  Actors,
  DeadLetters,
  ENGINE,
  MessageRegistry,
  type DeadLetter,
  type Engine,
  type MessageRecord,
} from '@callsheet/messaging';
import { Inject, Injectable } from '@nestjs/common';
import type { Principal } from '../access/principal.js';
import { knownActors } from '../actors/known.actor.js';
import { ProblemError } from '../problem.js';
import { unmasked } from './secrets.js';
import { isKept, SendableMessages } from './sendable.messages.js';

/** Finds messages by the id in a URL. For somebody of a tenant there are no others than those of that tenant. */
@Injectable()
export class MessageFinder {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly registry: MessageRegistry,
    private readonly actors: Actors,
    private readonly letters: DeadLetters,
    private readonly sendable: SendableMessages,
  ) {}

  /** @throws ProblemError not_found */
  async get(id: string, by: Principal): Promise<MessageRecord> {
    const record = await this.find(id);
    if (!record || !isOwn(record, by)) throw missing('message', id);
    return record;
  }

  /** Whether a message of this id, if there is one, is somebody's to replace. */
  async isFree(id: string, by: Principal): Promise<boolean> {
    if (by.tenant === undefined) return true;
    const record = await this.find(id);
    return !record || isOwn(record, by);
  }

  /** @throws ProblemError not_found, also when the message is not dead */
  async getDead(id: string, by: Principal): Promise<DeadLetter> {
    const letter = isPossible(id) && (await this.letters.get(id));
    if (!letter || !isOwn(letter, by)) throw missing('dead letter', id);
    return letter;
  }

  /**
   * Cancels a message.
   *
   * @throws ProblemError not_found; message_ended when it is too late; forbidden for timers of schedules and pipelines
   */
  async cancel(id: string, by: Principal): Promise<'cancelled' | 'cancelling'> {
    const { envelope } = await this.get(id, by);
    if (isKept(envelope.actor)) {
      const detail = `'${id}' is how '${envelope.actor}' keeps time: it is not for anybody to cancel`;
      throw new ProblemError('forbidden', detail);
    }
    const cancellation = isPossible(id) ? await this.actors.cancel(id) : 'unknown';
    if (cancellation === 'unknown') throw missing('message', id);
    if (cancellation !== 'ended') return cancellation;
    throw new ProblemError(
      'message_ended',
      `the message '${id}' has ended: nothing is left to cancel`,
    );
  }

  /**
   * Puts a dead letter back into its queue.
   *
   * @param edited takes the place of its data; what is masked in it stays as it is
   * @throws ProblemError not_found; forbidden for edited data of what nobody may send; what {@link DeadLetters.redrive} throws
   */
  async redrive(id: string, by: Principal, edited?: Record<string, unknown>): Promise<void> {
    const isLookedAt = by.tenant !== undefined || edited !== undefined;
    const letter = isLookedAt ? await this.getDead(id, by) : undefined;
    const whole = edited && letter && this.unmaskedOf(letter, edited);
    const redriven = isPossible(id) && (await this.letters.redrive(id, whole));
    if (!redriven) throw missing('dead letter', id);
  }

  /** Removes a dead letter for good. @throws ProblemError not_found */
  async discard(id: string, by: Principal): Promise<void> {
    if (by.tenant !== undefined) await this.getDead(id, by);
    if (!isPossible(id) || !(await this.letters.discard(id))) throw missing('dead letter', id);
  }

  /** Edited data of a letter, with what was masked in it. */
  private unmaskedOf(
    { envelope: { type, data } }: DeadLetter,
    edited: Record<string, unknown>,
  ): Record<string, unknown> {
    if (!this.sendable.find(type)) {
      const detail = `'${type}' is not for anybody to send: redrive it as it is`;
      throw new ProblemError('forbidden', detail);
    }
    const { secret = [] } = this.sendable.secrecyOf(type) ?? {};
    return unmasked({ type, secret }, edited, data);
  }

  private async find(id: string): Promise<MessageRecord | undefined> {
    return isPossible(id) ? this.engine.find(id, knownActors(this.registry)) : undefined;
  }
}

function isOwn({ envelope }: MessageRecord, { tenant }: Principal): boolean {
  return tenant === undefined || envelope.tenant === tenant;
}

/** No message has another id, and not every store takes the NUL character in a query. */
function isPossible(id: string): boolean {
  return id.length >= 1 && id.length <= 200 && !id.includes('\0');
}

function missing(what: string, id: string): ProblemError {
  return new ProblemError('not_found', `there is no ${what} with the id '${id}'`);
}
