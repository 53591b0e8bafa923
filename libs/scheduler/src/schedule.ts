import { RejectError } from '@callsheet/messaging';
import { isDeepStrictEqual } from 'node:util';
import { decideDue, ruleNext, type Decision } from './decisions.js';
import type { Overlap } from './policies.js';
import { dueTime, nextOccurrence, type CheckedRule } from './rule/index.js';
import type {
  OccurrenceOutcome,
  OccurrenceRow,
  RunOutcome,
  ScheduleRow,
} from './schedule.journal.js';
import type { Buffered, Definition, Run, RunReason, ScheduleState } from './schedule.state.js';
import type { Trouble } from './schedule.trouble.js';

/** The most runs in work, and occurrences that wait, of which a schedule knows. */
export const MOST_RUNS = 1_000;
/** Backfills under way, and those that are remembered. */
const MOST_BACKFILLS = 10;
const MOST_REMEMBERED = 100;
/** Occurrences that are decided in one turn, and backfilled runs that are started. */
const AT_ONCE = 500;
/** Edits that wait until occurrences of the definition before them are decided. */
const MOST_EDITS = 20;
/**
 * From this attempt on runs get other ids: somebody may have used the one that a run was to have for a message of his own, and the
 * schedule would stand still for as long as that is remembered.
 */
const TAKEN_FROM = 3;
/** A timer is never set farther: a message may not be due later than in a year. */
const HORIZON = 300 * 86_400_000;
/** How long after its start a run is looked for, if nobody has told that it ended, ms. Then after twice that, and so on. */
export const LOOK_AFTER = 30_000;
/** How soon a rule that cannot be computed is tried again. */
const BROKEN_RETRY = 60_000;

/** A run to be sent. */
export interface NewRun {
  id: string;
  nominal: number;
  reason: RunReason;
  /** Nominal time of the occurrence before. */
  previous?: number;
}

/** An occurrence that is still to come. */
export interface Coming {
  nominal: number;
  rule: CheckedRule;
}

/** What became of a request for a run. */
export type Started = { outcome: 'started'; run: string } | { outcome: 'buffered' | 'skipped' };

/**
 * One turn of a schedule: what happens to it, as a change of its state and what is to be done beside. Computes only; the
 * actor around it sends, cancels, journals and tells, all in the commit of the turn.
 */
export class Schedule {
  readonly runs: NewRun[] = [];
  readonly cancels: string[] = [];
  readonly rows: ScheduleRow[] = [];
  readonly troubles: Trouble[] = [];
  /** How many more occurrences may be decided: each may leave a row, and a turn can leave only so many. */
  private budget = AT_ONCE;

  constructor(
    readonly id: string,
    readonly state: ScheduleState,
    readonly now: number,
    /** Makes ids of runs that are no occurrences of the rule: the id of the message that asks for them. */
    private readonly cause: string,
    /** Number of the attempt: see {@link TAKEN_FROM}. */
    private readonly attempt = 1,
  ) {}

  /** Gives the schedule its definition, or another one. Occurrences that are due under the old one still come. */
  put(definition: Definition): 'created' | 'changed' | 'unchanged' {
    const { state, now } = this;
    const current = latestDefinition(state);
    if (isDeepStrictEqual(current, definition)) return 'unchanged';
    state.changedAt = now;
    state.broken = undefined;
    if (!state.definition) {
      state.definition = definition;
      // What is known of an earlier life goes on.
      state.createdAt ||= now;
      state.watermark ||= now;
      state.changedAt = state.watermark;
      this.note('created');
      return 'created';
    }
    if (state.successors.length >= MOST_EDITS) {
      // Trying again would hold up the schedule, and with it the occurrence.
      throw new RejectError(
        `'${this.id}' has been edited too often while an occurrence is still to come: edit it when that has run`,
      );
    }
    state.successors.push({ definition, from: now });
    this.note('changed');
    return 'changed';
  }

