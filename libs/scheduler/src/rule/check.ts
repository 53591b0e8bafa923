import { OptionError, toMilliseconds, type Duration } from '@callsheet/messaging';
import { checkCalendars } from './calendar.check.js';
import { readCron } from './cron.dialect.js';
import { nextOccurrence } from './occurrences.js';
import { readRecurrence } from './recurrence.js';
import type { CheckedRule, DstRule, ScheduleRule } from './rule.js';
import { readTime } from './time.text.js';
import { zoneName, zoneOf } from './zone.js';

const KINDS = ['cron', 'every', 'at', 'rrule'] as const;
/** Names of the options of a rule. */
export const RULE_OPTIONS: readonly (keyof ScheduleRule)[] = [
  ...KINDS,
  'phase',
  'tz',
  'dst',
  'start',
  'end',
  'limit',
  'include',
  'exclude',
  'onExcluded',
  'window',
  'jitter',
  'seed',
];
const OPTIONS: ReadonlySet<string> = new Set(RULE_OPTIONS);
const DST_RULES: readonly DstRule[] = ['once', 'skip', 'shift', 'each'];
const MAX_PATTERNS = 10;
const MAX_DATES = 1_000;
const MIN_INTERVAL = 100;
const MAX_LIMIT = 1_000_000_000;

/** Patterns that never fire are sought from here, when no start is given: one that has fired by 2050 has fired in any 50 years. */
const LONG_AGO = Date.UTC(2000, 0, 1);

type Kind = Pick<CheckedRule, 'cron' | 'every' | 'phase' | 'at' | 'rrule' | 'tz'>;

/**
 * Checks a rule, whoever wrote it, and makes it canonical. Its cost is bounded: texts, lists and searches have a limit.
 *
 * @param path what the rule is called in errors: 'rule' gives 'rule.cron has ...'
 * @param seed what `H`, window and jitter are drawn from unless the rule says: the id of the schedule
 * @throws OptionError that names the field: an unknown or wrong one, none or two kinds, a pattern that cannot be read or never fires
 */
export function checkRule(rule: unknown, path: string, seed: string): CheckedRule {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) {
    throw new OptionError(path, "must be an object such as { cron: '0 7 * * *' }");
  }
  const given: Partial<Record<keyof ScheduleRule, unknown>> = rule;
  for (const option of Object.keys(given)) {
    if (!OPTIONS.has(option))
      throw new OptionError(at(path, option.slice(0, 40)), 'is not an option');
  }
  const checkedSeed = checkSeed(given.seed ?? seed, at(path, 'seed'));
  const dst = oneOf(given.dst, DST_RULES, 'once', at(path, 'dst'));
  const kind = checkKind(given, dst, checkedSeed, path);
  const zone = zoneOf(kind.tz);
  const time = (option: 'start' | 'end') =>
    given[option] === undefined
      ? undefined
      : readTime(given[option], zone, 'once', at(path, option))[0];
  const start = time('start');
  const end = time('end');
  if (start !== undefined && end !== undefined && end < start) {
    throw new OptionError(at(path, 'end'), 'is before start');
  }
  const include = checkCalendars(given.include, zone, at(path, 'include'));
  const exclude = checkCalendars(given.exclude, zone, at(path, 'exclude'));
  const onExcluded = oneOf(given.onExcluded, ['drop', 'next-day'], 'drop', at(path, 'onExcluded'));
  const checked: CheckedRule = {
    ...kind,
    dst,
    ...(start !== undefined && { start: iso(start) }),
    ...(end !== undefined && { end: iso(end) }),
    ...(given.limit !== undefined && { limit: checkLimit(given.limit, at(path, 'limit')) }),
    ...(include && { include }),
    ...(exclude && { exclude }),
    onExcluded,
    ...(given.window !== undefined && { window: checkWindow(given.window, at(path, 'window')) }),
    ...(given.jitter !== undefined && {
      jitter: toMilliseconds(given.jitter as Duration, at(path, 'jitter')),
    }),
    seed: checkedSeed,
  };
  checkMoves(checked, at(path, 'onExcluded'));
  checkFires(checked, path);
  return checked;
}

