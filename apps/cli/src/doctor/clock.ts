import { CLOCK_SKEW, skewOf } from '@callsheet/messaging';
import { when, type Check } from './check.js';

/** How far the clock of this process is ahead of that of the store, ms; below 0: behind. */
export interface Skewed {
  skew: number;
}

const FIX = 'synchronize the clocks (NTP): delays, deadlines and schedules are off by as much';

/** As processes themselves judge it at their start. */
export const CLOCK: readonly Check<Skewed>[] = [
  {
    id: 'clock-apart',
    severity: 'error',
    find: ({ skew }) =>
      when(Math.abs(skew) > CLOCK_SKEW.refuse, `${said(skew)}: processes refuse to start`),
    fix: FIX,
  },
  {
    id: 'clock-drifts',
    severity: 'warning',
    find: ({ skew }) =>
      when(Math.abs(skew) > CLOCK_SKEW.warn && Math.abs(skew) <= CLOCK_SKEW.refuse, said(skew)),
    fix: FIX,
  },
];

export async function skewTo(store: () => Promise<number>, now: () => number): Promise<number> {
  const before = now();
  const storeTime = await store();
  return skewOf({ before, storeTime, after: now() });
}

function said(skew: number): string {
  return `the clock here is ${Math.round(Math.abs(skew))} ms ${skew > 0 ? 'ahead of' : 'behind'} that of the store`;
}
