import { RejectError } from '@callsheet/messaging';
import { isDeepStrictEqual } from 'node:util';
import { coming, isSameRule, upcoming, type Coming } from './coming.js';
import { decideDue, ruleNext, type Decision } from './decisions.js';
import type { Overlap } from './policies.js';
import { nextOccurrence } from './rule/index.js';
import { decidedUpTo, stateProblem } from './schedule.health.js';
import { ScheduleReport } from './schedule.report.js';
import { definitionOf, ScheduleRuns, type EndedRun } from './schedule.runs.js';
import {
  latestDefinition,
  revisionOf,
  type Definition,
  type ScheduleState,
} from './schedule.state.js';

/** Backfills under way, and those that are remembered. */
const MOST_BACKFILLS = 10;
const MOST_REMEMBERED = 100;
/** Occurrences that are decided in one turn, and backfilled runs that are started. */
const AT_ONCE = 500;
/** Edits that wait until occurrences of the definition before them are decided. */
const MOST_EDITS = 20;
/** A timer is never set farther: a message may not be due later than in a year. */
const HORIZON = 300 * 86_400_000;
/**
 * How long before its time a run is sent, ms: that of many schedules which are due at one moment is then one turn for each of them, not
 * two. While runs are in work, or something waits, nobody knows yet whether the next is to run: then it is sent when it is due.
 */
export const LEAD = 10_000;
/** No less before its time than that, ms: delays are counted on the clock of this process, and what is in its past would begin at once. */
const LEAST_LEAD = 250;
/**
 * How long after its time the end of a run that was sent ahead is told at the soonest, ms: until then the turns of workers are for what
 * else is due at that moment.
 */
export const TOLD_AFTER = 500;
/** Not where the next occurrence, or the end of its time, comes sooner than that after it, ms; nor where a run hears of the one before. */
const SOON = 5_000;
/** How long after its beginning a run that was sent ahead is noted, if it has not ended before, ms. */
const NOTED_AFTER = 1_000;
/** How soon a rule that cannot be computed is tried again. */
const BROKEN_RETRY = 60_000;

/** What became of a request for a run. */
export type Started = { outcome: 'started'; run: string } | { outcome: 'buffered' | 'skipped' };

/**
 * One turn of a schedule: what happens to it, as a change of its state and what is to be done beside. Computes only; the
 * actor around it sends, cancels, journals and tells, all in the commit of the turn.
 *
 * @param cause id of the message that the turn is of
 * @param attempt number of the attempt, from 1
 * @param local what the clock of this process shows, which may not be that of the store
 */
export class Schedule {
  readonly report: ScheduleReport;
  readonly runs: ScheduleRuns;
  /** How many more occurrences may be decided: each may leave a row, and a turn can leave only so many. */
  private budget = AT_ONCE;

  constructor(
    readonly id: string,
    readonly state: ScheduleState,
    readonly now: number,
    cause: string,
    attempt = 1,
    private readonly local = now,
  ) {
    this.report = new ScheduleReport(now);
    this.runs = new ScheduleRuns(state, this.report, { schedule: id, now, cause, attempt });
  }

  /** Gives the schedule its definition, or another one. Occurrences that are due under the old one still come. */
  put(definition: Definition): 'created' | 'changed' | 'unchanged' {
    const { state, now } = this;
    const current = latestDefinition(state);
    if (isDeepStrictEqual(current, definition)) return 'unchanged';
    this.revise();
    state.changedAt = now;
    state.broken = undefined;
    if (!state.definition) {
      state.definition = definition;
      // What is known of an earlier life goes on.
      state.createdAt ||= now;
      state.watermark ||= now;
      state.changedAt = state.watermark;
      this.report.note('created');
      return 'created';
    }
    if (state.successors.length >= MOST_EDITS) {
      // Trying again would hold up the schedule, and with it the occurrence.
      throw new RejectError(
        `'${this.id}' has been edited too often while an occurrence is still to come: edit it when that has run`,
      );
    }
    state.successors.push({ definition, from: now });
    this.report.note('changed');
    return 'changed';
  }

