import type { MessageInstance, ReplyInput } from '../message.js';

/** What a {@link Probe} needs of the test. */
interface Host {
  drain(): Promise<unknown>;
}

/** Stands in for the handler of a message: remembers what it gets, and answers or fails as told. */
export class Probe<M extends MessageInstance> {
  /** What it got, in order; a message that is tried again is there again. */
  readonly received: M[] = [];
  private taken = 0;
  private answer: unknown;
  private readonly failures: unknown[] = [];

  constructor(
    private readonly type: string,
    private readonly host: Host,
  ) {}

  /**
   * The oldest message that `next` has not answered yet; what is ready runs first.
   *
   * @throws Error when none has come
   */
  async next(): Promise<M> {
    if (this.received.length <= this.taken) await this.host.drain();
    const message = this.received[this.taken];
    if (!message) throw new Error(`no ${this.type} came: the probe got ${this.taken} in all`);
    this.taken++;
    return message;
  }

  /** Throws this for the next messages. Its supervision and retries are those of the actor that it stands in for. */
  fail(error: unknown, times = 1): this {
    for (let n = 0; n < times; n++) this.failures.push(error);
    return this;
  }

  /** Answers this from now on. */
  reply(value: ReplyInput<M>): this {
    this.answer = value;
    return this;
  }

  /** Handles a message. */
  handle(message: M): unknown {
    this.received.push(message);
    if (this.failures.length > 0) throw this.failures.shift();
    return this.answer;
  }
}
