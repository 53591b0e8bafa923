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
/** How long a process must have seen no new suspect, for each trial that ended with a death, before it begins another, ms. */
const LATER = 2_000;
/** For how long after its start it waits for more of them, ms. */
const GATHERING = 60_000;
/** How long one that was handed back is expected again, ms: it waits for {@link ALONE} at most, and stores can be slow. */
const EXPECTED = 2 * ALONE;
/** How long those that wait are counted before anybody is told, at first and then, ms. */
const SOON = 1_000;
const SELDOM = 60_000;

const logger = new Logger('Callsheet');

/**
 * A process that dies takes everything with it that it has, and each of these messages counts a crash. Which of them killed it nobody
 * can tell, so none is given up for that: those that were there more than once are put on trial, one at a time in each process,
 * beside whatever is not suspect. That is noted with the message, and only a crash before the end of that turn is its own. The
 * others go back to the store meanwhile. Those come first that died in fewer trials, as far as a process knows them; one that has just begun waits until
 * it does: were it killed again, the same one would not be on trial each time.
 */
export class Suspects {
  private readonly since: number;
  /** When it saw the last of its first minute that it had not seen before. */
  private lastNew: number;
  /** Those that it has seen in that minute. */
  private readonly seen = new Set<string>();
  /** Those that were handed back: after how many deaths, and when, oldest first. */
  private readonly expected = new Map<string, { readonly deaths: number; readonly at: number }>();
  /** The one on trial, by when it began. */
  private running?: { readonly since: number };
  /** When the last of those comes again that had to wait. */
  private last = 0;
  /** Those that had to wait since somebody was told. */
  private waiting = new Set<string>();
  private tellAt = 0;

  /** @param clock may be set back: then nobody waits for it */
  constructor(private readonly clock: Clock) {
    this.since = this.lastNew = clock.now();
  }

  /** Runs the turn, or hands its message back until it may be its turn. */
  async turn(delivery: Delivery, run: () => Promise<Outcome>): Promise<Outcome> {
    const { crashes } = delivery;
    // Of one that is guilty no handler runs.
    if (crashes < SUSPECT || isGuilty(delivery, true)) return run();
    const deaths = deathsOf(delivery);
    const now = this.clock.now();
    const name = nameOf(delivery);
    this.expected.delete(name);
    this.notice(name, now);
    const isBusy = this.running && isWithin(now - this.running.since, ALONE);
    if (isBusy || isWithin(now - this.lastNew, LATER * deaths) || this.isBehind(deaths, now)) {
      return this.later(name, deaths, now);
    }
    const running = { since: now };
    this.running = running;
    try {
      const isNoted = await delivery.noteTrial({ crashes, deaths }).then(
        () => true,
        () => false,
      );
      // The store does not answer, or the message is another process's.
      return isNoted ? await run() : this.later(name, deaths, now);
    } finally {
      if (this.running === running) this.running = undefined;
    }
  }

  private notice(name: string, now: number): void {
    const { seen } = this;
    if (!isWithin(now - this.since, GATHERING)) return seen.clear();
    if (!seen.has(name)) this.lastNew = now;
    seen.add(name);
  }

  /** Whether one is to come again that died in fewer trials. */
  private isBehind(deaths: number, now: number): boolean {
    if (deaths === 0) return false;
    for (const other of this.expected.values()) {
      if (other.deaths < deaths && isWithin(now - other.at, EXPECTED)) return true;
    }
    return false;
  }

  private later(name: string, deaths: number, now: number): Outcome {
    for (const [earlier, { at }] of this.expected) {
      if (isWithin(now - at, EXPECTED)) break;
      this.expected.delete(earlier);
    }
    this.expected.set(name, { deaths, at: now });
    this.count(name, now);
    // The clock was set back.
    if (this.last > now + ALONE) this.last = now;
    this.last = Math.min(Math.max(this.last, now) + APART, now + ALONE);
    return { kind: 'release', delay: this.last - now };
  }

  /** No observer sees them: their turns have not begun. */
  private count(name: string, now: number): void {
    const { waiting } = this;
    const soonest = waiting.size === 0 ? now + SOON : 0;
    this.tellAt = Math.min(Math.max(this.tellAt, soonest), now + SELDOM);
    waiting.add(name);
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

/** Ids are those of one actor. */
function nameOf({ envelope: { actor, id } }: Delivery): string {
  return `${actor} ${id}`;
}

function isWithin(elapsed: number, ms: number): boolean {
  return elapsed >= 0 && elapsed < ms;
}
