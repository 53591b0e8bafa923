import {
  Actor,
  Actors,
  CLOCK,
  ENGINE,
  Handle,
  Happenings,
  readable,
  type Clock,
  type Engine,
  type JsonObject,
  type MessageRecord,
  type Turn,
} from '@callsheet/messaging';
import { Inject } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { runData, runHeaders } from './scheduled.run.js';
import { happeningsOf } from './schedule.happenings.js';
import { stateProblem } from './schedule.health.js';
import { Schedule } from './schedule.js';
import {
  BackfillSchedule,
  CheckSchedule,
  PauseSchedule,
  PutSchedule,
  RemoveSchedule,
  ResumeSchedule,
  RunEnded,
  ScheduleDue,
  TriggerSchedule,
} from './schedule.messages.js';
import type { ScheduleRow } from './schedule.journal.js';
import { ScheduleMetrics } from './schedule.metrics.js';
import { recovered } from './schedule.recovery.js';
import { LOOK_AFTER, type EndedRun, type NewRun } from './schedule.runs.js';
import {
  latestDefinition,
  revisionOf,
  storedSchedule,
  type Run,
  type ScheduleState,
} from './schedule.state.js';
import { ScheduleTroubled } from './schedule.trouble.js';
import { DEPLOYMENTS, ringProblem, SCHEDULES, timerId, timerProblem } from './timer.js';

/** Rows that the journal of a schedule keeps. A run leaves two. */
const JOURNAL = 3_000;
/** The most runs that are looked for in one turn. */
const MOST_LOOKS = 20;

/** What a turn of a schedule is for. */
interface Purpose {
  /** Whether a run that was sent ahead may be wrong by it. */
  isChanging?: boolean;
  isCreating?: boolean;
  /** Id of the run whose end is told. */
  told?: string;
}

type Removal = 'removed' | 'unknown' | 'declared' | 'conflict';
type ScheduleTurn = Turn<typeof storedSchedule>;

/**
 * Every schedule is a key of this actor. What a turn decides, the runs it sends, the rows of its journal and its next timer are
 * committed in one step.
 */
