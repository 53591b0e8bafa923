import {
  checkPolicies,
  type CatchUp,
  type SchedulePolicies,
} from '../../libs/scheduler/src/policies.js';
import { checkRule, type ScheduleRule } from '../../libs/scheduler/src/rule/index.js';
import { Schedule } from '../../libs/scheduler/src/schedule.js';
import type { OccurrenceRow, ScheduleRow } from '../../libs/scheduler/src/schedule.journal.js';
import { scheduleState, type Definition } from '../../libs/scheduler/src/schedule.state.js';

/** One of each kind. */
export const CATCH_UPS: readonly CatchUp[] = [
  'none',
  'latest',
  'all',
  { last: 3 },
  { within: '2h' },
];

/** When all begins. */
export const T0 = Date.UTC(2026, 0, 1);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export function definitionOf(rule: ScheduleRule, policies: SchedulePolicies = {}): Definition {
  return {
    rule: checkRule(rule, '', 's'),
    message: { type: 'mail.send', actor: 'mail', version: 1, data: {} },
    policies: checkPolicies(policies, ''),
    tags: [],
  };
}

/** A schedule with a clock, a journal, and runs that end when told to. */
export class Stage {
  now = T0;
  state = scheduleState.parse({});
  readonly rows: ScheduleRow[] = [];
  /** Ids of runs, without those that were taken back. */
  readonly sent: string[] = [];
  /** Of those that were sent ahead, which have begun while the schedule had no turn. */
  readonly begun = new Set<string>();
  /** Those that were taken back. */
  private readonly gone = new Set<string>();
  readonly cancelled: string[] = [];
  readonly troubles: string[] = [];
  private turns = 0;

  /** One turn. @param isChanging whether it is for somebody who changes something; default: when there is `work` */
  turn<T>(work?: (schedule: Schedule) => T, isChanging = work !== undefined): T {
    const schedule = new Schedule('s', structuredClone(this.state), this.now, `c${this.turns++}`);
    const { ahead } = schedule.state;
    if (ahead && schedule.isDoubtful(isChanging)) {
      if (schedule.isBeginning || this.begun.has(ahead.id)) schedule.begin();
      else {
        schedule.takenBack(ahead.nominal);
        this.sent.splice(this.sent.indexOf(ahead.id), 1);
        this.gone.add(ahead.id);
      }
    }
    schedule.beginDue();
    const answer = work?.(schedule) as T;
    const timer = schedule.settle();
    this.state = scheduleState.parse(JSON.parse(JSON.stringify(schedule.state)));
    this.state.timer = timer;
    this.rows.push(...schedule.report.rows);
    for (const { id } of schedule.runs.sent) {
      // A store would take it for the one that was taken back, and store nothing.
      if (this.gone.has(id)) throw new Error(`'${id}' was sent again after it had been taken back`);
      this.sent.push(id);
    }
    this.cancelled.push(...schedule.runs.cancels);
    this.troubles.push(...schedule.report.troubles.map(({ kind }) => kind));
    return answer;
  }

  /** Time goes by, and the timer rings whenever it is due. */
  advance(to: number): void {
    for (let turns = 0; turns < 10_000; turns++) {
      const { timer = Infinity } = this.state;
      if (timer > to) break;
      this.now = Math.max(this.now, timer);
      this.turn();
    }
    this.now = to;
    // It has begun, and whoever looks sees so after a second.
    if ((this.state.ahead?.at ?? Infinity) <= to) this.turn();
  }

  /** Time goes by and nothing rings. @param isBegun whether what was sent ahead begins all the same */
  sleep(to: number, isBegun = false): void {
    this.now = to;
    const { ahead } = this.state;
    if (isBegun && ahead && ahead.at <= to) this.begun.add(ahead.id);
  }

  end(id: string, outcome: 'succeeded' | 'failed' | 'cancelled' = 'succeeded'): void {
    const nominal = Number(id.split(':')[2]);
    const error = outcome === 'failed' ? { error: { name: 'Error', message: 'no' } } : {};
    const run = { id, outcome, nominal, startedAt: this.now, finishedAt: this.now, attempts: 1 };
    this.turn((schedule) => schedule.ended({ ...run, ...error }), false);
  }

  /** Ends whatever is in work. */
  endAll(): void {
    for (let rounds = 0; rounds < 10_000; rounds++) {
      const [run] = this.state.running;
      if (!run) return;
      this.end(run.id, run.stopped ? 'cancelled' : 'succeeded');
    }
  }

  decisions(): { nominal: number; outcome: string; count: number }[] {
    return this.rows
      .filter((row): row is OccurrenceRow => row.kind === 'occurrence')
      .map(({ nominal, outcome, count = 1 }) => ({ nominal, outcome, count }));
  }

  outcomes(): string[] {
    return this.decisions().flatMap(({ outcome, count }) => Array<string>(count).fill(outcome));
  }
}

/** A schedule that has just been made. */
export function staged(rule: ScheduleRule, policies: SchedulePolicies = {}): Stage {
  const stage = new Stage();
  stage.turn((schedule) => schedule.put(definitionOf(rule, policies)));
  return stage;
}
