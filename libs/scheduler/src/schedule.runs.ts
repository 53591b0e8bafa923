import { createHash } from 'node:crypto';
import type { Overlap } from './policies.js';
import { nextOccurrence } from './rule/index.js';
import type { OccurrenceOutcome, RunOutcome } from './schedule.journal.js';
import type { ScheduleReport } from './schedule.report.js';
import type {
  Buffered,
  Definition,
  Run,
  RunReason,
  ScheduleState,
  SentAhead,
} from './schedule.state.js';

/** The most runs in work, and occurrences that wait, of which a schedule knows. */
const MOST_RUNS = 1_000;
/** Runs that were found to have ended whose notices may still come, as many as are remembered. */
const MOST_REMEMBERED = 100;
/**
 * From this attempt on runs get other ids: somebody may have used the one that a run was to have for a message of his own, and the
 * schedule would stand still for as long as that is remembered.
 */
const TAKEN_FROM = 3;
/** How long after its start a run is looked for, if nobody has told that it ended, ms. Then after twice that, and so on. */
export const LOOK_AFTER = 30_000;

/** A run to be sent. */
export interface NewRun {
  id: string;
  nominal: number;
  reason: RunReason;
  /** When it may begin; absent: at once. */
  at?: number;
  /** Its schedule is not told of its end before this time; absent: at once. */
  toldFrom?: number;
  /** Nominal time of the occurrence before. */
  previous?: number;
}

/** The end of a run. */
export interface EndedRun {
  id: string;
  outcome: RunOutcome;
  nominal: number;
  startedAt?: number;
  finishedAt: number;
  attempts?: number;
  error?: { name: string; message: string };
  result?: unknown;
}

/** What became of a request for a run. */
export type Admission = 'started' | 'buffered' | 'skipped';

/** The turn in which runs begin and end. */
interface Occasion {
  /** Id of the schedule. */
  schedule: string;
  now: number;
  /** Makes ids of runs that are no occurrences of the rule: the id of the message that asks for them. */
  cause: string;
  /** Number of the attempt: see {@link TAKEN_FROM}. */
  attempt: number;
}

/** The runs of a schedule in one turn of it: those in work, those that wait, those to be sent and to be told to stop. */
export class ScheduleRuns {
  readonly sent: NewRun[] = [];
  readonly cancels: string[] = [];

  constructor(
    private readonly state: ScheduleState,
    private readonly report: ScheduleReport,
    private readonly occasion: Occasion,
  ) {}

  /** Whether no run is in work, and none waits. */
  get isIdle(): boolean {
    return this.atWork().length === 0 && this.state.buffer.length === 0;
  }

  /** Starts a run, or does what the overlap policy says. */
  admit(
    nominal: number,
    reason: RunReason,
    outcome: OccurrenceOutcome,
    overlap: Overlap,
  ): Admission {
    const { buffer } = this.state;
    if (overlap === 'allow' || this.isIdle) return this.start(nominal, reason, outcome);
    switch (overlap) {
      case 'skip':
        return this.skip(nominal, reason);
      case 'buffer-one':
        if (buffer.length > 0) return this.skip(nominal, reason);
        break;
      case 'buffer-all':
        if (buffer.length >= MOST_RUNS) return this.skip(nominal, reason);
        break;
      case 'cancel-other':
        this.makeRoom('cancelled');
        break;
      case 'terminate-other':
        this.makeRoom('terminated');
        return this.start(nominal, reason, outcome);
    }
    buffer.push({ nominal, reason, ...(outcome === 'late' && { isLate: true }) });
    return 'buffered';
  }

  start(nominal: number, reason: RunReason, outcome: OccurrenceOutcome): 'started' {
    const id = this.send(nominal, reason);
    this.report.started(id, nominal, reason, outcome);
    this.note({ id, actor: this.definition.message.actor, nominal, reason }, this.occasion.now);
    return 'started';
  }

  /** Sends the run of the next occurrence before its time. Nobody else may begin one until then. */
  sendAhead(nominal: number, at: number, toldFrom?: number): void {
    const id = this.send(nominal, 'scheduled', at, toldFrom);
    this.state.ahead = { id, actor: this.definition.message.actor, nominal, at };
  }

  /** A run that was sent ahead is in work, if it has not ended already. */
  startAhead({ id, actor, nominal, at }: SentAhead): void {
    const startedAt = Math.min(at, this.occasion.now);
    this.report.started(id, nominal, 'scheduled', 'fired', startedAt);
    this.note({ id, actor, nominal, reason: 'scheduled' }, startedAt);
  }

  /** The first that waits begins when no run is in work. */
  startWaiting(): void {
    const { buffer } = this.state;
    if (this.atWork().length > 0) return;
    const first = buffer.shift();
    if (first) this.start(first.nominal, first.reason, outcomeOf(first));
  }

  /** Those that have taken too long are told to stop. */
  stopOverdue(): void {
    const { now } = this.occasion;
    const late = this.atWork().filter(({ deadline = Infinity }) => deadline <= now);
    this.stop(late, 'timed-out');
  }