@Actor({
  name: SCHEDULES,
  state: { schema: storedSchedule, maxBytes: 1024 * 1024 },
  journal: { keep: JOURNAL },
  concurrency: 4,
  retry: { attempts: 20, delay: '1s', max: '1m' },
})
export class ScheduleActor {
  constructor(
    private readonly actors: Actors,
    private readonly metrics: ScheduleMetrics,
    private readonly happenings: Happenings,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Handle(PutSchedule)
  async put({ definition, isNew, problem, ifRevision }: PutSchedule, turn: ScheduleTurn) {
    const known = turn.state.definition;
    if (known && isNew) return 'exists' as const;
    if (known?.owner !== undefined && known.owner !== definition.owner) {
      // A method that has moved to another actor takes its schedule with it; nobody takes one over the API.
      const mayMove = definition.owner !== undefined || problem !== undefined;
      const isTaken = !mayMove || (await this.isDeclared(turn.key ?? '', known.owner));
      if (isTaken) return 'declared' as const;
    }
    if (isConflict(ifRevision, turn.state)) return 'conflict' as const;
    const put = (schedule: Schedule) => {
      if (problem === undefined) return schedule.put(definition);
      const outcome = schedule.correct(definition);
      if (outcome !== 'unchanged') schedule.report.healed(problem);
      return outcome;
    };
    const isChanging = !isDeepStrictEqual(latestDefinition(turn.state), definition);
    const done = await this.during(turn, put, { isChanging, isCreating: true });
    return done?.answer ?? ('unchanged' as const);
  }

  @Handle(RemoveSchedule)
  async remove({ key, owner, ifRevision }: RemoveSchedule, turn: ScheduleTurn): Promise<Removal> {
    const { definition } = turn.state;
    if (definition && definition.owner !== owner)
      return owner === undefined ? 'declared' : 'unknown';
    // What is not there is not there, whatever the condition.
    if (definition && isConflict(ifRevision, turn.state)) return 'conflict';
    turn.forget();
    if (!definition) return 'unknown';
    await this.actors.cancel(timerId(key));
    await this.withdraw(new Schedule(key, turn.state, turn.now.getTime(), turn.id));
    this.happenings.tell('schedule', () => ({ schedule: key, what: 'removed' }));
    return 'removed';
  }

  @Handle(PauseSchedule)
  async pause({ reason, until }: PauseSchedule, turn: ScheduleTurn) {
    const pause = (schedule: Schedule) => schedule.pause(reason, until);
    const done = await this.during(turn, pause, { isChanging: true });
    return done ? ('paused' as const) : ('unknown' as const);
  }

  @Handle(ResumeSchedule)
  async resume(_: ResumeSchedule, turn: ScheduleTurn) {
    const done = await this.during(turn, (schedule) => ({ did: schedule.resume() }));
    if (!done) return 'unknown' as const;
    return done.answer.did ? ('resumed' as const) : ('running' as const);
  }

  @Handle(TriggerSchedule)
  async trigger({ overlap }: TriggerSchedule, turn: ScheduleTurn) {
    const start = (schedule: Schedule) => schedule.trigger(overlap);
    const done = await this.during(turn, start, { isChanging: true });
    return done?.answer ?? { outcome: 'unknown' as const };
  }

  @Handle(BackfillSchedule)
  async backfill({ id, from, to, isParallel }: BackfillSchedule, turn: ScheduleTurn) {
    const begin = (schedule: Schedule) => schedule.backfill(id, from, to, isParallel === true);
    const done = await this.during(turn, begin, { isChanging: true });
    return done?.answer ?? ('unknown' as const);
  }

  @Handle(ScheduleDue)
  async due({ key, at }: ScheduleDue, turn: ScheduleTurn): Promise<void> {
    const problem = ringProblem(key, { id: turn.id, now: turn.now.getTime(), at }, turn.state);
    // It has rung.
    turn.state.timer = undefined;
    await this.during(turn, (schedule) => {
      if (problem !== undefined) schedule.report.healed(problem);
    });
  }

  @Handle(CheckSchedule)
  async check({ key }: CheckSchedule, turn: ScheduleTurn): Promise<void> {
    // While it has its turn nobody else moves its timer: what was seen from outside may have been between two turns.
    const { state } = turn;
    const problem = await timerProblem(this.engine, key, state, turn.now.getTime());
    const isWell = problem === undefined && stateProblem(state, turn.now.getTime()) === undefined;
    if (isWell && state.definition) return;
    state.timer = undefined;
    await this.during(turn, (schedule) => {
      if (problem !== undefined) schedule.report.healed(problem);
    });
  }

  @Handle(RunEnded)
  async ended(end: RunEnded, turn: ScheduleTurn): Promise<void> {
    const { id, outcome, occurrence, startedAt, finishedAt, attempts, error, result } = end;
    const tell = (schedule: Schedule): void => {
      schedule.ended({
        id,
        outcome: outcome === 'done' ? 'succeeded' : outcome === 'dead' ? 'failed' : 'cancelled',
        nominal: occurrence ?? startedAt,
        startedAt,
        finishedAt,
        attempts,
        ...(error && { error }),
        ...(result !== undefined && { result }),
      });
    };
    await this.during(turn, tell, { told: id });
  }

  /** One turn of a schedule: what `work` does to it, then whatever is due. Undefined when there is no such schedule. */
  private async during<T>(
    turn: ScheduleTurn,
    work: (schedule: Schedule) => T,
    { isChanging = false, isCreating = false, told }: Purpose = {},
  ): Promise<{ answer: T } | undefined> {
    const lostState = await recovered(this.engine, turn);
    if (!turn.state.definition && !isCreating) return this.missing(turn);
    const id = turn.key ?? '';
    const isNew = !turn.state.definition;
    const { timer } = turn.state;
    const schedule = new Schedule(
      id,
      turn.state,
      turn.now.getTime(),
      turn.id,
      turn.attempt,
      this.clock.now(),
    );
    const { damage } = turn.state;
    // Whoever puts it gives it back what was lost.
    if (isCreating) delete turn.state.damage;
    const problem = lostState ?? damage?.problem ?? schedule.mend();
    if (problem !== undefined) schedule.report.healed(problem);
    if (schedule.isDoubtful(isChanging)) await this.takeBack(schedule);
    schedule.beginDue();
    for (const each of await this.lost(schedule, told, isChanging)) schedule.foundEnded(each);
    const answer = work(schedule);
    // It has paused by itself.
    if (turn.state.pause && turn.state.ahead) await this.takeBack(schedule);
    if (isNew || lostState !== undefined) await this.noteTakenBack(schedule);
    let next = schedule.settle();
    while (await this.cancel(schedule)) next = schedule.settle();
    await this.leave(schedule, turn);
    turn.state.timer = next;
    dropUndefined(turn.state);
    if (next !== undefined && next !== timer) await this.arm(id, next);
    // Its ringing would do no harm.
    if (next === undefined && timer !== undefined) await this.actors.cancel(timerId(id));
    return { answer };
  }

  /** There is no such schedule; or there was one, and nobody knows any more what it was. */
  private async missing(turn: ScheduleTurn): Promise<undefined> {
    const { damage } = turn.state;
    if (!damage) return turn.forget() as undefined;
    if (damage.isTold) return undefined;
    damage.isTold = true;
    const { problem: detail } = damage;
    const row: ScheduleRow = { kind: 'note', what: 'broken', at: turn.now.getTime(), detail };
    turn.journal(row as unknown as JsonObject);
    const schedule = turn.key ?? '';
    this.happenings.tell('schedule', () => ({ schedule, what: 'dead' }));
    await this.actors.publish(new ScheduleTroubled({ schedule, kind: 'dead', detail }));
    return undefined;
  }

  /** Whether the code of an actor declares a schedule. */
  private async isDeclared(schedule: string, actor: string): Promise<boolean> {
    const stored = readable(
      `state of ${DEPLOYMENTS} '${actor}':`,
      await this.engine.state(DEPLOYMENTS, actor),
    );
    const { schedules = [] } = (stored?.data ?? {}) as { schedules?: { id?: string }[] };
    return schedules.some(({ id }) => id === schedule);
  }

  private async arm(id: string, at: number): Promise<void> {
    await this.actors.tell(new ScheduleDue({ key: id, at }), {
      id: timerId(id),
      replace: true,
      at: new Date(at),
      priority: 'high',
    });
  }

  /** Everything that the turn leaves beside its state. */
  private async leave(schedule: Schedule, turn: ScheduleTurn): Promise<void> {
    const { id, runs, report } = schedule;
    this.metrics.count(report);
    for (const each of happeningsOf(report)) {
      this.happenings.tell('schedule', () => ({ ...each, schedule: id }));
    }
    for (const row of report.rows) turn.journal(row as unknown as JsonObject);
    for (const run of runs.sent) await this.send(id, run, turn);
    for (const trouble of report.troubles) {
      await this.actors.publish(new ScheduleTroubled({ schedule: id, ...trouble }));
    }
  }

  private async send(schedule: string, run: NewRun, { state }: ScheduleTurn): Promise<void> {
    const { definition } = state;
    if (!definition) return;
    const { message, isOccurrence } = definition;
    const sealed = isOccurrence ? { ...message, data: runData(schedule, run, state) } : message;
    await this.actors.forward(sealed, {
      id: run.id,
      occurrence: new Date(run.nominal),
      ...(run.at !== undefined && { at: new Date(run.at) }),
      notify: {
        type: RunEnded.meta.type,
        key: schedule,
        // Elsewhere few things are due at one moment, and whoever looks, in a test above all, wants to see it.
        ...(run.toldFrom !== undefined && this.engine.store.shared && { notBefore: run.toldFrom }),
      },
      headers: runHeaders(schedule, run),
      ...(definition.priority !== undefined && { priority: definition.priority }),
    });
  }

  /** Takes the run back that was sent ahead; one that has begun counts as begun. */
  private async takeBack(schedule: Schedule): Promise<void> {
    const { ahead } = schedule.state;
    if (!ahead) return;
    if (await this.withdraw(schedule)) schedule.takenBack(ahead.nominal);
    else schedule.begin();
  }

  /** Answers whether the run that was sent ahead will not begin any more. */
  private async withdraw({ state, now, isBeginning }: Schedule): Promise<boolean> {
    if (!state.ahead) return false;
    const { id, actor, at } = state.ahead;
    if (!isBeginning && (await this.engine.withdraw(id, [actor]))) return true;
    const record = await this.engine.find(id, [actor]);
    // Not there before its time: somebody has removed it. Later it may have ended and be gone.
    return record ? isWithdrawn(record) : at > now;
  }

  /** An earlier life of this schedule, or what was lost of its state, may have taken back what is to be sent now. */
  private async noteTakenBack(schedule: Schedule): Promise<void> {
    const { imminent, state } = schedule;
    if (!imminent || !state.definition) return;
    const id = schedule.runs.idOf(imminent.nominal, 'scheduled');
    const record = await this.engine.find(id, [state.definition.message.actor]);
    if (record && isWithdrawn(record)) schedule.takenBack(imminent.nominal);
  }

  /** Stops runs; answers whether one of them has ended by it. */
  private async cancel(schedule: Schedule): Promise<boolean> {
    let hasEnded = false;
    for (const id of schedule.runs.cancels.splice(0)) {
      const run = schedule.state.running.find((each) => each.id === id);
      if (!run) continue;
      // This process need not know the actor, so it asks for it by name.
      const cancellation = await this.engine.cancel(id, [run.actor]);
      // Told by its turn.
      if (cancellation === 'cancelling') continue;
      hasEnded = true;
      schedule.foundEnded(endOf(run, await this.find(run), schedule.now));
    }
    return hasEnded;
  }

  /**
   * Runs that have ended, or are gone, without anybody having told so. All are looked for that something depends on now: their
   * ends may be told later.
   *
   * @param told the run whose end this turn is told
   */
  private async lost(
    { state, now, imminent }: Schedule,
    told: string | undefined,
    isChanging: boolean,
  ): Promise<EndedRun[]> {
    const isWanted = isChanging || (imminent?.at ?? Infinity) <= now;
    const isOld = ({ startedAt }: Run): boolean => startedAt < now - LOOK_AFTER;
    const doubtful = state.running.filter((run) => run.id !== told && (isWanted || isOld(run)));
    const found = await Promise.all(
      doubtful.slice(0, MOST_LOOKS).map(async (run) => ({ run, record: await this.find(run) })),
    );
    return found
      .filter(({ run, record }) => (record ? record.finishedAt !== undefined : isOld(run)))
      .map(({ run, record }) => endOf(run, record, now));
  }

  private find(run: Run): Promise<MessageRecord | undefined> {
    return this.engine.find(run.id, [run.actor]);
  }
}

/** What is undefined would be stored as that, with notes of where it stands. */
function dropUndefined(state: object): void {
  for (const [name, value] of Object.entries(state)) {
    if (value === undefined) Reflect.deleteProperty(state, name);
  }
}

function isConflict(ifRevision: number | undefined, state: ScheduleState): boolean {
  return ifRevision !== undefined && ifRevision !== revisionOf(state);
}

/** Cancelled before it began: by an earlier attempt at the same turn, as a rule. */
function isWithdrawn({ state, startedAt }: MessageRecord): boolean {
  return state === 'cancelled' && startedAt === undefined;
}

/** The end of a run as its message tells. */
function endOf({ id, nominal }: Run, record: MessageRecord | undefined, now: number): EndedRun {
  const { state, startedAt, finishedAt = now, history = [] } = record ?? {};
  const outcomes = { done: 'succeeded', dead: 'failed', cancelled: 'cancelled' } as const;
  const error = state === 'dead' ? history.at(-1)?.error : undefined;
  return {
    id,
    nominal,
    outcome: outcomes[state as keyof typeof outcomes] ?? ('unknown' as const),
    finishedAt,
    ...(startedAt !== undefined && { startedAt }),
    ...(record && { attempts: history.length + (state === 'done' ? 1 : 0) }),
    ...(error && { error: { name: error.name, message: error.message } }),
  };
}
