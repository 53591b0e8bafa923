import { OptionError } from '@callsheet/messaging';
import { draw } from './draw.js';

/** A pattern is at most this long; the longest useful ones have about 100 characters. */
const MAX_LENGTH = 256;

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of values, the first for `min`. */
  readonly names?: readonly string[];
  /** The largest value of a bare `H`: days 29 to 31 do not exist in every month. */
  readonly maxDrawn?: number;
}

const SECOND: Field = { name: 'second', min: 0, max: 59 };
const MINUTE: Field = { name: 'minute', min: 0, max: 59 };
const HOUR: Field = { name: 'hour', min: 0, max: 23 };
const DAY: Field = { name: 'day of month', min: 1, max: 31, maxDrawn: 28 };
const MONTH: Field = {
  name: 'month',
  min: 1,
  max: 12,
  names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
};
const WEEKDAY: Field = {
  name: 'day of week',
  min: 0,
  max: 6,
  names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
};
const FIELDS = [SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY] as const;

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
  '@minutely': '* * * * *',
  '@weekdays': '0 0 * * 1-5',
  '@weekends': '0 0 * * 0,6',
};

/** What a pattern of the dialect says: fields, or an interval, and the zone in front of it. */
export interface CronText {
  /** Six fields in the spelling that cron.ts reads: all numbers, without `H`; ranges may run backwards. */
  readonly pattern?: string;
  /** The text after `@every`. */
  readonly every?: string;
  readonly tz?: string;
}

/**
 * Reads a pattern of the dialect.
 *
 * @param seed what `H` is drawn from
 * @param path names the option in the error
 * @throws OptionError that names the field and quotes the pattern
 */
export function readCron(written: unknown, seed: string, path: string): CronText {
  if (typeof written !== 'string') {
    throw new OptionError(
      path,
      `must be a cron pattern, got ${written === null ? 'null' : typeof written}`,
    );
  }
  if (written.length > MAX_LENGTH) {
    throw new OptionError(
      path,
      `must have at most ${MAX_LENGTH} characters, got ${written.length}`,
    );
  }
  const zoned = /^\s*(?:CRON_)?TZ=(\S*)\s*/.exec(written);
  const text = (zoned ? written.slice(zoned[0].length) : written).trim().replace(/\s+/g, ' ');
  const tz = zoned ? { tz: zoned[1] ?? '' } : {};
  const every = /^@every (.*)$/i.exec(text)?.[1];
  if (every !== undefined) return { ...tz, every };
  return { ...tz, pattern: readFields(text, seed, path) };
}

function readFields(text: string, seed: string, path: string): string {
  const fields = nickname(text, path).split(' ').filter(Boolean);
  if (fields.length === 5) fields.unshift('0');
  if (fields.length !== 6) {
    const count = fields.length === 0 ? 'it is empty' : `'${text}' has ${fields.length}`;
    throw new OptionError(path, `needs five fields (minute first) or six (second first), ${count}`);
  }
  return FIELDS.map((field, index) => {
    const fail = (problem: string): never => {
      throw new OptionError(path, `has ${problem} in '${text}'`);
    };
    return new FieldReader(field, `${seed}\n${index}`, fail).read(
      (fields[index] ?? '').toUpperCase(),
    );
  }).join(' ');
}

function nickname(text: string, path: string): string {
  if (!text.startsWith('@')) return text;
  const fields = NICKNAMES[text.toLowerCase()];
  if (fields) return fields;
  const known = `${Object.keys(NICKNAMES).join(', ')}, @every`;
  throw new OptionError(path, `is no nickname: '${text}'; there are ${known}`);
}

/** Reads one field into numbers. */
class FieldReader {
  constructor(
    private readonly field: Field,
    private readonly seed: string,
    private readonly fail: (problem: string) => never,
  ) {}

  read(text: string): string {
    const both = this.field === WEEKDAY && text.startsWith('+') ? '+' : '';
    const terms = text
      .slice(both.length)
      .split(',')
      .map((term) => this.term(term));
    if (terms.includes('*')) return '*';
    return both + [...new Set(terms)].join(',');
  }

  private term(term: string): string {
    const { name } = this.field;
    if (term === '') return this.fail(`an empty ${name}`);
    const special =
      this.field === DAY
        ? this.specialDay(term)
        : this.field === WEEKDAY
          ? this.specialWeekday(term)
          : undefined;
    if (special !== undefined) return special;
    const [range = '', step, ...more] = term.split('/');
    if (more.length > 0) return this.fail(`${name} '${term}' (with two steps)`);
    return this.stepped(range, step === undefined ? undefined : this.step(step), term);
  }