  /** @returns why the schedule is to pause, if too many in a row have failed by now */
  ended(run: EndedRun): string | undefined {
    const { state } = this;
    const known = state.running.find(({ id }) => id === run.id);
    if (!known && state.missedEnds.includes(run.id)) {
      state.missedEnds = state.missedEnds.filter((id) => id !== run.id);
      // Its message did not show that.
      if (run.result !== undefined && state.last?.nominal === run.nominal) {
        state.last.result = run.result as never;
      }
      return undefined;
    }
    // Of an earlier life.
    if (!known && run.finishedAt < state.createdAt) return undefined;
    state.running = state.running.filter(({ id }) => id !== run.id);
    const outcome = known?.stopped && run.outcome !== 'succeeded' ? known.stopped : run.outcome;
    const { id, nominal, startedAt, finishedAt, attempts, error, result } = run;
    this.report.rows.push({
      kind: 'end',
      run: id,
      nominal,
      outcome,
      at: finishedAt,
      ...(startedAt !== undefined && { startedAt }),
      ...(attempts !== undefined && { attempts }),
      ...(error && { error }),
    });
    state.last = {
      nominal,
      outcome,
      finishedAt,
      ...(error && { error }),
      ...(result !== undefined && { result: result as never }),
    };
    return this.counted(outcome, error?.message ?? outcome);
  }

  /** A run has ended, as its message shows; its notice may still come. */
  foundEnded(run: EndedRun): string | undefined {
    const { state } = this;
    const reason = this.ended(run);
    state.missedEnds = [...state.missedEnds, run.id].slice(-MOST_REMEMBERED);
    return reason;
  }

  /** When runs in work want a turn of their schedule: to be told to stop. */
  deadlines(): number[] {
    return this.state.running.flatMap(({ deadline, stopped }) =>
      deadline && !stopped ? [deadline] : [],
    );
  }

  /** When they are to be looked for, in case nobody tells that they have ended. */
  looks(): number[] {
    const { now } = this.occasion;
    return this.state.running.map(({ startedAt }) => {
      let wait = LOOK_AFTER;
      while (startedAt + wait < now) wait *= 2;
      return startedAt + wait + 1;
    });
  }

  /** @throws when there is none */
  private get definition(): Definition {
    return definitionOf(this.state, this.occasion.schedule);
  }

  private send(nominal: number, reason: RunReason, at?: number, toldFrom?: number): string {
    const { previous } = this.state;
    const id = this.idOf(nominal, reason);
    this.sent.push({
      id,
      nominal,
      reason,
      ...(at !== undefined && { at }),
      ...(toldFrom !== undefined && { toldFrom }),
      ...(previous !== undefined && { previous }),
    });
    return id;
  }

  private note(run: Omit<Run, 'startedAt'>, startedAt: number): void {
    const { running } = this.state;
    const { timeout } = this.definition.policies;
    running.push({
      ...run,
      startedAt,
      ...(timeout !== undefined && { deadline: startedAt + timeout }),
    });
    if (running.length > MOST_RUNS) running.shift();
  }

  /** The id that a run would have. */
  idOf(nominal: number, reason: RunReason): string {
    const { schedule, cause, attempt } = this.occasion;
    const isOfRule = reason === 'scheduled' || reason === 'catch-up';
    const isSecond = isOfRule && this.state.takenBack.includes(nominal);
    const own = isOfRule ? (isSecond ? ':again' : '') : `:${reason}:${hashOf(cause)}`;
    const anew = attempt < TAKEN_FROM ? '' : `~${attempt}`;
    return `run:${schedule}:${nominal}${own}${anew}`;
  }

  private skip(nominal: number, reason: RunReason): 'skipped' {
    this.report.decided('skipped', nominal, this.state.previous, reason);
    return 'skipped';
  }

  /** Those in work are told to stop, and those that wait do not run. */
  private makeRoom(stopped: 'cancelled' | 'terminated'): void {
    this.stop(this.atWork(), stopped);
    this.report.skipped(this.state.buffer.splice(0), (before, nominal) =>
      this.isNext(before, nominal),
    );
  }

  private isNext(before: number, nominal: number): boolean {
    try {
      return nextOccurrence(this.definition.rule, before) === nominal;
    } catch {
      return false;
    }
  }

  private stop(runs: readonly Run[], stopped: Run['stopped']): void {
    for (const run of runs) {
      if (run.stopped || this.withdraw(run.id)) continue;
      run.stopped = stopped;
      this.cancels.push(run.id);
    }
  }

  /** A run that this very turn was to send cannot be cancelled: it is left out. */
  private withdraw(id: string): boolean {
    const { state, sent } = this;
    const place = sent.findIndex((run) => run.id === id);
    if (place < 0) return false;
    sent.splice(place, 1);
    state.running = state.running.filter((run) => run.id !== id);
    this.report.withdrawn(id);
    return true;
  }

  private counted(outcome: RunOutcome, problem: string): string | undefined {
    const { state, report } = this;
    if (outcome === 'succeeded') state.failures = 0;
    if (outcome !== 'failed' && outcome !== 'timed-out') return undefined;
    state.failures++;
    report.troubles.push({ kind: 'failing', detail: `${state.failures} in a row: ${problem}` });
    const { pauseAfter = Infinity } = state.definition?.policies ?? {};
    if (state.failures < pauseAfter || state.pause) return undefined;
    return `${state.failures} runs in a row failed: ${problem}`;
  }

  /** Those in work that count. */
  private atWork(): Run[] {
    return this.state.running.filter(({ stopped }) => stopped !== 'terminated');
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** What is said of one that has waited. */
function outcomeOf({ reason, isLate }: Buffered): OccurrenceOutcome {
  if (reason === 'backfill') return 'backfilled';
  if (isLate || reason === 'catch-up') return 'late';
  return reason === 'manual' ? 'triggered' : 'fired';
}

/** @throws when there is none: whoever has a turn of a schedule looks first */
export function definitionOf({ definition }: ScheduleState, schedule: string): Definition {
  if (!definition) throw new Error(`there is no schedule '${schedule}'`);
  return definition;
}
