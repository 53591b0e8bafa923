import { when, type Check } from './check.js';

/** How far the clock of this process is ahead of that of the store, ms; below 0: behind. */
export interface Skewed {
  skew: number;
}

const WARN_OVER = 500;
const REFUSE_OVER = 5_000;
const FIX = 'synchronize the clocks (NTP): delays, deadlines and schedules are off by as much';

/** As processes themselves judge it at their start. */
export const CLOCK: readonly Check<Skewed>[] = [
  {
    id: 'clock-apart',
    severity: 'error',
    find: ({ skew }) =>
      when(Math.abs(skew) > REFUSE_OVER, `${said(skew)}: processes refuse to start`),
    fix: FIX,
  },
  {
    id: 'clock-drifts',
    severity: 'warning',
    find: ({ skew }) =>
      when(Math.abs(skew) > WARN_OVER && Math.abs(skew) <= REFUSE_OVER, said(skew)),
    fix: FIX,
  },
];

/** The least that the clocks are apart: the store read its own somewhere between two looks at ours. */
export async function skewTo(store: () => Promise<number>, now: () => number): Promise<number> {
  const before = now();
  const time = await store();
  const after = now();
  if (time < before) return before - time;
  return time > after ? after - time : 0;
}

function said(skew: number): string {
  return `the clock here is ${Math.round(Math.abs(skew))} ms ${skew > 0 ? 'ahead of' : 'behind'} that of the store`;
}
