import type { JsonObject } from '@callsheet/messaging';
import type { CheckedPolicies } from './policies.js';
import type { CheckedRule } from './rule/index.js';
import type { PreviousRun } from './scheduled.run.js';
import { coming } from './coming.js';
import type { RunOutcome } from './schedule.journal.js';
import {
  latestDefinition,
  revisionOf,
  type RunReason,
  type ScheduleState,
} from './schedule.state.js';

/** A schedule as it is now. */
export interface ScheduleRecord {
  id: string;
  rule: CheckedRule;
  /** What each run is. */
  message: {
    type: string;
    /** Of the data's shape. */
    version: number;
    data: JsonObject;
  };
  policies: CheckedPolicies;
  priority?: number;
  tags: readonly string[];
  description?: string;
  /** The actor in whose code it is declared; absent: it was made through {@link Schedules}. */
  owner?: string;
  /** 'finished': no occurrence is left; 'broken': the next one cannot be computed. */
  state: 'active' | 'paused' | 'finished' | 'broken';
  createdAt: Date;
  changedAt: Date;
  /** Grows with every change of its definition: what a change is made of, see {@link ScheduleChange}. */
  revision: number;
  /** Next nominal time; that of a paused one too. */
  next?: Date;
  pause?: { since: Date; reason: string; until?: Date };
  /** Runs in work, at most 1,000. */
  running: readonly { id: string; nominal: Date; reason: RunReason; startedAt: Date }[];
  /** Occurrences that wait for a run to end. */
  buffered: number;
  /** Runs that failed in a row. */
  failures: number;
  last?: PreviousRun;
  /** What is wrong with it. */
  problem?: string;
}

/** What is known of a schedule. Undefined when there is none. @param now epoch ms */
export function toScheduleRecord(
  id: string,
  state: ScheduleState,
  now: number,
): ScheduleRecord | undefined {
  const definition = latestDefinition(state);
  if (!definition) return undefined;
  const { rule, message, policies, priority, tags, description, owner } = definition;
  const { pause, running, last, failures } = state;
  const [next, problem] = nextOf(state, now);
  return {
    id,
    rule,
    message: { type: message.type, version: message.version, data: message.data as JsonObject },
    policies,
    ...(priority !== undefined && { priority }),
    tags,
    ...(description !== undefined && { description }),
    ...(owner !== undefined && { owner }),
    state: problem ? 'broken' : pause ? 'paused' : next === undefined ? 'finished' : 'active',
    createdAt: new Date(state.createdAt),
    changedAt: new Date(state.changedAt),
    revision: revisionOf(state),
    ...(next && { next }),
    ...(pause && {
      pause: {
        since: new Date(pause.at),
        reason: pause.reason,
        ...(pause.until !== undefined && { until: new Date(pause.until) }),
      },
    }),
    running: running.map(({ id: run, nominal, reason, startedAt }) => ({
      id: run,
      nominal: new Date(nominal),
      reason,
      startedAt: new Date(startedAt),
    })),
    buffered: state.buffer.length,
    failures,
    ...(last && { last: toPreviousRun(last) }),
    ...(problem !== undefined && { problem }),
  };
}

/** Nominal times to come. Of a paused one those that are still to come: those before are decided when the pause ends. */
export function* comingOf(state: ScheduleState, now: number): Generator<Date, void> {
  const seen = state.pause ? { ...state, watermark: Math.max(state.watermark, now) } : state;
  for (const { nominal } of coming(seen)) yield new Date(nominal);
}

function nextOf(
  state: ScheduleState,
  now: number,
): [next: Date | undefined, problem: string | undefined] {
  try {
    const { value } = comingOf(state, now).next();
    return [value || undefined, state.broken];
  } catch (error) {
    return [undefined, (error as Error).message];
  }
}

/** @param last as a schedule keeps it */
function toPreviousRun({
  nominal,
  outcome,
  finishedAt,
  error,
  result,
}: NonNullable<ScheduleState['last']>): PreviousRun {
  return {
    nominal: new Date(nominal),
    outcome: outcome as RunOutcome,
    finishedAt: new Date(finishedAt),
    ...(error && { error }),
    ...(result !== undefined && { result }),
  };
}
