import type { Actors, AskOptions, Receipt } from './actors.js';
import type { MessageClass, MessageInstance, MessageMeta, ReplyOf } from './message.js';
import { OptionError } from './messaging.errors.js';
import type { TellOptions } from './sealing.js';

/** One instance of an actor, by its key: messages to it need not repeat the key. */
export class ActorRef {
  constructor(
    private readonly actors: Actors,
    readonly key: string | number,
  ) {}

  /** As {@link Actors.tell}, with the key filled in. */
  async tell<M extends MessageInstance, Input extends object, K extends keyof Input & string>(
    message: MessageClass<M, Input, K>,
    data: Omit<Input, K>,
    options?: TellOptions,
  ): Promise<Receipt> {
    return this.actors.tell(this.make(message, data), options);
  }

  /** As {@link Actors.ask}, with the key filled in. */
  async ask<M extends MessageInstance, Input extends object, K extends keyof Input & string>(
    message: MessageClass<M, Input, K>,
    data: Omit<Input, K>,
    options?: AskOptions,
  ): Promise<ReplyOf<M>> {
    return this.actors.ask(this.make(message, data), options);
  }

  private make<M extends MessageInstance>(
    message: { new (data: never): M; readonly meta: MessageMeta },
    data: object,
  ): M {
    const { key, type } = message.meta;
    if (key === undefined) {
      throw new OptionError(`${type} key`, 'is not declared: a ref is for messages with a key');
    }
    return new message({ ...data, [key]: this.key } as never);
  }
}
