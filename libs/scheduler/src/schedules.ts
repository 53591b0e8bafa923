import {
  Actors,
  CLOCK,
  ENGINE,
  InvalidMessageError,
  Keys,
  OptionError,
  type AskOptions,
  type Clock,
  type Engine,
} from '@callsheet/messaging';
import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { toOverlap, type Overlap } from './policies.js';
import { occurrencesBetween, type CheckedRule } from './rule/index.js';
import { ScheduleActor } from './schedule.actor.js';
import { toHistoryEntry, type HistoryEntry } from './schedule.history.js';
import { checkedScheduleId, toDefinition, type ScheduleInput } from './schedule.input.js';
import {
  BackfillSchedule,
  PauseSchedule,
  PutSchedule,
  RemoveSchedule,
  ResumeSchedule,
  TriggerSchedule,
} from './schedule.messages.js';
import { comingOf, toScheduleRecord, type ScheduleRecord } from './schedule.record.js';
import type { Started } from './schedule.js';
import { latestDefinition, type Definition } from './schedule.state.js';
import {
  DeclaredScheduleError,
  ScheduleChangedError,
  ScheduleExistsError,
  TooManyBackfillsError,
} from './scheduler.errors.js';
import { SCHEDULES } from './timer.js';

/** Which schedules, and how many. */
export interface ScheduleListOptions {
  /** Those that have this tag. */
  tag?: string;
  /** Those whose id, description, or type of message contains this text, whatever the case. */
  text?: string;
  /** Those in this state. */
  state?: ScheduleRecord['state'];
  /** Those that somebody should look at: broken, or with runs that failed since one succeeded. */
  troubled?: boolean;
  /** Those whose id comes after this one. */
  after?: string;
  /** How many at most, 1 to 1,000. Default 100. */
  limit?: number;
}

/** On what condition a schedule is changed. */
export interface ScheduleChange {
  /** Only if it has this {@link ScheduleRecord.revision}; 0: only if there is none of this id. Default: whatever it is. */
  ifRevision?: number;
}

/** A run that somebody asks for. */
export interface TriggerOptions {
  /** In place of the schedule's own policy. */
  overlap?: Overlap;
  /** Asked for with the same id again, it is the same run. Of 1 to 200 characters. */
  id?: string;
}

/** A range of time whose occurrences are to run. */
export interface BackfillOptions {
  /** Occurrences after it ... */
  from: Date;
  /** ... up to it, itself included. Not in the future. */
  to: Date;
  /** Runs side by side, instead of one after the other. Default false. */
  parallel?: boolean;
  /** The same id again changes nothing; 1 to 200 characters. Default: made of `from` and `to`. */
  id?: string;
  /** Only counts. Default false. */
  dryRun?: boolean;
}

/** What a backfill does. */
export interface Backfill {
  /** Occurrences in the range; at most 100,000, more are refused. */
  count: number;
  /** 'begun'; 'known': it was asked for before; 'counted': a dry run. */
  outcome: 'begun' | 'known' | 'counted';
}

const MOST = 1_000;
const MOST_BACKFILLED = 100_000;
/** How many occurrences are counted before others have their turn. */
const COUNTED = 500;
const PAGE = 500;
const MOST_PAGES = 1_000;
const ASK: AskOptions = { timeout: '10s' };

