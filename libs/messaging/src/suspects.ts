import { Logger } from '@nestjs/common';
import type { Clock } from './clock.js';
import type { Delivery, Outcome } from './engine.js';

/** How often a process may die over one message, apart from its attempts. */
export const CRASH_BUDGET = 5;

/** From how many crashes on a message is suspect. One is what any kill of a process leaves on all that it worked on. */
const SUSPECT = 2;
/** How many of its trials may end with the death of the process; with the first crashes the next one is over the budget. */
const TRIALS = CRASH_BUDGET + 1 - SUSPECT;
/** How long a suspect is the only one, ms: one whose turn takes longer gets others beside it. The longest wait of the others too. */
const ALONE = 10_000;
/** How far apart those come again that had to wait, ms. */
const APART = 100;
/** How long a process must have lived, for each trial that ended with a death, before it begins another, ms. */
const LATER = 2_000;
/** How long those that wait are counted before anybody is told, at first and then, ms. */
const SOON = 1_000;
const SELDOM = 60_000;

const logger = new Logger('Callsheet');

/**
 * A process that dies takes everything with it that it has, and each of these messages counts a crash. Which of them killed it nobody
 * can tell, so none is given up for that: those that were there more than once are put on trial, one at a time in each process,
 * beside whatever is not suspect. That is noted with the message, and only a crash before the end of that turn is its own. The
 * others go back to the store meanwhile. In a process that has just begun those come first that died in fewer trials: were it killed again, the same
 * one would not be on trial each time.
 */
export class Suspects {
  private readonly since: number;
  /** The one on trial, by when it began. */
  private running?: { readonly since: number };
  /** When the last of those comes again that had to wait. */
  private last = 0;
  /** Ids of those that had to wait since somebody was told. */
  private waiting = new Set<string>();
  private tellAt = 0;

  /** @param clock may be set back: then nobody waits for it */
  constructor(private readonly clock: Clock) {
    this.since = clock.now();
  }

  /** Runs the turn, or hands its message back until it may be its turn. */
  async turn(delivery: Delivery, run: () => Promise<Outcome>): Promise<Outcome> {
    const { crashes } = delivery;
    // Of one that is guilty no handler runs.
    if (crashes < SUSPECT || isGuilty(delivery, true)) return run();
    const deaths = deathsOf(delivery);
    const now = this.clock.now();
    const isEarly = isWithin(now - this.since, LATER * deaths);
    if (isEarly || (this.running && isWithin(now - this.running.since, ALONE))) {
      return this.later(delivery, now);
    }
    const running = { since: now };
    this.running = running;
    try {
      const isNoted = await delivery.noteTrial({ crashes, deaths }).then(
        () => true,
        () => false,
      );
      // The store does not answer, or the message is another process's.
      return isNoted ? await run() : this.later(delivery, now);
    } finally {
      if (this.running === running) this.running = undefined;
    }
  }

  private later({ envelope }: Delivery, now: number): Outcome {
    this.count(envelope.id, now);
    // The clock was set back.
    if (this.last > now + ALONE) this.last = now;
    this.last = Math.min(Math.max(this.last, now) + APART, now + ALONE);
    return { kind: 'release', delay: this.last - now };
  }

  /** No observer sees them: their turns have not begun. */
  private count(id: string, now: number): void {
    const { waiting } = this;
    const soonest = waiting.size === 0 ? now + SOON : 0;
    this.tellAt = Math.min(Math.max(this.tellAt, soonest), now + SELDOM);
    waiting.add(id);
    if (now < this.tellAt) return;
    const who = waiting.size === 1 ? '1 message that was' : `${waiting.size} messages that were`;
    logger.warn(
      `${who} there when a process died ${waiting.size === 1 ? 'waits for its' : 'wait for their'} trial`,
    );
    waiting.clear();
    this.tellAt = now + SELDOM;
  }
}

/**
 * Whether a message has killed its process more often than it may.
 *
 * @param hasTrials else each crash is its own
 */
export function isGuilty(delivery: Delivery, hasTrials: boolean): boolean {
  return hasTrials ? deathsOf(delivery) >= TRIALS : delivery.crashes > CRASH_BUDGET;
}

/** How many trials of a message ended with the death of its process. */
function deathsOf({ crashes, trial }: Delivery): number {
  if (!trial) return 0;
  return trial.deaths + (!trial.hasSurvived && crashes > trial.crashes ? 1 : 0);
}

function isWithin(elapsed: number, ms: number): boolean {
  return elapsed >= 0 && elapsed < ms;
}