  /** Gives it the definition that it should have had all the time. */
  correct(definition: Definition): 'created' | 'changed' | 'unchanged' {
    const { state } = this;
    if (!state.definition) return this.put(definition);
    if (isDeepStrictEqual(latestDefinition(state), definition)) return 'unchanged';
    const successor = state.successors.at(-1);
    if (successor) successor.definition = definition;
    else state.definition = definition;
    state.broken = undefined;
    return 'changed';
  }

  /** Sets right what cannot be so, whoever has done it; answers what that was. */
  mend(): string | undefined {
    const { state, now } = this;
    const problem = stateProblem(state, now);
    if (problem !== undefined) state.watermark = decidedUpTo(state);
    return problem;
  }

  pause(reason: string, until?: number, isOurs = false): void {
    const { state, now } = this;
    this.decide();
    state.pause = {
      at: state.pause?.at ?? now,
      since: state.pause?.since ?? now,
      reason,
      ...(until !== undefined && { until }),
      ...(isOurs && { isOurs }),
    };
    this.note('paused', reason);
  }

  resume(): boolean {
    if (!this.state.pause) return false;
    this.endPause(this.now);
    return true;
  }

  /** A run now, beside those of the rule. */
  trigger(overlap: Overlap | undefined): Started {
    const policy = overlap ?? this.definition.policies.overlap;
    const outcome = this.admit(this.now, 'manual', 'triggered', policy);
    const last = this.runs.at(-1);
    return outcome === 'started' && last
      ? { outcome, run: last.id }
      : { outcome: outcome as 'skipped' };
  }

  /** Runs for the occurrences after `from` up to `to`, one after the other, or side by side. Once for one id. */
  backfill(id: string, from: number, to: number, isParallel: boolean): 'begun' | 'known' | 'full' {
    const { backfills, backfilled } = this.state;
    if (backfilled.includes(id) || backfills.some((each) => each.id === id)) return 'known';
    if (backfills.length >= MOST_BACKFILLS) return 'full';
    backfills.push({ id, at: from, to, ...(isParallel && { isParallel }) });
    return 'begun';
  }

