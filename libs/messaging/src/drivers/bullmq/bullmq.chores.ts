import { Logger } from '@nestjs/common';
import { agesOf } from '../../priority.js';
import type { Keep, TurnBackend } from './bullmq.store.js';

export interface ChoreOptions {
  /** How many turns are kept for urgent messages. */
  reserved?: number;
  /** How long a message waits until it comes into a better lane, ms. */
  aging?: number;
  keepDone: Keep;
  keepDead: Keep;
}

/** How often handled jobs beyond the age and count to keep are dropped, ms. */
const FORGET_EVERY = 5_000;
/** How often mailboxes are looked through for what operators and crashes can leave, ms. */
const HEAL_EVERY = 30_000;
const AGED_AT_ONCE = 200;

/** What is done over and over beside the turns of an actor: drops what is kept no longer, mends mailboxes, lets nothing wait for ever. */
export class BullmqChores {
  private readonly logger = new Logger('Callsheet');
  private readonly timers: readonly NodeJS.Timeout[];

  /**
   * @param backends of the actor's queue, and of that of its dead letters
   * @param complain is told what could not be done; it is tried again
   */
  constructor(
    private readonly actor: string,
    private readonly backends: { readonly own: TurnBackend; readonly dead: TurnBackend },
    private readonly options: ChoreOptions,
    private readonly complain: (message: string) => void,
  ) {
    const { aging } = options;
    this.timers = [
      setInterval(() => void this.forget(), FORGET_EVERY).unref(),
      setInterval(() => void this.heal(), HEAL_EVERY).unref(),
      ...(aging === undefined
        ? []
        : [setInterval(() => void this.age(aging), agingInterval(aging)).unref()]),
    ];
  }

  stop(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  private async forget(): Promise<void> {
    const { keepDone, keepDead } = this.options;
    const isBounded = Number.isFinite(keepDead.age) || Number.isFinite(keepDead.count);
    const failed = (error: Error): void =>
      this.complain(`ended messages are not dropped: ${error.message}`);
    await this.backends.own.forgetDone?.(keepDone).catch(failed);
    if (isBounded) await this.backends.dead.forgetDead(keepDead).catch(failed);
  }

  /** Some at a time: those that come into a better lane too soon would only wait there. */
  private async age(aging: number): Promise<void> {
    const { own } = this.backends;
    try {
      for (const [lane, times] of agesOf(this.options.reserved)) {
        const ids = await own.overdue(lane, Date.now() - times * aging, AGED_AT_ONCE);
        for (const id of ids) await own.changePriority(id, lane);
      }
    } catch (error) {
      this.complain(`what waits long waits on: ${(error as Error).message}`);
    }
  }

  private async heal(): Promise<void> {
    const keys = await this.backends.own.mailboxes.heal().catch((error: Error) => {
      this.complain(`mailboxes are not mended: ${error.message}`);
      return [];
    });
    if (keys.length === 0) return;
    const named = keys.slice(0, 5).map((key) => `'${key}'`);
    const more = keys.length > named.length ? ', …' : '';
    this.logger.warn(
      `${this.actor}: mended the mailboxes of ${keys.length} keys (${named.join(', ')}${more}); messages were removed or moved without BullMQ or Callsheet`,
    );
  }
}

/** How often to look for messages that have waited for so long. */
function agingInterval(aging: number): number {
  return Math.min(Math.max(aging / 10, 100), 30_000);
}