  /** Gives it the definition that it should have had all the time. */
  correct(definition: Definition): 'created' | 'changed' | 'unchanged' {
    const { state } = this;
    if (!state.definition) return this.put(definition);
    if (isDeepStrictEqual(latestDefinition(state), definition)) return 'unchanged';
    this.revise();
    const successor = state.successors.at(-1);
    if (successor) successor.definition = definition;
    else state.definition = definition;
    state.broken = undefined;
    return 'changed';
  }

  /**
   * Whether the run that was sent ahead is to be taken back, if it has not begun: somebody is about to change what it was sent for, or
   * it should have begun long ago.
   */
  isDoubtful(isChanging: boolean): boolean {
    return this.state.ahead !== undefined && (isChanging || this.isLate);
  }

  /** Whether the run that was sent ahead should have begun long ago. */
  private get isLate(): boolean {
    const { ahead, definition } = this.state;
    const grace = definition?.policies.grace ?? 0;
    return ahead !== undefined && ahead.at < this.now - grace - LEAD;
  }

  /** Whether the run that was sent ahead begins now, whatever changes: its occurrence was due before. */
  get isBeginning(): boolean {
    const { ahead } = this.state;
    return ahead !== undefined && ahead.at <= this.now && !this.isLate;
  }

  /** The run of an occurrence will not begin: what becomes of that is decided when it is due. */
  takenBack(nominal: number): void {
    const { state } = this;
    // None is sent ahead while one of them waits.
    state.takenBack = [...state.takenBack, nominal].slice(-MOST_EDITS);
    if (state.ahead?.nominal === nominal) state.ahead = undefined;
  }

  /** The next occurrence, if its run could have been sent ahead by now. */
  get imminent(): Coming | undefined {
    try {
      const next = upcoming(this.state);
      return next && next.at <= this.now + LEAD ? next : undefined;
    } catch {
      return undefined;
    }
  }

  /** The run that was sent ahead begins when it is due, or has begun: that is decided. */
  begin(): void {
    const { state } = this;
    const { ahead } = state;
    state.ahead = undefined;
    // Not when what is decided was changed by hand.
    if (!ahead || ahead.nominal <= state.watermark) return;
    this.pass(ahead.nominal);
    this.runs.startAhead(ahead);
    state.previous = ahead.nominal;
  }

  /** Begins what was sent ahead and is due by now. */
  beginDue(): void {
    if ((this.state.ahead?.at ?? Infinity) <= this.now) this.begin();
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
    this.report.note('paused', reason);
  }

  resume(): boolean {
    if (!this.state.pause) return false;
    this.endPause(this.now);
    return true;
  }

