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
import { ProblemError } from '../problem.js';

/** Finds messages by the id in a URL. */
@Injectable()
export class MessageFinder {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly registry: MessageRegistry,
    private readonly actors: Actors,
    private readonly letters: DeadLetters,
  ) {}

  /** @throws ProblemError not_found */
  async get(id: string): Promise<MessageRecord> {
    const record = isPossible(id) && (await this.engine.find(id, this.registry.actors()));
    if (!record) throw missing('message', id);
    return record;
  }

  /** @throws ProblemError not_found, also when the message is not dead */
  async getDead(id: string): Promise<DeadLetter> {
    const letter = isPossible(id) && (await this.letters.get(id));
    if (!letter) throw missing('dead letter', id);
    return letter;
  }

  /**
   * Cancels a message.
   *
   * @throws ProblemError not_found; message_ended when it is too late
   */
  async cancel(id: string): Promise<'cancelled' | 'cancelling'> {
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
   * @param edited takes the place of its data
   * @throws ProblemError not_found; what {@link DeadLetters.redrive} throws
   */
  async redrive(id: string, edited?: unknown): Promise<void> {
    const redriven = isPossible(id) && (await this.letters.redrive(id, edited));
    if (!redriven) throw missing('dead letter', id);
  }

  /** Removes a dead letter for good. @throws ProblemError not_found */
  async discard(id: string): Promise<void> {
    if (!isPossible(id) || !(await this.letters.discard(id))) throw missing('dead letter', id);
  }
}

/** No message has another id, and not every store takes the NUL character in a query. */
function isPossible(id: string): boolean {
  return id.length >= 1 && id.length <= 200 && !id.includes('\0');
}

function missing(what: string, id: string): ProblemError {
  return new ProblemError('not_found', `there is no ${what} with the id '${id}'`);
}