  /** A run has ended. */
  ended(run: {
    id: string;
    outcome: RunOutcome;
    nominal: number;
    startedAt?: number;
    finishedAt: number;
    attempts?: number;
    error?: { name: string; message: string };
    result?: unknown;
  }): void {
    const { state } = this;
    const known = state.running.find(({ id }) => id === run.id);
    if (!known && state.missedEnds.includes(run.id)) {
      state.missedEnds = state.missedEnds.filter((id) => id !== run.id);
      return;
    }
    state.running = state.running.filter(({ id }) => id !== run.id);
    const outcome = known?.stopped && run.outcome !== 'succeeded' ? known.stopped : run.outcome;
    const { id, nominal, startedAt, finishedAt, attempts, error, result } = run;
    this.rows.push({
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
    if (outcome === 'succeeded') state.failures = 0;
    if (outcome !== 'failed' && outcome !== 'timed-out') return;
    state.failures++;
    const problem = error?.message ?? outcome;
    this.troubles.push({ kind: 'failing', detail: `${state.failures} in a row: ${problem}` });
    const { pauseAfter } = state.definition?.policies ?? {};
    if (pauseAfter === undefined || state.failures < pauseAfter || state.pause) return;
    const reason = `${state.failures} runs in a row failed: ${problem}`;
    this.pause(reason, undefined, true);
    this.troubles.push({ kind: 'paused', detail: reason });
  }

  /** A run has ended, as its message shows; its notice may still come. */
  foundEnded(run: Parameters<Schedule['ended']>[0]): void {
    const { state } = this;
    this.ended(run);
    state.missedEnds = [...state.missedEnds, run.id].slice(-MOST_REMEMBERED);
  }

  /** Somebody has found it in a state that it should not be in. */
  heal(problem: string): void {
    // One damage shows in several ways.
    if (this.troubles.some(({ kind }) => kind === 'healed')) return;
    this.rows.push({ kind: 'note', what: 'healed', at: this.now, detail: problem });
    this.troubles.push({ kind: 'healed', detail: problem });
  }

  /** Does what is due, and answers when the schedule wants its next turn; undefined: when somebody tells it something. */
  settle(): number | undefined {
    const { state, now } = this;
    if (!state.definition) return undefined;
    const { pause } = state;
    if (pause?.until !== undefined && pause.until <= now) this.endPause(pause.until);
    else if (pause) this.pausedUntil(now);
    this.stopOverdue();
    const isMore = this.decide();
    this.startBuffered();
    const isFilling = this.fill();
    return isMore || isFilling ? now : this.nextTurn();
  }

  /** Nominal time of the next occurrence. */
  next(): number | undefined {
    return this.upcoming()?.nominal;
  }

  private upcoming(): Coming | undefined {
    const { value } = this.coming().next();
    return value || undefined;
  }

  /** The occurrences that are not decided yet, of this definition and of those that follow it. */
  *coming(): Generator<Coming, void> {
    const { definition, successors, watermark, decided } = this.state;
    if (!definition) return;
    let [current, after, count] = [definition, watermark, decided];
    for (const successor of [...successors, undefined]) {
      for (;;) {
        const nominal = ruleNext(current, after, count);
        if (nominal === undefined || nominal > (successor?.from ?? Infinity)) break;
        yield { nominal, rule: current.rule };
        [after, count] = [nominal, count + 1];
      }
      if (!successor) return;
      if (!isSameRule(current, successor.definition)) count = 0;
      [current, after] = [successor.definition, Math.max(after, successor.from)];
    }
  }

  private get definition(): Definition {
    const { definition } = this.state;
    if (!definition) throw new Error(`there is no schedule '${this.id}'`);
    return definition;
  }

  /** Decides occurrences that are due; answers whether more of them are left. */
  private decide(): boolean {
    const { state, now } = this;
    try {
      while (this.budget > 0) {
        const decisions = decideDue(state, now, this.budget);
        for (const decision of decisions) this.carryOut(decision);
        this.budget -= decisions.length;
        if (decisions.length > 0) continue;
        if (!this.succeed()) break;
      }
      state.broken = undefined;
      const due = this.nextDue();
      return due !== undefined && due <= (state.pause?.since ?? now);
    } catch (error) {
      this.breakDown(error as Error);
      if (state.successors.length === 0) return false;
      // Nobody can tell what was still to come of it.
      this.replace();
      return this.decide();
    }
  }

  /** A definition whose occurrences are all decided gives way to the one after it. */
  private succeed(): boolean {
    const { state } = this;
    const [successor] = state.successors;
    if (!successor) return false;
    const next = ruleNext(this.definition, state.watermark, state.decided);
    if (next !== undefined && next <= successor.from) return false;
    this.replace();
    return true;
  }

  private replace(): void {
    const { state } = this;
    const successor = state.successors.shift();
    if (!successor) return;
    // Its counting goes on where only something else of it changed.
    if (!isSameRule(this.definition, successor.definition)) state.decided = 0;
    state.definition = successor.definition;
    state.watermark = Math.max(state.watermark, successor.from);
  }

  private carryOut({ nominal, outcome }: Decision): void {
    const { state } = this;
    state.watermark = nominal;
    state.decided++;
    state.pauses = state.pauses.filter(({ until }) => until > nominal);
    if (outcome === 'fired' || outcome === 'late') {
      if (outcome === 'late') this.tell('late', nominal);
      const reason = outcome === 'late' ? 'catch-up' : 'scheduled';
      this.admit(nominal, reason, outcome, this.definition.policies.overlap);
    } else {
      if (outcome === 'missed' || outcome === 'coalesced') this.tell('missed', nominal);
      this.record(outcome, nominal);
    }
    state.previous = nominal;
  }

  /** Starts a run, or does what its overlap policy says. */
  private admit(
    nominal: number,
    reason: RunReason,
    outcome: OccurrenceOutcome,
    overlap: Overlap,
  ): 'started' | 'buffered' | 'skipped' {
    const { buffer } = this.state;
    const others = this.atWork();
    if (overlap === 'allow' || (others.length === 0 && buffer.length === 0)) {
      return this.start(nominal, reason, outcome);
    }
    const waiting = { nominal, reason, ...(outcome === 'late' && { isLate: true }) };
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
        this.stop(others, 'cancelled');
        this.empty(buffer);
        break;
      case 'terminate-other':
        this.stop(others, 'terminated');
        this.empty(buffer);
        return this.start(nominal, reason, outcome);
    }
    buffer.push(waiting);
    return 'buffered';
  }

  private start(nominal: number, reason: RunReason, outcome: OccurrenceOutcome): 'started' {
    const { state, now, cause } = this;
    const { timeout } = this.definition.policies;
    const isOfRule = reason === 'scheduled' || reason === 'catch-up';
    const own = isOfRule ? '' : `:${reason}:${cause}`;
    const anew = this.attempt < TAKEN_FROM ? '' : `~${this.attempt}`;
    const id = `run:${this.id}:${nominal}${own}${anew}`;
    const { previous } = state;
    this.runs.push({ id, nominal, reason, ...(previous !== undefined && { previous }) });
    state.running.push({
      id,
      actor: this.definition.message.actor,
      nominal,
      reason,
      startedAt: now,
      ...(timeout !== undefined && { deadline: now + timeout }),
    });
    if (state.running.length > MOST_RUNS) state.running.shift();
    this.rows.push({ kind: 'occurrence', outcome, nominal, at: now, run: id, reason });
    return 'started';
  }

  private skip(nominal: number, reason: RunReason): 'skipped' {
    this.record('skipped', nominal, reason);
    return 'skipped';
  }

  /** Those that waited do not run. Of a thousand, most follow each other, and are one row. */
  private empty(buffer: Buffered[]): void {
    let row: OccurrenceRow | undefined;
    for (const { nominal, reason } of buffer.splice(0)) {
      const last = row?.until ?? row?.nominal;
      if (row?.reason === reason && last !== undefined && this.isNext(last, nominal)) {
        Object.assign(row, { until: nominal, count: (row.count ?? 1) + 1 });
      } else {
        row = { kind: 'occurrence', outcome: 'skipped', nominal, at: this.now, reason };
        this.rows.push(row);
      }
    }
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
    const { state, runs, rows } = this;
    const place = runs.findIndex((run) => run.id === id);
    if (place < 0) return false;
    runs.splice(place, 1);
    state.running = state.running.filter((run) => run.id !== id);
    const row = rows.find((each) => each.kind === 'occurrence' && each.run === id);
    if (row?.kind === 'occurrence') {
      row.outcome = 'skipped';
      delete row.run;
    }
    return true;
  }

  private stopOverdue(): void {
    const late = this.atWork().filter(({ deadline = Infinity }) => deadline <= this.now);
    this.stop(late, 'timed-out');
  }

  private startBuffered(): void {
    const { buffer, pause } = this.state;
    const [first] = buffer;
    if (!first || pause || this.atWork().length > 0) return;
    buffer.shift();
    const { nominal, reason, isLate } = first;
    const outcomes = { scheduled: 'fired', 'catch-up': 'late', manual: 'triggered' } as const;
    if (reason === 'backfill') this.start(nominal, reason, 'backfilled');
    else this.start(nominal, reason, isLate ? 'late' : outcomes[reason]);
  }

  /** Goes on with the first backfill; answers whether more of it can be done at once. */
  private fill(): boolean {
    try {
      return this.goOnFilling();
    } catch (error) {
      this.breakDown(error as Error);
      return false;
    }
  }

  private goOnFilling(): boolean {
    const { state } = this;
    while (this.budget > 0) {
      const [backfill] = state.backfills;
      if (!backfill) return false;
      const isBusy = this.atWork().length > 0 || state.buffer.length > 0;
      if (isBusy && !backfill.isParallel) return false;
      const nominal = nextOccurrence(this.definition.rule, backfill.at);
      if (nominal === undefined || nominal > backfill.to) {
        state.backfills.shift();
        state.backfilled = [...state.backfilled, backfill.id].slice(-MOST_REMEMBERED);
        continue;
      }
      backfill.at = nominal;
      this.start(nominal, 'backfill', 'backfilled');
      this.budget--;
    }
    return true;
  }

  private endPause(until: number): void {
    const { state } = this;
    this.pausedUntil(until);
    if (state.pause?.isOurs) state.failures = 0;
    state.pause = undefined;
    this.note('resumed');
  }

  /** What is due in the pause up to then can be decided. */
  private pausedUntil(until: number): void {
    const { pause, pauses } = this.state;
    if (!pause || until <= pause.since) return;
    const last = pauses.at(-1);
    // More than anybody needs: then those between the last two count as paused too.
    if (last && (last.until === pause.since || pauses.length >= MOST_REMEMBERED))
      last.until = until;
    else pauses.push({ since: pause.since, until });
    pause.since = until;
  }

  /** When it wants its next turn; undefined: when somebody tells it something. */
  private nextTurn(): number | undefined {
    const wanted = this.wantedTurn();
    return wanted && Math.min(Math.max(this.now, wanted), this.now + HORIZON);
  }

  /** When it should have its next turn, or should have had it. */
  wantedTurn(): number | undefined {
    const { pause, running, broken } = this.state;
    const times: number[] = [];
    if (pause?.until !== undefined) times.push(pause.until);
    for (const { deadline, stopped } of running) if (deadline && !stopped) times.push(deadline);
    if (broken !== undefined) times.push(this.now + BROKEN_RETRY);
    else if (!pause) {
      const due = this.nextDue();
      if (due !== undefined) times.push(due);
    }
    // One that was cancelled before it began, or removed, tells nobody: what waits for it would wait for ever.
    const isAwaited = this.state.buffer.length > 0 || this.state.backfills.length > 0;
    if (isAwaited || times.length === 0) times.push(...running.map((run) => this.nextLook(run)));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  private nextLook({ startedAt }: Run): number {
    let wait = LOOK_AFTER;
    while (startedAt + wait < this.now) wait *= 2;
    return startedAt + wait + 1;
  }

  private nextDue(): number | undefined {
    const next = this.upcoming();
    return next && dueTime(next.rule, next.nominal);
  }

  /** Those in work that count. */
  private atWork(): Run[] {
    return this.state.running.filter(({ stopped }) => stopped !== 'terminated');
  }

  /** Equal decisions about occurrences that follow each other are one row. */
  private record(outcome: OccurrenceOutcome, nominal: number, reason?: RunReason): void {
    const { previous = NaN } = this.state;
    const last = this.rows.at(-1);
    const isMore =
      last?.kind === 'occurrence' &&
      last.outcome === outcome &&
      last.reason === reason &&
      last.run === undefined &&
      (last.until ?? last.nominal) === previous &&
      nominal > previous;
    if (isMore) {
      last.until = nominal;
      last.count = (last.count ?? 1) + 1;
      return;
    }
    const row = { kind: 'occurrence', outcome, nominal, at: this.now } as const;
    this.rows.push({ ...row, ...(reason && { reason }) });
  }

  private note(what: 'created' | 'changed' | 'paused' | 'resumed', detail?: string): void {
    this.rows.push({ kind: 'note', what, at: this.now, ...(detail !== undefined && { detail }) });
  }

  private tell(kind: 'missed' | 'late', nominal: number): void {
    const last = this.troubles.at(-1);
    if (last?.kind === kind && last.nominal !== undefined) {
      last.count = (last.count ?? 1) + 1;
      return;
    }
    this.troubles.push({ kind, nominal, detail: '' });
  }

  /** Said once, tried again each minute. */
  private breakDown({ message }: Error): void {
    const { state, now } = this;
    if (state.broken !== message) {
      this.rows.push({ kind: 'note', what: 'broken', at: now, detail: message });
      this.troubles.push({ kind: 'dead', detail: message });
    }
    state.broken = message;
  }
}

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
function decidedUpTo({ previous = 0, createdAt, changedAt, successors }: ScheduleState): number {
  return Math.max(previous, createdAt, successors.length === 0 ? changedAt : 0);
}

/** What a schedule is from now on: the last that was put. */
export function latestDefinition({
  definition,
  successors,
}: ScheduleState): Definition | undefined {
  return successors.at(-1)?.definition ?? definition;
}

function isSameRule(a: Definition, b: Definition): boolean {
  return isDeepStrictEqual(a.rule, b.rule);
}