  /** A run now, beside those of the rule. */
  trigger(overlap: Overlap | undefined): Started {
    const policy = overlap ?? this.definition.policies.overlap;
    const outcome = this.runs.admit(this.now, 'manual', 'triggered', policy);
    if (outcome !== 'started') return { outcome };
    return { outcome, run: this.runs.sent.at(-1)?.id ?? '' };
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
  ended(run: EndedRun): void {
    if (run.id === this.state.ahead?.id) this.begin();
    this.pauseAfterFailures(this.runs.ended(run));
  }

  /** A run has ended, as its message shows; its notice may still come. */
  foundEnded(run: EndedRun): void {
    this.pauseAfterFailures(this.runs.foundEnded(run));
  }

  /** Does what is due, and answers when the schedule wants its next turn; undefined: when somebody tells it something. */
  settle(): number | undefined {
    const { state, now } = this;
    if (!state.definition) return undefined;
    const { pause } = state;
    if (pause?.until !== undefined && pause.until <= now) this.endPause(pause.until);
    else if (pause) this.pausedUntil(now);
    this.runs.stopOverdue();
    const isMore = this.decide();
    if (!state.pause) this.runs.startWaiting();
    const isFilling = this.fill();
    if (isMore || isFilling) return now;
    this.sendAhead();
    return this.nextTurn();
  }

  private revise(): void {
    this.state.revision = Math.max(this.now, revisionOf(this.state) + 1);
  }

  private get definition(): Definition {
    return definitionOf(this.state, this.id);
  }

  private pauseAfterFailures(reason: string | undefined): void {
    if (reason === undefined) return;
    this.pause(reason, undefined, true);
    this.report.troubles.push({ kind: 'paused', detail: reason });
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
      const due = upcoming(state)?.at;
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
    this.pass(nominal);
    if (outcome === 'fired' || outcome === 'late') {
      if (outcome === 'late') this.report.tell('late', nominal);
      const reason = outcome === 'late' ? 'catch-up' : 'scheduled';
      this.runs.admit(nominal, reason, outcome, this.definition.policies.overlap);
    } else {
      if (outcome === 'missed' || outcome === 'coalesced') this.report.tell('missed', nominal);
      this.report.decided(outcome, nominal, state.previous);
    }
    state.previous = nominal;
  }

  /** It is decided what becomes of an occurrence. */
  private pass(nominal: number): void {
    const { state } = this;
    state.watermark = nominal;
    state.decided++;
    state.pauses = state.pauses.filter(({ until }) => until > nominal);
  }

  private sendAhead(): void {
    const next = this.sendable();
    if (!next || next.at > this.now + LEAD) return;
    const { isOccurrence, policies } = this.definition;
    const spare = Math.min(this.dueAfterNext() - next.at, policies.timeout ?? Infinity);
    const isAwaited = isOccurrence === true || spare < SOON;
    this.runs.sendAhead(next.nominal, next.at, isAwaited ? undefined : next.at + TOLD_AFTER);
  }

  /** The next occurrence, if its run can be sent ahead. */
  private sendable(): Coming | undefined {
    const { pause, broken, successors, backfills, ahead, takenBack } = this.state;
    const isFree = !pause && broken === undefined && !ahead && this.runs.isIdle;
    if (!isFree || successors.length + backfills.length > 0) return undefined;
    const next = upcoming(this.state);
    if (!next || takenBack.includes(next.nominal)) return undefined;
    return next.at < Math.max(this.now, this.local) + LEAST_LEAD ? undefined : next;
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
      if (!backfill.isParallel && !this.runs.isIdle) return false;
      const nominal = nextOccurrence(this.definition.rule, backfill.at);
      if (nominal === undefined || nominal > backfill.to) {
        state.backfills.shift();
        state.backfilled = [...state.backfilled, backfill.id].slice(-MOST_REMEMBERED);
        continue;
      }
      backfill.at = nominal;
      this.runs.start(nominal, 'backfill', 'backfilled');
      this.budget--;
    }
    return true;
  }

  private endPause(until: number): void {
    const { state } = this;
    this.pausedUntil(until);
    if (state.pause?.isOurs) state.failures = 0;
    state.pause = undefined;
    this.report.note('resumed');
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
    const wanted = this.wantedTurn(LEAD);
    return wanted && Math.min(Math.max(this.now, wanted), this.now + HORIZON);
  }

  /** When it should have its next turn, or should have had it. @param lead how long before an occurrence, if its run can be sent ahead, ms */
  wantedTurn(lead = 0): number | undefined {
    const { pause, broken, buffer, backfills } = this.state;
    const times = this.runs.deadlines();
    if (pause?.until !== undefined) times.push(pause.until);
    if (broken !== undefined) times.push(this.now + BROKEN_RETRY);
    else if (!pause) times.push(...this.dueTurns(lead));
    // One that was cancelled before it began, or removed, tells nobody: what waits for it would wait for ever.
    const isAwaited = buffer.length + backfills.length > 0;
    if (isAwaited || times.length === 0) times.push(...this.runs.looks());
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** When the rule wants a turn. */
  private dueTurns(lead: number): number[] {
    const { ahead, definition } = this.state;
    if (!ahead) {
      const sendable = this.sendable();
      if (sendable) return [sendable.at - lead];
      const due = upcoming(this.state)?.at;
      return due === undefined ? [] : [due];
    }
    const { timeout = NOTED_AFTER } = definition?.policies ?? {};
    return [Math.min(ahead.at + Math.min(timeout, NOTED_AFTER), this.dueAfterNext())];
  }

  /** When the occurrence after the next is due. If it cannot be computed, that is told when it is the next. */
  private dueAfterNext(): number {
    const occurrences = coming(this.state);
    occurrences.next();
    try {
      return occurrences.next().value?.at ?? Infinity;
    } catch {
      return Infinity;
    }
  }

  /** Said once, tried again each minute. */
  private breakDown({ message }: Error): void {
    const { state } = this;
    if (state.broken !== message) this.report.broken(message);
    state.broken = message;
  }
}
