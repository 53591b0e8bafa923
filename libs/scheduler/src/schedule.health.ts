import type { ScheduleState } from './schedule.state.js';

/** How far the clock of a store may go back, ms. */
const SET_BACK = 5_000;

/** What is wrong with the state of a schedule, whatever its timer; undefined when nothing can be seen. */
export function stateProblem(state: ScheduleState, now: number): string | undefined {
  if (state.damage) return state.damage.isTold ? undefined : state.damage.problem;
  if (!state.definition) return undefined;
  const decided = decidedUpTo(state);
  if (state.watermark < decided) return 'what was decided was to be decided again';
  if (state.watermark > Math.max(now + SET_BACK, decided)) return 'what is to come was decided';
  return undefined;
}

/** Up to when everything is decided, as the rest of the state tells. */
export function decidedUpTo({
  previous = 0,
  createdAt,
  changedAt,
  successors,
}: ScheduleState): number {
  return Math.max(previous, createdAt, successors.length === 0 ? changedAt : 0);
}
