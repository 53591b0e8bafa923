import { declareHandler, OptionError, type Duration, type Turn } from '@callsheet/messaging';
import type { SchedulePolicies } from './policies.js';
import type { ScheduleRule } from './rule/index.js';
import { checkedScheduleId, toTiming, type ScheduleNotes } from './schedule.input.js';
import { openRun, type ScheduledRun } from './scheduled.run.js';
import { SCHEDULES } from './timer.js';

/** Options of {@link Cron}, {@link Every} and {@link At}; the names that @nestjs/schedule has for some of them count too. */
export interface DeclareOptions
  extends
    Omit<ScheduleRule, 'cron' | 'every' | 'at' | 'rrule'>,
    SchedulePolicies,
    ScheduleNotes,
    NestScheduleOptions {
  /** Id of the schedule. Default: `<actor>.<method>`. */
  name?: string;
  /** Not declared at all: one that was is removed. Default false. */
  disabled?: boolean;
}

/** Options of @nestjs/schedule, by what they mean here. */
export interface NestScheduleOptions {
  /** `tz`. */
  timeZone?: string;
  /** A fixed offset as `tz`: minutes, or text such as '+02:00'. */
  utcOffset?: number | string;
  /** `true`: overlap 'skip', which is the default; `false`: overlap 'allow'. */
  waitForCompletion?: boolean;
  /** Milliseconds: `grace`, with catchUp 'none'. */
  threshold?: number;
  /** Of no meaning: a schedule keeps no process alive. */
  unrefTimeout?: boolean;
}

/** Options that come from providers: `use` gets what `inject` names, and says when and how; undefined: not at all. */
export interface InjectedOptions {
  inject: readonly unknown[];
  // oxlint-disable-next-line typescript/no-explicit-any
  use: (...providers: any[]) => (ScheduleRule & DeclareOptions) | undefined;
}

/** A schedule as declared on a method. */
export interface Declaration {
  readonly method: string;
  /** Names it in errors. */
  readonly path: string;
  readonly options: (ScheduleRule & DeclareOptions) | InjectedOptions;
}

/** What a scheduled method looks like: it gets its run and its turn, and its answer is the result of the run. */
type ScheduledMethod = (run: ScheduledRun, turn: Turn) => unknown;
type DecorateScheduled = <F extends ScheduledMethod>(
  target: object,
  method: string,
  descriptor: TypedPropertyDescriptor<F>,
) => void;

const DECLARATIONS = Symbol('callsheet:schedules');
const NEST: readonly (keyof NestScheduleOptions)[] = [
  'timeZone',
  'utcOffset',
  'waitForCompletion',
  'threshold',
  'unrefTimeout',
];

/**
 * Runs a method on a cron pattern, or at a Date: each occurrence once, however many processes run, and none lost without a
 * word. Works on actors and on any other provider; a run that fails is retried by the actor's policy.
 *
 *     @Cron('0 7 * * MON-FRI', { tz: 'Europe/Madrid', catchUp: 'latest', window: '5m' })
 *     digest(run: ScheduledRun) {}
 *
 *     @Cron({ inject: [ReportOptions], use: (options: ReportOptions) => ({ cron: options.cron, tz: options.tz }) })
 *     report() {}
 *
 * @param when a pattern of five fields (minute first) or six (second first), several patterns, a Date, or options from providers
 * @throws OptionError at declaration, or at start for options from providers
 */
export function Cron(
  when: string | readonly string[] | Date | InjectedOptions,
  options: DeclareOptions = {},
): DecorateScheduled {
  if (when instanceof Date) return declaring('@Cron', { ...options, at: when });
  return declaring('@Cron', isInjected(when) ? when : { ...options, cron: when });
}

/**
 * Runs a method again and again: `@Every('10m')`, counted from 1970-01-01T00:00Z, or from `start`.
 *
 * @throws OptionError at declaration, or at start for options from providers
 */
