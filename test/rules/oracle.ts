import type { DstRule } from '@callsheet/scheduler';

/*
 * A second opinion on when a cron pattern fires, slow and plain: every minute (or second) of a window is asked what the clock shows
 * then, and whether the pattern names it. It shares no code with libs/scheduler: the clock is Intl's, asked for each quarter of an
 * hour; the pattern is a predicate, not a list of values.
 */

const QUARTER = 900_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** What the clock of a zone shows. */
export class Clock {
  private readonly format: Intl.DateTimeFormat;
  private readonly quarters = new Map<number, number>();

  constructor(readonly zone: string) {
    this.format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      dateStyle: 'short',
      timeStyle: 'medium',
    });
  }

  /** Wall time, as ms since 1970 on the wall. In the years that are tried all changes come at full quarters of an hour. */
  wall(instant: number): number {
    const quarter = Math.floor(instant / QUARTER) * QUARTER;
    let shown = this.quarters.get(quarter);
    if (shown === undefined) {
      shown = Date.parse(`${this.format.format(quarter).replace(' ', 'T')}Z`);
      this.quarters.set(quarter, shown);
    }
    return shown + (instant - quarter);
  }

  /** The changes of the clocks in some years: the first instant of each. */
  changes(firstYear: number, lastYear: number): number[] {
    const found: number[] = [];
    const offset = (instant: number) => this.wall(instant) - instant;
    const end = Date.UTC(lastYear + 1, 0, 1);
    for (let day = Date.UTC(firstYear, 0, 1); day < end; day += DAY) {
      if (offset(day) === offset(day + DAY)) continue;
      for (let at = day + QUARTER; at <= day + DAY; at += QUARTER) {
        if (offset(at) !== offset(at - QUARTER)) found.push(at);
      }
    }
    this.quarters.clear();
    return found;
  }

  forget(): void {
    this.quarters.clear();
  }
}

/** Whether a pattern names a wall time. */
export class Pattern {
  private readonly fields: readonly string[];
  private readonly minutes: readonly boolean[];
  private readonly hours: readonly boolean[];
  private readonly seconds: readonly boolean[];
  private readonly days = new Map<number, boolean>();
  /** `*` or a step in second, minute or hour. */
  readonly repeating: boolean;

  constructor(readonly text: string) {
    const fields = text.split(' ');
    this.fields = fields.length === 5 ? ['0', ...fields] : fields;
    const [second = '', minute = '', hour = ''] = this.fields;
    this.repeating = [second, minute, hour].some(
      (field) => field.includes('*') || field.includes('/'),
    );
    this.seconds = Array.from({ length: 60 }, (_, value) => names(second, value, 0, 59));
    this.minutes = Array.from({ length: 60 }, (_, value) => names(minute, value, 0, 59));
    this.hours = Array.from({ length: 24 }, (_, value) => names(hour, value, 0, 23));
  }

  has(wall: number): boolean {
    const inDay = ((wall % DAY) + DAY) % DAY;
    if (!this.hours[Math.floor(inDay / HOUR)]) return false;
    if (!this.minutes[Math.floor(inDay / 60_000) % 60]) return false;
    if (!this.seconds[Math.floor(inDay / 1_000) % 60]) return false;
    const day = wall - inDay;
    let known = this.days.get(day);
    if (known === undefined) {
      known = this.hasDay(new Date(day));
      this.days.set(day, known);
    }
    return known;
  }

  private hasDay(date: Date): boolean {
    const [days = '', months = '', written = ''] = this.fields.slice(3);
    const weekdays = written.replace('+', '');
    if (!names(months, date.getUTCMonth() + 1, 1, 12)) return false;
    const isDay = () => days.split(',').some((term) => dayTerm(term, date));
    const isWeekday = () => weekdays.split(',').some((term) => weekdayTerm(term, date));
    const anyDay = days === '*' || days === '?';
    const anyWeekday = weekdays === '*' || weekdays === '?';
    if (anyDay) return anyWeekday || isWeekday();
    if (anyWeekday) return isDay();
    return written.startsWith('+') ? isDay() && isWeekday() : isDay() || isWeekday();
  }
}

