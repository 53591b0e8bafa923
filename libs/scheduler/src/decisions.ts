import { MOST_LAST, type CheckedPolicies } from './policies.js';
import { dueTime, nextOccurrence } from './rule/index.js';
import type { OccurrenceOutcome } from './schedule.journal.js';
import type { Definition, ScheduleState } from './schedule.state.js';

/** What becomes of an occurrence, before its overlap with others is looked at. */
export interface Decision {
  nominal: number;
  outcome: Extract<OccurrenceOutcome, 'fired' | 'late' | 'coalesced' | 'missed' | 'paused'>;
}

/**
 * The first of the occurrences that are due, at most `budget` of them, oldest first, and what becomes of each. Those of a definition
 * that another follows are due only up to where that one begins.
 */
export function decideDue(state: ScheduleState, now: number, budget: number): Decision[] {
  const { definition } = state;
  if (!definition) return [];
  const { policies } = definition;
  // A few more than are decided: whether one is among the last that are late depends on those after it.
  const due = dueOccurrences(state, now, budget + lastWanted(policies) + 1);
  const late = due.filter(({ dueAt, isPaused }) => !isPaused && dueAt < now - policies.grace);
  const isWhole = due.length <= budget + lastWanted(policies);
  return due.slice(0, isWhole ? due.length : budget).map(({ nominal, dueAt, isPaused }) => {
    if (isPaused) return { nominal, outcome: 'paused' };
    if (dueAt >= now - policies.grace) return { nominal, outcome: 'fired' };
    return { nominal, outcome: caughtUp(policies, late, nominal, now - dueAt) };
  });
}

interface Due {
  nominal: number;
  dueAt: number;
  isPaused: boolean;
}

function dueOccurrences(state: ScheduleState, now: number, most: number): Due[] {
  const { definition, successors, pause, pauses } = state;
  const found: Due[] = [];
  if (!definition) return found;
  const until = pause ? Math.min(pause.since, now) : now;
  let after = state.watermark;
  while (found.length < most) {
    const nominal = ruleNext(definition, after, state.decided + found.length);
    if (nominal === undefined || nominal > Math.min(until, successors[0]?.from ?? until)) break;
    const dueAt = dueTime(definition.rule, nominal);
    if (dueAt > until) break;
    const isPaused = pauses.some(({ since, until }) => dueAt > since && dueAt <= until);
    found.push({ nominal, dueAt, isPaused });
    after = nominal;
  }
  return found;
}

function lastWanted({ catchUp }: CheckedPolicies): number {
  if (catchUp === 'latest') return 1;
  return typeof catchUp === 'object' && 'last' in catchUp ? Math.min(catchUp.last, MOST_LAST) : 0;
}

/** @param late those that are late, oldest first, as far as they are looked at */
function caughtUp(
  policies: CheckedPolicies,
  late: readonly Due[],
  nominal: number,
  lateness: number,
): 'late' | 'coalesced' | 'missed' {
  const { catchUp } = policies;
  if (catchUp === 'all') return 'late';
  if (catchUp === 'none') return 'missed';
  if (typeof catchUp === 'object' && 'within' in catchUp) {
    return lateness <= catchUp.within ? 'late' : 'missed';
  }
  const last = late.slice(-lastWanted(policies));
  if (last.some((each) => each.nominal === nominal)) return 'late';
  return catchUp === 'latest' ? 'coalesced' : 'missed';
}

/** The next occurrence that a definition has left. @param decided how many it had */
export function ruleNext({ rule }: Definition, after: number, decided: number): number | undefined {
  if (rule.limit !== undefined && decided >= rule.limit) return undefined;
  return nextOccurrence(rule, after);
}
