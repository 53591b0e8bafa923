import { ENGINE, MessageRegistry, type Engine, type MessageRecord } from '@callsheet/messaging';
import { Inject, Injectable } from '@nestjs/common';
import { ProblemError } from '../problem.js';

/** Finds messages by the id in a URL. */
@Injectable()
export class MessageFinder {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly registry: MessageRegistry,
  ) {}

  /** @throws ProblemError not_found */
  async get(id: string): Promise<MessageRecord> {
    const record = isPossible(id) && (await this.engine.find(id, this.registry.actors()));
    if (!record) throw missing('message', id);
    return record;
  }

  /** @throws ProblemError not_found, also when the message is not dead */
  async getDead(id: string): Promise<MessageRecord> {
    const record = isPossible(id) && (await this.engine.find(id, this.registry.actors()));
    if (!record || record.state !== 'dead') throw missing('dead letter', id);
    return record;
  }

  /**
   * Puts a dead letter back into its queue.
   *
   * @throws ProblemError not_found
   */
  async redrive(id: string): Promise<void> {
    const redriven = isPossible(id) && (await this.engine.redrive(id, this.registry.actors()));
    if (!redriven) throw missing('dead letter', id);
  }
}

/** No message has another id, and not every store takes the NUL character in a query. */
function isPossible(id: string): boolean {
  return id.length <= 200 && !id.includes('\0');
}

function missing(what: string, id: string): ProblemError {
  return new ProblemError('not_found', `there is no ${what} with the id '${id}'`);
}