const NAMES = 'SUN MON TUE WED THU FRI SAT JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(
  ' ',
);

function number(text: string): number {
  const named = NAMES.indexOf(text);
  if (named < 0) return Number(text);
  return named < 7 ? named : named - 6;
}

/** Whether a field of numbers, ranges and steps names a value. */
export function names(field: string, value: number, min: number, max: number): boolean {
  return field.split(',').some((term) => {
    const [range = '', by] = term.split('/');
    const step = Number(by ?? 1);
    if (range === '*') return (value - min) % step === 0;
    const [from = NaN, to = by === undefined ? from : max] = range.split('-').map(number);
    const size = max - min + 1;
    const length = from <= to ? to - from : to - from + size;
    const distance = (value - from + size) % size;
    return distance <= length && distance % step === 0;
  });
}

function lastOf(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

function dayTerm(term: string, date: Date): boolean {
  const day = date.getUTCDate();
  const last = lastOf(date);
  const weekday = date.getUTCDay();
  if (term === 'L') return day === last;
  if (term.startsWith('L-')) return day === last - Number(term.slice(2));
  const isWorkday = weekday >= 1 && weekday <= 5;
  if (term === 'LW') return isWorkday && (day === last || (weekday === 5 && last - day <= 2));
  if (!term.endsWith('W')) return names(term, day, 1, 31);
  // Nearest workday within the month: Saturday goes back, the first of a month on; Sunday goes on, the last of a month back.
  const wanted = Number(term.slice(0, -1));
  if (!isWorkday || wanted > last) return false;
  if (day === wanted) return true;
  if (weekday === 5) return wanted === day + 1 || (wanted === day + 2 && wanted === last);
  if (weekday === 1) return wanted === day - 1 || (wanted === day - 2 && wanted === 1);
  return false;
}

function weekdayTerm(term: string, date: Date): boolean {
  const weekday = date.getUTCDay();
  const day = date.getUTCDate();
  const nth = /^(\w+?)(?:#(\d|L)|(L))$/.exec(term);
  if (nth) {
    if (number(nth[1] ?? '') % 7 !== weekday) return false;
    return nth[2] === 'L' || nth[3]
      ? day + 7 > lastOf(date)
      : Math.ceil(day / 7) === Number(nth[2]);
  }
  return (
    names(term, weekday, 0, 6) ||
    (weekday === 0 && names(term, 7, 0, 7)) ||
    upToSeven(term, weekday)
  );
}

/** `0-7`: 7 is Sunday again, so the range is the week. */
function upToSeven(term: string, weekday: number): boolean {
  const match = /^(\d)-7$/.exec(term);
  return match !== null && (weekday >= Number(match[1]) || weekday === 0);
}

/** When a pattern fires from `from` (included) to `to` (excluded), which lie at least a day away from the changes asked about. */
export function firings(
  pattern: Pattern,
  clock: Clock,
  dst: DstRule,
  from: number,
  to: number,
  step: number,
): number[] {
  const found = new Set<number>();
  const seen = new Set<number>();
  let before = clock.wall(from - step);
  // Times before the window may be repeated in it.
  for (let instant = from - 2 * HOUR; instant < from; instant += step)
    seen.add(clock.wall(instant));
  for (let instant = from; instant < to; instant += step) {
    const wall = clock.wall(instant);
    const again = seen.has(wall);
    seen.add(wall);
    if (pattern.has(wall) && (!again || pattern.repeating || dst === 'each')) found.add(instant);
    if (!pattern.repeating && (dst === 'once' || dst === 'shift')) {
      for (let missing = before + step; missing < wall; missing += step) {
        if (!pattern.has(missing)) continue;
        found.add(dst === 'once' ? instant : instant + (missing - before - step));
      }
    }
    before = wall;
  }
  return [...found].filter((instant) => instant < to).sort((a, b) => a - b);
}
