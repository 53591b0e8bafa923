import type { Engine } from '@callsheet/messaging';
import { Schedule } from './schedule.js';
import type { ScheduleState } from './schedule.state.js';

/** Name of the actor that all schedules are keys of. */
export const SCHEDULES = 'schedules';
/** Name of the actor that keeps what the code declares. */
export const DEPLOYMENTS = 'schedule-deployments';

/** How late, or early, a timer may be before it is thought to be wrong, ms. */
const LATENESS = 5_000;

/** How the problem of a timer begins whose turn has become a dead letter. */
export const FAILED = 'its turn has failed too often';

/** Id of the timer of a schedule: there is one at most. */
export function timerId(schedule: string): string {
  return `due:${schedule}`;
}

/** What is wrong with the timer of a schedule; undefined when nothing is. */
export async function timerProblem(
  engine: Pick<Engine, 'find'>,
  id: string,
  state: ScheduleState,
  now: number,
): Promise<string | undefined> {
  if (!state.definition) return undefined;
  const { timer } = state;
  const wanted = wantedTurn(id, state, now);
  if (wanted === undefined && timer === undefined) return undefined;
  if (timer === undefined) return 'it had no timer';
  const record = await engine.find(timerId(id), [SCHEDULES]);
  if (record?.state === 'dead') {
    return `${FAILED}: ${record.history.at(-1)?.error.message ?? 'nobody knows why'}`;
  }
  if (!record || !['waiting', 'delayed', 'parked', 'active'].includes(record.state)) {
    return 'its timer was gone';
  }
  if (record.state !== 'delayed') return undefined;
  const { dueAt = timer } = record.envelope;
  if (dueAt !== timer) return 'its timer was set to another time';
  if (dueAt < now - LATENESS) return 'its timer was overdue';
  if (wanted !== undefined && wanted < now - LATENESS && now < dueAt) {
    return 'its timer was set too late';
  }
  return undefined;
}

/** What was wrong with a timer that rings; undefined when nothing was. @param at when it was to ring */
export function ringProblem(
  schedule: string,
  { id, now, at }: { id: string; now: number; at: number | undefined },
  { timer }: Pick<ScheduleState, 'timer'>,
): string | undefined {
  if (id !== timerId(schedule)) return 'it had a second timer';
  if (timer === undefined) return 'it had no timer';
  if (at !== undefined && at !== timer) return 'its timer was set to another time';
  if (now < timer - LATENESS) return 'its timer rang too early';
  return undefined;
}

function wantedTurn(id: string, state: ScheduleState, now: number): number | undefined {
  try {
    return new Schedule(id, state, now, '').wantedTurn();
  } catch {
    return now;
  }
}