  /** `L`, `L-3`, `LW`, `15W`, `?`. */
  private specialDay(term: string): string | undefined {
    if (term === '?') return '*';
    if (term === 'L' || term === 'L-0') return 'L';
    if (term === 'LW' || term === 'WL') return 'LW';
    const fromEnd = /^L-(\d{1,3})$/.exec(term)?.[1];
    if (fromEnd !== undefined) {
      const days = Number(fromEnd);
      return days <= 30
        ? `L-${days}`
        : this.fail(`day of month '${term}' (at most 30 before the last)`);
    }
    const near = /^(\d{1,3})W$/.exec(term)?.[1];
    return near === undefined ? undefined : `${this.value(near)}W`;
  }

  /** `MON#2`, `MON#L`, `MONL`, `1L`, `?`. */
  private specialWeekday(term: string): string | undefined {
    if (term === '?') return '*';
    const match = /^([A-Z]{3}|\d{1,3})(?:#(\d{1,3}|L)|L)$/.exec(term);
    if (!match) return undefined;
    const [, day = '', nth = 'L'] = match;
    if (nth !== 'L' && (Number(nth) < 1 || Number(nth) > 5)) {
      return this.fail(`day of week '${term}' (after # must be 1 to 5, or L)`);
    }
    return `${this.value(day)}#${nth === 'L' ? nth : Number(nth)}`;
  }

  private stepped(range: string, step: number | undefined, term: string): string {
    const { min, max } = this.field;
    if (range === '*') return step === undefined || step === 1 ? '*' : `*/${step}`;
    if (/^H(\(|$)/.test(range)) return this.drawn(range, step, term);
    const [from = '', to, ...more] = range.split('-');
    if (more.length > 0) return this.fail(`${this.field.name} '${term}' (no range)`);
    if (to === undefined) {
      const value = this.value(from);
      return step === undefined ? `${value}` : ranged(value, max, step);
    }
    const first = this.value(from);
    const last = this.value(to);
    // 0-7 and SUN-7 are the whole week: 7 is Sunday again.
    if (this.field === WEEKDAY && to === '7' && first === 0) return ranged(min, max, step);
    return ranged(first, last, step);
  }

  /** `H`, `H/15`, `H(0-29)`, `H(0-29)/10`, as in Jenkins. */
  private drawn(range: string, step: number | undefined, term: string): string {
    const { name, min, max, maxDrawn = max } = this.field;
    const match = /^H(?:\((\d{1,3})-(\d{1,3})\))?$/.exec(range);
    if (!match) return this.fail(`${name} '${term}' (H is written H, H/15, H(0-29) or H(0-29)/10)`);
    const first = match[1] === undefined ? min : this.value(match[1]);
    const last = match[2] === undefined ? maxDrawn : this.value(match[2]);
    if (first > last) return this.fail(`${name} '${term}' (a range of H cannot run backwards)`);
    const choices = Math.min(step ?? Infinity, last - first + 1);
    const value = first + Math.floor(draw(this.seed) * choices);
    return step === undefined ? `${value}` : ranged(value, last, step);
  }

  private step(text: string): number {
    const { name, min, max } = this.field;
    const step = /^\d{1,3}$/.test(text) ? Number(text) : NaN;
    if (!(step >= 1 && step <= max - min + 1)) {
      return this.fail(`a step '${text}' of the ${name} (must be 1 to ${max - min + 1})`);
    }
    return step;
  }

  private value(text: string): number {
    const { name, min, max, names } = this.field;
    const named = names?.indexOf(text) ?? -1;
    if (named >= 0) return min + named;
    const value = /^\d{1,3}$/.test(text) ? Number(text) : NaN;
    if (this.field === WEEKDAY && value === 7) return 0;
    if (value >= min && value <= max) return value;
    const highest = this.field === WEEKDAY ? 7 : max;
    const example = names ? `, or a name such as ${names[1]}` : '';
    return this.fail(`${name} '${text}' (must be ${min} to ${highest}${example})`);
  }
}

function ranged(first: number, last: number, step?: number): string {
  if (step === undefined) return first === last ? `${first}` : `${first}-${last}`;
  return `${first}-${last}/${step}`;
}
