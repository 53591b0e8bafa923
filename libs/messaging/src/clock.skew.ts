import { Logger } from '@nestjs/common';
import { StoreError } from './messaging.errors.js';

/** One look at the clock of a store between two at that of the process: epoch milliseconds. */
export interface ClockReading {
  before: number;
  storeTime: number;
  after: number;
}

/** How far the clocks may be apart until it is warned, and until the store is refused, ms. */
export const CLOCK_SKEW = { warn: 500, refuse: 5_000 };

/** A round trip that took longer hides a skew of its length, ms: it is measured again, so often at most. */
const QUICK = 100;
const MOST_READINGS = 3;

/** What a skew means: nothing, a warning, or that the store cannot be used. */
export type SkewVerdict = 'ok' | { warning: string } | StoreError;

/**
 * The least that the clock of the process is ahead (below 0: behind) of the store's, ms: the store read its own somewhere
 * between the two looks at ours, so a slow answer alone is no skew.
 */
export function skewOf({ before, storeTime, after }: ClockReading): number {
  // A clock that was set back meanwhile.
  const [first, last] = before <= after ? [before, after] : [after, before];
  if (storeTime < first) return first - storeTime;
  return storeTime > last ? last - storeTime : 0;
}

/**
 * What is to be said of a reading. Over 500 ms: a warning. Over 5 s, and of a store that tells no time: a StoreError.
 *
 * @param store as a person would name it
 */
export function judgeSkew(store: string, reading: ClockReading): SkewVerdict {
  if (!Number.isFinite(reading.storeTime)) {
    return new StoreError(`${store} does not tell what time it is`);
  }
  const skew = skewOf(reading);
  const apart = Math.abs(skew);
  if (apart <= CLOCK_SKEW.warn) return 'ok';
  const found = `the clock of this process is ${durationOf(apart)} ${skew > 0 ? 'ahead of' : 'behind'} that of ${store}`;
  if (apart <= CLOCK_SKEW.refuse) {
    return {
      warning: `${found}: delays, deadlines and schedules are off by as much; synchronize the clocks (NTP)`,
    };
  }
  return new StoreError(
    `${found}, and at most ${durationOf(CLOCK_SKEW.refuse)} are allowed: messages would be handled too early or too late; synchronize the clocks (NTP), then start again`,
  );
}

/**
 * Compares the clock of the process with that of a store, and warns when they are apart.
 *
 * @param storeTime asks the store what time it is, epoch milliseconds
 * @param now the clock of the process
 * @throws StoreError when they are too far apart; whatever `storeTime` rejects with
 */
export async function checkClock(
  store: string,
  storeTime: () => Promise<number>,
  now: () => number = Date.now,
): Promise<void> {
  const verdict = judgeSkew(store, await read(storeTime, now));
  if (verdict instanceof StoreError) throw verdict;
  if (verdict !== 'ok') new Logger('Callsheet').warn(verdict.warning);
}

/** The quickest of a few: the first connection to a busy store may take long to answer. */
async function read(storeTime: () => Promise<number>, now: () => number): Promise<ClockReading> {
  let best: ClockReading | undefined;
  for (let n = 0; n < MOST_READINGS; n++) {
    const before = now();
    const reading = { before, storeTime: await storeTime(), after: now() };
    if (!best || lengthOf(reading) < lengthOf(best)) best = reading;
    if (lengthOf(best) <= QUICK) break;
  }
  return best as ClockReading;
}

function lengthOf({ before, after }: ClockReading): number {
  return Math.abs(after - before);
}

function durationOf(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}