export function Every(
  interval: Duration | InjectedOptions,
  options: DeclareOptions & { phase?: Duration } = {},
): DecorateScheduled {
  return declaring('@Every', isInjected(interval) ? interval : { ...options, every: interval });
}

/**
 * Runs a method once at a date, or at several: Dates, ISO text with `Z` or an offset, or local times of `tz`.
 *
 * @throws OptionError at declaration, or at start for options from providers
 */
export function At(
  when: Date | string | readonly (Date | string)[] | InjectedOptions,
  options: DeclareOptions = {},
): DecorateScheduled {
  return declaring('@At', isInjected(when) ? when : { ...options, at: when });
}

/** `@Interval` of @nestjs/schedule: {@link Every}, in milliseconds, with or without a name. */
export function Interval(interval: number): DecorateScheduled;
export function Interval(name: string, interval: number): DecorateScheduled;
export function Interval(first: string | number, second?: number): DecorateScheduled {
  if (typeof first === 'number') return declaring('@Interval', { every: first });
  return declaring('@Interval', { every: second as number, name: first });
}

/** The schedules declared on a class. */
export function declarationsOf(target: object): readonly Declaration[] {
  return (Reflect.getMetadata(DECLARATIONS, target) as Declaration[] | undefined) ?? [];
}

/**
 * What the options of a declaration come to; undefined when it is disabled.
 *
 * @param id of the schedule, if they do not name another
 * @throws OptionError
 */
export function toDeclared(
  id: string,
  given: ScheduleRule & DeclareOptions,
  path: string,
): ({ id: string } & ReturnType<typeof toTiming>) | undefined {
  const { name = id, disabled = false, ...options } = given;
  if (typeof disabled !== 'boolean') {
    throw new OptionError(`${path}.disabled`, 'must be true or false');
  }
  const named = checkedScheduleId(name, `${path}.name`);
  const timing = toTiming(named, translated(options, path), path);
  return disabled ? undefined : { id: named, ...timing };
}

function declaring(decorator: string, options: Declaration['options']): DecorateScheduled {
  return (target, method) => {
    const path = `${decorator} ${method}`;
    if (!isInjected(options)) toDeclared(method, options, path);
    Reflect.defineMetadata(
      DECLARATIONS,
      [...declarationsOf(target.constructor), { method, path, options }],
      target.constructor,
    );
    declareHandler(target, {
      kind: 'occurrence',
      handles: { verb: method, sentBy: SCHEDULES, open: openRun },
      method,
    });
  };
}

/** @nestjs/schedule's names become ours. */
function translated(
  options: ScheduleRule & SchedulePolicies & ScheduleNotes & NestScheduleOptions,
  path: string,
): ScheduleRule & SchedulePolicies & ScheduleNotes {
  const own = Object.fromEntries(
    Object.entries(options).filter(([name]) => !NEST.includes(name as never)),
  ) as ScheduleRule & SchedulePolicies & ScheduleNotes;
  const { timeZone, utcOffset, waitForCompletion, threshold } = options;
  const twice = [own.tz, timeZone, utcOffset].filter((each) => each !== undefined).length > 1;
  if (twice) throw new OptionError(`${path}.tz`, 'is given twice');
  if (timeZone !== undefined) own.tz = timeZone;
  if (utcOffset !== undefined) {
    own.tz = typeof utcOffset === 'number' ? offsetOf(utcOffset) : utcOffset;
  }
  if (waitForCompletion !== undefined) own.overlap ??= waitForCompletion ? 'skip' : 'allow';
  if (threshold !== undefined) {
    own.grace ??= threshold;
    own.catchUp ??= 'none';
  }
  return own;
}

/** Minutes east of Greenwich as '+hh:mm'. */
function offsetOf(minutes: number): string {
  const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(size / 60)}:${two(size % 60)}`;
}

function isInjected(value: unknown): value is InjectedOptions {
  return typeof (value as Partial<InjectedOptions> | null)?.use === 'function';
}