function checkKind(
  given: Partial<Record<keyof ScheduleRule, unknown>>,
  dst: DstRule,
  seed: string,
  path: string,
): Kind {
  const kinds = KINDS.filter((kind) => given[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const got = kinds.length === 0 ? 'none' : kinds.join(' and ');
    throw new OptionError(path, `needs exactly one of cron, every, at, rrule, got ${got}`);
  }
  const tz = given.tz === undefined ? undefined : zoneName(given.tz, at(path, 'tz'));
  const where = at(path, kind);
  if (given.phase !== undefined && kind !== 'every' && kind !== 'cron') {
    throw new OptionError(at(path, 'phase'), 'needs every');
  }
  if (kind === 'cron') return checkCron(given.cron, tz, given.phase, seed, path);
  if (kind === 'every') return { ...checkEvery(given.every, given.phase, path), tz: tz ?? 'UTC' };
  if (kind === 'at') return { at: checkDates(given.at, tz, dst, where), tz: tz ?? 'UTC' };
  const { text, tz: own } = readRecurrence(
    given.rrule,
    tz,
    given.start === undefined
      ? undefined
      : (zone) => {
          const [start = 0] = readTime(given.start, zone, 'once', at(path, 'start'));
          return start + zone.offset(start);
        },
    where,
  );
  return { rrule: text, tz: own };
}

function checkCron(
  written: unknown,
  tz: string | undefined,
  phase: unknown,
  seed: string,
  path: string,
): Kind {
  const where = at(path, 'cron');
  const list = Array.isArray(written);
  const patterns: readonly unknown[] = list ? written : [written];
  if (patterns.length === 0) throw new OptionError(where, 'must have at least one pattern');
  if (patterns.length > MAX_PATTERNS) {
    throw new OptionError(
      where,
      `must have at most ${MAX_PATTERNS} patterns, got ${patterns.length}`,
    );
  }
  let zone = tz;
  const read = patterns.map((pattern, index) => {
    const here = list ? `${where}[${index}]` : where;
    const text = readCron(pattern, seed, here);
    if (text.tz !== undefined) {
      const own = zoneName(text.tz, here);
      if (zone !== undefined && zone !== own) {
        throw new OptionError(here, `names the zone ${own}, and there is ${zone} already`);
      }
      zone = own;
    }
    return text;
  });
  const every = read.find((text) => text.every !== undefined);
  if (every) {
    if (read.length > 1)
      throw new OptionError(where, 'has @every among other patterns: it stands alone');
    return { ...checkEvery(every.every, phase, path, where), tz: zone ?? 'UTC' };
  }
  if (phase !== undefined) throw new OptionError(at(path, 'phase'), 'needs every');
  const cron = [...new Set(read.map(({ pattern = '' }) => pattern))];
  for (const [index, pattern] of cron.entries()) {
    const rule: CheckedRule = { cron: [pattern], tz: 'UTC', dst: 'once', onExcluded: 'drop', seed };
    if (nextOccurrence(rule, LONG_AGO) === undefined) {
      throw new OptionError(
        list ? `${where}[${index}]` : where,
        `never fires: there is no day for '${pattern}'`,
      );
    }
  }
  return { cron, tz: zone ?? 'UTC' };
}

function checkEvery(
  written: unknown,
  shifted: unknown,
  path: string,
  where = at(path, 'every'),
): { every: number; phase?: number } {
  const every = toMilliseconds(written as Duration, where);
  if (every < MIN_INTERVAL) throw new OptionError(where, `must be at least ${MIN_INTERVAL}ms`);
  if (shifted === undefined) return { every };
  const phase = toMilliseconds(shifted as Duration, at(path, 'phase'));
  if (phase >= every) throw new OptionError(at(path, 'phase'), 'must be less than every');
  return { every, ...(phase > 0 && { phase }) };
}

function checkDates(
  written: unknown,
  tz: string | undefined,
  dst: DstRule,
  where: string,
): string[] {
  const list = Array.isArray(written);
  const dates: readonly unknown[] = list ? written : [written];
  if (dates.length === 0) throw new OptionError(where, 'must have at least one date');
  if (dates.length > MAX_DATES) {
    throw new OptionError(where, `must have at most ${MAX_DATES} dates, got ${dates.length}`);
  }
  const zone = zoneOf(tz ?? 'UTC');
  const instants = dates.flatMap((date, index) =>
    readTime(date, zone, dst, list ? `${where}[${index}]` : where),
  );
  return [...new Set(instants)].sort((a, b) => a - b).map(iso);
}

function checkLimit(limit: unknown, path: string): number {
  if (Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= MAX_LIMIT)
    return Number(limit);
  throw new OptionError(path, 'must be a whole number from 1 to 1,000,000,000');
}

function checkWindow(window: unknown, path: string): number | `${number}%` {
  const percent =
    typeof window === 'string' ? /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(window)?.[1] : undefined;
  if (percent === undefined) return toMilliseconds(window as Duration, path);
  const part = Number(percent);
  if (part > 0 && part <= 100) return `${part}%`;
  throw new OptionError(path, `must be more than 0% and at most 100%, got '${String(window)}'`);
}

function checkSeed(seed: unknown, path: string): string {
  if (typeof seed === 'string' && seed.length > 0 && seed.length <= 512) return seed;
  throw new OptionError(path, 'must be text of 1 to 512 characters');
}

/** A time of day that is excluded has no same time on another day: whole days only. */
function checkMoves(rule: CheckedRule, path: string): void {
  if (rule.onExcluded === 'drop') return;
  if (!rule.cron && rule.rrule === undefined)
    throw new OptionError(path, "'next-day' needs cron or rrule");
  const calendars = [...(rule.include ?? []), ...(rule.exclude ?? [])];
  if (calendars.length === 0) throw new OptionError(path, "'next-day' needs include or exclude");
  const timed = ({ hours, ics }: { hours?: unknown; ics?: string }) =>
    hours !== undefined ||
    (ics !== undefined && /^(DTSTART|DTEND|RDATE)[^:]*:\d{8}T|^DURATION.*T/m.test(ics));
  if (calendars.some(timed)) {
    throw new OptionError(
      path,
      "'next-day' needs calendars of whole days: without hours and times",
    );
  }
}

function checkFires(rule: CheckedRule, path: string): void {
  const start = rule.start === undefined ? LONG_AGO : Date.parse(rule.start);
  const first = nextOccurrence(rule, rule.at || rule.rrule !== undefined ? -1 : start - 1);
  if (first !== undefined) return;
  const narrowed =
    rule.include || rule.exclude
      ? 'its calendars leave nothing'
      : 'nothing lies between start and end';
  throw new OptionError(path, `never fires: ${narrowed}`);
}

function oneOf<T extends string>(
  value: unknown,
  allowed: readonly T[],
  fallback: T,
  path: string,
): T {
  if (value === undefined) return fallback;
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new OptionError(path, `must be ${allowed.map((one) => `'${one}'`).join(', ')}`);
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}

function at(path: string, option: string): string {
  return path === '' ? option : `${path}.${option}`;
}