/** The schedules of this installation: those declared in code, and those made here. Inject it anywhere outside of handlers. */
@Injectable()
export class Schedules {
  constructor(
    private readonly actors: Actors,
    private readonly keys: Keys,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Makes a schedule. Resolves when it is stored and its first occurrence is certain.
   *
   * @param request made with the same id again, it is the same request, and the schedule made is its own; 1 to 200 characters
   * @throws OptionError naming the bad option
   * @throws ScheduleExistsError when there is one of this id
   * @throws whatever `Actors.ask` throws, AskTimeoutError above all: no worker runs, or it is busy
   */
  async create(id: string, input: ScheduleInput, request?: string): Promise<ScheduleRecord> {
    const definition = toDefinition(checkedScheduleId(id), input);
    const message = command(() => new PutSchedule({ key: id, definition, isNew: true }));
    const outcome = await this.actors.ask(message, asking('create', id, request, 'request'));
    if (outcome === 'exists') throw new ScheduleExistsError(id);
    return this.stored(id);
  }

  /**
   * Makes a schedule, or changes it. Occurrences that were due before still come.
   *
   * @throws DeclaredScheduleError when it is declared in code
   * @throws ScheduleChangedError when its revision is another one; then nothing has changed
   * @throws whatever {@link create} throws
   */
  async put(
    id: string,
    input: ScheduleInput,
    change: ScheduleChange = {},
  ): Promise<{ outcome: 'created' | 'changed' | 'unchanged'; schedule: ScheduleRecord }> {
    const definition = toDefinition(checkedScheduleId(id), input);
    const condition = checkedChange(change);
    const message = command(() => new PutSchedule({ key: id, definition, ...condition }));
    const outcome = await this.actors.ask(message, ASK);
    if (outcome === 'declared') throw new DeclaredScheduleError(id);
    if (outcome === 'conflict') throw await this.changed(id);
    return { outcome: outcome as 'created', schedule: await this.stored(id) };
  }

  /**
   * Removes a schedule and its history; runs in work go on. False when there is none, whatever the condition.
   *
   * @throws DeclaredScheduleError; ScheduleChangedError when its revision is another one
   */
  async remove(id: string, change: ScheduleChange = {}): Promise<boolean> {
    const message = new RemoveSchedule({ key: checkedScheduleId(id), ...checkedChange(change) });
    const outcome = await this.actors.ask(message, ASK);
    if (outcome === 'declared') throw new DeclaredScheduleError(id);
    if (outcome === 'conflict') throw await this.changed(id);
    return outcome === 'removed';
  }

  /** One schedule, or undefined. */
  async get(id: string): Promise<ScheduleRecord | undefined> {
    if (!(await this.engine.state(SCHEDULES, checkedScheduleId(id)))) return undefined;
    const state = await this.keys.state(ScheduleActor, id);
    return state && toScheduleRecord(id, state, this.clock.now());
  }

  /** The next nominal times of a schedule, fewer when it ends before; undefined when there is none. @throws OptionError */
  async next(id: string, count = 10): Promise<Date[] | undefined> {
    const most = checkedLimit(count, 'count');
    const state = await this.keys.state(ScheduleActor, checkedScheduleId(id));
    if (!state?.definition) return undefined;
    const found: Date[] = [];
    for (const at of comingOf(state, this.clock.now())) if (found.push(at) >= most) break;
    return found;
  }

  /**
   * Schedules by id. Whatever narrows it, it reads them all until it has found enough, 500,000 at most, and computes the next time of
   * those it cannot leave out before.
   *
   * @throws OptionError
   */
  async list(options: ScheduleListOptions = {}): Promise<ScheduleRecord[]> {
    const { limit: most = 100, ...filter } = options;
    const limit = checkedLimit(most, 'limit');
    const found: ScheduleRecord[] = [];
    let { after, ...narrowing } = filter;
    const isFiltered = Object.values(narrowing).some((each) => each !== undefined);
    const size = isFiltered ? PAGE : limit;
    for (let page = 0; page < MOST_PAGES && found.length < limit; page++) {
      const states = await this.keys.states(ScheduleActor, {
        limit: size,
        ...(after !== undefined && { after }),
      });
      for (const { key, state } of states) {
        // Looked at before its next time is computed, which takes longest.
        if (!matches(key, latestDefinition(state), filter)) continue;
        const record = toScheduleRecord(key, state, this.clock.now());
        if (record && isMeant(record, filter)) found.push(record);
        if (found.length >= limit) break;
      }
      after = states.at(-1)?.key;
      if (states.length < size) break;
    }
    return found;
  }

  /**
   * Stops a schedule from starting runs, or changes reason and end of its pause. Its occurrences meanwhile are recorded as paused.
   * False when there is none.
   *
   * @param until when it goes on by itself. Default: when somebody resumes it
   * @throws OptionError
   */
  async pause(id: string, reason: string, until?: Date): Promise<boolean> {
    if (typeof reason !== 'string' || reason.length < 1 || reason.length > 500) {
      throw new OptionError('reason', 'must be text of 1 to 500 characters');
    }
    const end = until === undefined ? undefined : time(until, 'until');
    if (end !== undefined && end <= this.clock.now()) {
      throw new OptionError('until', 'must be in the future');
    }
    const key = checkedScheduleId(id);
    const message = command(
      () => new PauseSchedule({ key, reason, ...(end !== undefined && { until: end }) }),
    );
    return (await this.actors.ask(message, ASK)) === 'paused';
  }

  /** Lets a schedule go on. 'running' when it was not paused; undefined when there is none. */
  async resume(id: string): Promise<'resumed' | 'running' | undefined> {
    const outcome = await this.actors.ask(new ResumeSchedule({ key: checkedScheduleId(id) }), ASK);
    return outcome === 'unknown' ? undefined : outcome;
  }

  /**
   * Starts a run now, a paused schedule's too. Undefined when there is no such schedule.
   *
   * @throws OptionError; IdempotencyConflictError when its id was used for a run with another policy
   */
  async trigger(id: string, options: TriggerOptions = {}): Promise<Started | undefined> {
    const { overlap, id: request } = options;
    const message = new TriggerSchedule({
      key: checkedScheduleId(id),
      ...(overlap !== undefined && { overlap: toOverlap(overlap, 'overlap') }),
    });
    const { outcome, run } = await this.actors.ask(message, asking('trigger', id, request, 'id'));
    if (outcome === 'unknown') return undefined;
    return outcome === 'started' ? { outcome, run: run ?? '' } : { outcome };
  }

  /**
   * Runs the occurrences of a range of time, whether they have run or not. Undefined when there is no such schedule.
   *
   * @throws OptionError; TooManyBackfillsError when ten are under way
   */
  async backfill(id: string, options: BackfillOptions): Promise<Backfill | undefined> {
    const record = await this.get(id);
    if (!record) return undefined;
    const [from, to] = [time(options.from, 'from'), time(options.to, 'to')];
    if (from >= to) throw new OptionError('to', 'must be after from');
    if (to > this.clock.now()) throw new OptionError('to', 'must not be in the future');
    const count = await counted(record.rule, from, to);
    if (count > MOST_BACKFILLED) {
      throw new OptionError('from', `the range has more than ${MOST_BACKFILLED} occurrences`);
    }
    if (options.dryRun === true) return { count, outcome: 'counted' };
    const { id: request = `${new Date(from).toISOString()}/${new Date(to).toISOString()}` } =
      options;
    const message = command(
      () =>
        new BackfillSchedule({
          key: id,
          id: checkedRequest(request, 'id'),
          from,
          to,
          ...(options.parallel === true && { isParallel: true }),
        }),
    );
    const outcome = await this.actors.ask(message, ASK);
    if (outcome === 'full') throw new TooManyBackfillsError(id);
    return outcome === 'unknown' ? undefined : { count, outcome };
  }

  /**
   * What has become of the occurrences of a schedule, newest first: its newest 3,000 entries, of which a run leaves two.
   *
   * @param page `before`: entries older than that of this cursor; `limit`: 1 to 1,000, default 100
   * @throws OptionError
   */
  async history(
    id: string,
    page: { before?: string; limit?: number } = {},
  ): Promise<HistoryEntry[]> {
    const rows = await this.keys.journal(ScheduleActor, checkedScheduleId(id), page);
    return rows.map(toHistoryEntry);
  }

  private async changed(id: string): Promise<ScheduleChangedError> {
    return new ScheduleChangedError(id, (await this.get(id))?.revision);
  }

  private async stored(id: string): Promise<ScheduleRecord> {
    const record = await this.get(id);
    if (record) return record;
    throw new OptionError('id', `'${id}' was removed meanwhile`);
  }
}

/** Occurrences in a range, or more than there may be. Of some rules each takes a while, and others have the process between. */
async function counted(rule: CheckedRule, from: number, to: number): Promise<number> {
  let [count, after] = [0, from];
  while (count <= MOST_BACKFILLED) {
    const found = occurrencesBetween(rule, after, to, COUNTED);
    count += found.length;
    after = found.at(-1) ?? to;
    if (found.length < COUNTED) break;
    await setImmediate();
  }
  return count;
}

function matches(
  id: string,
  definition: Definition | undefined,
  { tag, text }: ScheduleListOptions,
): boolean {
  if (!definition) return false;
  const { tags, description = '', message } = definition;
  if (tag !== undefined && !tags.includes(tag)) return false;
  if (text === undefined) return true;
  const sought = text.toLowerCase();
  return [id, description, message.type].some((each) => each.toLowerCase().includes(sought));
}

function isMeant(record: ScheduleRecord, { state, troubled }: ScheduleListOptions): boolean {
  if (state !== undefined && record.state !== state) return false;
  return troubled !== true || record.state === 'broken' || record.failures > 0;
}

/** @param what is asked of the schedule: requests of one id are the same for it alone */
function asking(
  what: string,
  schedule: string,
  request: string | undefined,
  path: string,
): AskOptions {
  if (request === undefined) return ASK;
  const digest = createHash('sha256').update(checkedRequest(request, path)).digest('hex');
  return { ...ASK, id: `${what}:${schedule}:${digest.slice(0, 32)}` };
}

function checkedChange({ ifRevision, ...rest }: ScheduleChange): ScheduleChange {
  for (const field of Object.keys(rest)) throw new OptionError(field, 'is not an option');
  if (ifRevision === undefined) return {};
  if (Number.isSafeInteger(ifRevision) && ifRevision >= 0) return { ifRevision };
  throw new OptionError('ifRevision', 'must be a whole number from 0');
}

function checkedRequest(id: string, path: string): string {
  if (typeof id === 'string' && id.length >= 1 && id.length <= 200) return id;
  throw new OptionError(path, 'must be a string of 1 to 200 characters');
}

/** A message that carries what somebody has given: what cannot be carried is named as he has given it. */
function command<M>(make: () => M): M {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error;
    const { path = '', message = error.message } = error.violations[0] ?? {};
    const given = path.replace(/^definition\/?(rule\/|policies\/)?/, '').replaceAll('/', '.');
    throw new OptionError(given || 'schedule', message);
  }
}

function checkedLimit(limit: number, path: string): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= MOST) return limit;
  throw new OptionError(path, `must be a whole number from 1 to ${MOST}`);
}

function time(date: Date, path: string): number {
  const value = date instanceof Date ? date.getTime() : NaN;
  if (Number.isFinite(value)) return value;
  throw new OptionError(path, 'must be a Date');
}
