import type { Delivery, JsonObject } from '@callsheet/messaging';
import { nextOccurrence, type CheckedRule } from './rule/index.js';
import type { RunOutcome } from './schedule.journal.js';
import type { NewRun } from './schedule.runs.js';
import type { RunReason, ScheduleState } from './schedule.state.js';

/** How many coming occurrences a run knows. */
const COMING = 5;

/** What a run knows of the one that ended before it was started. */
export interface PreviousRun {
  readonly nominal: Date;
  readonly outcome: RunOutcome;
  readonly finishedAt: Date;
  readonly error?: { readonly name: string; readonly message: string };
  /** What its handler returned, if that was JSON of at most 4 KiB. */
  readonly result?: unknown;
}

/** What a method with `@Cron`, `@Every` or `@At` gets: one run of its schedule. */
export class ScheduledRun {
  /** Id of the schedule. */
  readonly schedule: string;
  /** The time that the rule says; of a run that somebody asked for, when he did. */
  readonly nominal: Date;
  /** When this attempt started. */
  readonly actual: Date;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  /** Why it runs: the rule says so, it is caught up, somebody asked for a run, or for those of a range of time. */
  readonly reason: RunReason;
  /** Nominal time of the occurrence before this one. */
  readonly previous: Date | undefined;
  /** The run that ended last before this one was started. */
  readonly last: PreviousRun | undefined;
  readonly #rule: CheckedRule | undefined;
  readonly #left: number;

  /** @param data as {@link runData} has made it */
  constructor(data: JsonObject, { occurrence, startedAt, attempt }: Attempt) {
    const { schedule, reason, previous, last, rule, left = COMING } = data as unknown as RunData;
    this.schedule = schedule;
    this.nominal = new Date(occurrence);
    this.actual = new Date(startedAt);
    this.attempt = attempt;
    this.reason = reason;
    this.previous = previous === undefined ? undefined : new Date(previous);
    this.last = last && {
      ...last,
      outcome: last.outcome as RunOutcome,
      nominal: new Date(last.nominal),
      finishedAt: new Date(last.finishedAt),
    };
    this.#rule = rule;
    this.#left = left;
  }

  /** How late this attempt started, ms. */
  get drift(): number {
    return this.actual.getTime() - this.nominal.getTime();
  }

  /** The next five nominal times after this one, fewer when the schedule ends before. */
  get next(): readonly Date[] {
    const found: Date[] = [];
    let after = this.nominal.getTime();
    while (this.#rule && found.length < Math.min(COMING, this.#left)) {
      const nominal = nextOccurrence(this.#rule, after);
      if (nominal === undefined) break;
      found.push(new Date(nominal));
      after = nominal;
    }
    return found;
  }
}

interface Attempt {
  /** Nominal time, epoch ms. */
  occurrence: number;
  startedAt: number;
  attempt: number;
}

interface RunData {
  schedule: string;
  reason: RunReason;
  previous?: number;
  last?: ScheduleState['last'];
  rule?: CheckedRule;
  /** How many occurrences come after this one; absent: enough. */
  left?: number;
}

/** What travels to a method with a decorator. @param previous nominal time of the occurrence before */
export function runData(schedule: string, run: NewRun, state: ScheduleState): JsonObject {
  const { definition, decided, last } = state;
  const { rule } = definition ?? {};
  // It is still to be counted.
  const undecided = run.at === undefined ? 0 : 1;
  const data: RunData = {
    schedule,
    reason: run.reason,
    ...(run.previous !== undefined && { previous: run.previous }),
    ...(last && { last }),
    ...(rule && { rule }),
    ...(rule?.limit !== undefined && { left: Math.max(0, rule.limit - decided - undecided) }),
  };
  return data as unknown as JsonObject;
}

/** What every message that a schedule sends has among its headers. */
export function runHeaders(schedule: string, { reason }: NewRun): Record<string, string> {
  return { schedule, 'schedule-reason': reason };
}

/** Opens what travels to a method with a decorator. */
export function openRun({ envelope, occurrence, startedAt, attempt }: Delivery): ScheduledRun {
  const nominal = occurrence ?? envelope.sentAt;
  return new ScheduledRun(envelope.data, { occurrence: nominal, startedAt, attempt });
}

/** What {@link testRun} may be told. */
export type TestRunOptions = Partial<
  Pick<ScheduledRun, 'schedule' | 'nominal' | 'actual' | 'attempt' | 'reason'>
>;

/** A run for tests that call a scheduled method themselves. Without options: of 'test', nominal and actual now. */
export function testRun(options: TestRunOptions = {}): ScheduledRun {
  const { schedule = 'test', actual = new Date(), attempt = 1, reason = 'scheduled' } = options;
  const { nominal = actual } = options;
  return new ScheduledRun(
    { schedule, reason },
    { occurrence: nominal.getTime(), startedAt: actual.getTime(), attempt },
  );
}
