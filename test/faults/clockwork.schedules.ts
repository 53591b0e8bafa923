import { OVERLAPS, type CatchUp, type ScheduleInput } from '../../libs/scheduler/src/index.js';
import { Chime } from './clockwork.actor.js';

const CATCH_UPS: CatchUp[] = ['all', 'latest', 'none', { last: 2 }, { within: '4s' }];

export interface ApiOptions {
  /** How many schedules there are, and the seconds between two occurrences of each, as they were made. */
  count: number;
  seconds: readonly number[];
  takes: readonly number[];
  /** What it chooses with. */
  seed: number;
}

/** The id of the n-th schedule. */
export function idOf(n: number): string {
  return `clock-${n}`;
}

/** What the n-th schedule is made of: all policies, in turn. */
export function inputOf(
  n: number,
  seconds: readonly number[],
  takes: readonly number[],
): ScheduleInput {
  return {
    every: `${seconds[n % seconds.length] ?? 1}s`,
    overlap: OVERLAPS[n % OVERLAPS.length]!,
    catchUp: CATCH_UPS[n % CATCH_UPS.length]!,
    grace: '1s',
    message: new Chime({ takes: takes[n % takes.length] ?? 0 }),
  };
}
