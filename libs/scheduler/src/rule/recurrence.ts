import { OptionError } from '@callsheet/messaging';
import { RRuleTemporal } from 'rrule-temporal';
import { RecentlyUsed } from './recently.used.js';
import { instantsIn, wallOf } from './time.text.js';
import type { WallTimes } from './wall.js';
import { LATEST, zoneName, zoneOf, type Zone } from './zone.js';

const MAX_LENGTH = 8_192;
const MAX_COUNT = 1_000;
/**
 * How many times of day BYHOUR, BYMINUTE and BYSECOND may name together, of a rule whose period is a day or less, and of another: for
 * each occurrence the library goes through those of the whole period.
 */
const MAX_TIMES = 96;
const MAX_TIMES_OF_LONG = 24;
/** The library steps from period to period: enough for the eight years around 2100 without February 29, day by day. */
const MAX_ITERATIONS = 4_000;

/** Parts of an RRULE in the order in which they are kept, and what each may say. */
const PARTS: Readonly<
  Record<string, RegExp | readonly [min: number, max: number, signed?: boolean]>
> = {
  FREQ: /^(SECONDLY|MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY)$/,
  INTERVAL: [1, 100_000],
  COUNT: [1, MAX_COUNT],
  UNTIL: /^\d{8}(T\d{6}Z?)?$/,
  BYSECOND: [0, 59],
  BYMINUTE: [0, 59],
  BYHOUR: [0, 23],
  BYDAY: /^([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU))*$/,
  BYMONTHDAY: [1, 31, true],
  BYYEARDAY: [1, 366, true],
  BYWEEKNO: [1, 53, true],
  BYMONTH: [1, 12],
  BYSETPOS: [1, 366, true],
  WKST: /^(MO|TU|WE|TH|FR|SA|SU)$/,
};

/** A recurrence as it is kept: local lines of DTSTART, RRULE, EXDATE, RDATE, and the zone they are read in. */
export interface RecurrenceText {
  readonly text: string;
  readonly tz: string;
}

/**
 * Reads an RRULE, alone or with the lines of iCalendar around it.
 *
 * @param tz the zone that the rule names, if it does
 * @param start wall time that stands in for a missing DTSTART, told the zone
 * @throws OptionError for what RFC 5545 does not allow, and for rules that would be costly
 */
export function readRecurrence(
  written: unknown,
  tz: string | undefined,
  start: ((zone: Zone) => number) | undefined,
  path: string,
): RecurrenceText {
  if (typeof written !== 'string') {
    throw new OptionError(
      path,
      `must be the text of an RRULE, got ${written === null ? 'null' : typeof written}`,
    );
  }
  if (written.length > MAX_LENGTH) {
    throw new OptionError(
      path,
      `must have at most ${MAX_LENGTH} characters, got ${written.length}`,
    );
  }
  const lines = written
    .replace(/\r?\n[ \t]/g, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => property(line, path));
  const anchors = lines.filter(({ name }) => name === 'DTSTART');
  const rules = lines.filter(({ name }) => name === 'RRULE');
  const [rule] = rules;
  if (!rule || rules.length > 1)
    throw new OptionError(path, `needs one RRULE, got ${rules.length}`);
  if (anchors.length > 1) throw new OptionError(path, 'has more than one DTSTART');
  const [anchor] = anchors;
  const zone = zoneOf(zoneFor(anchor, tz, path), path);
  const dtstart = anchor ? localTimes(anchor, zone, path)[0] : start?.(zone);
  if (dtstart === undefined) {
    throw new OptionError(path, 'needs a DTSTART line, or the option start, as its phase');
  }
  const kept = [`DTSTART:${compact(dtstart)}`, `RRULE:${readParts(rule.value, zone, path)}`];
  for (const name of ['EXDATE', 'RDATE']) {
    const times = lines
      .filter((line) => line.name === name)
      .flatMap((line) => localTimes(line, zone, path));
    const unique = [...new Set(times)].sort((a, b) => a - b);
    if (unique.length > 0) kept.push(`${name}:${unique.map(compact).join(',')}`);
  }
  const text = kept.join('\n');
  tried(text, path);
  return { text, tz: zone.name };
}

const compiled = new RecentlyUsed<string, WallTimes>(200);

/** The wall times of a recurrence that {@link readRecurrence} has read. */
export function recurrenceTimes(text: string): WallTimes {
  const known = compiled.get(text);
  if (known) return known;
  const times = new RecurrenceTimes(text);
  compiled.set(text, times);
  return times;
}

/** The library on a clock without zone, which it calls UTC: dst.ts turns its times into instants. */
class RecurrenceTimes implements WallTimes {
  readonly repeating: boolean;
  private readonly rule: RRuleTemporal;

  constructor(text: string) {
    this.repeating = /FREQ=(HOURLY|MINUTELY|SECONDLY)/.test(text);
    this.rule = new RRuleTemporal({
      rruleString: text.replace('DTSTART:', 'DTSTART;TZID=UTC:').replace(/(UNTIL=\d+T\d+)/, '$1Z'),
      maxIterations: MAX_ITERATIONS,
      strict: true,
      cache: false,
    });
  }

  next(wall: number): number | undefined {
    return this.search(() => this.rule.next(new Date(wall)));
  }

  previous(wall: number): number | undefined {
    return this.search(() => this.rule.previous(new Date(wall)));
  }

  /** A search that takes too long finds nothing; whether the first one does is known before a rule is accepted. */
  private search(
    find: () => { readonly epochMilliseconds: number } | null | undefined,
  ): number | undefined {
    try {
      const found = find()?.epochMilliseconds;
      return found !== undefined && found < LATEST ? found : undefined;
    } catch {
      return undefined;
    }
  }
}

function tried(text: string, path: string): void {
  let times: WallTimes;
  try {
    times = recurrenceTimes(text);
  } catch (error) {
    throw new OptionError(path, `cannot be read: ${(error as Error).message}`);
  }
  if (times.next(-1) === undefined) {
    throw new OptionError(path, 'never fires, or too rarely to be computed');
  }
}

interface Property {
  readonly name: string;
  readonly tzid?: string;
  readonly value: string;
}

/** A line of iCalendar: name, parameters, value. Of the parameters only TZID matters; VALUE is seen from the value. */
export function property(line: string, path: string): Property {
  const bare = /^[A-Z]+=[^:]*$/i.test(line) ? `RRULE:${line}` : line;
  const match = /^([A-Z-]+)((?:;[A-Z-]+=(?:"[^"]*"|[^:;"]*))*):(.*)$/i.exec(bare);
  const name = match?.[1]?.toUpperCase() ?? '';
  if (!match || !['DTSTART', 'RRULE', 'EXDATE', 'RDATE'].includes(name)) {
    const shown = line.length > 40 ? `${line.slice(0, 40)}…` : line;
    throw new OptionError(
      path,
      `has a line that is not DTSTART, RRULE, EXDATE or RDATE: '${shown}'`,
    );
  }
  const tzid = /;TZID="?([^":;]*)"?/i.exec(match[2] ?? '')?.[1];
  return { name, value: match[3] ?? '', ...(tzid !== undefined && { tzid }) };
}

function zoneFor(anchor: Property | undefined, tz: string | undefined, path: string): string {
  if (anchor?.tzid === undefined) return tz ?? 'UTC';
  const own = zoneName(anchor.tzid, path);
  if (tz !== undefined && tz !== own) {
    throw new OptionError(path, `has DTSTART in ${own}, and tz says ${tz}: leave one out`);
  }
  return own;
}

/** The wall times, in `zone`, of the comma-separated dates and times of a property. */
export function localTimes(line: Property, zone: Zone, path: string): number[] {
  return line.value.split(',').map((text) => localTime(text, line.tzid, zone, path));
}

function localTime(text: string, tzid: string | undefined, zone: Zone, path: string): number {
  const match = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z)?)?$/.exec(text);
  if (!match) throw new OptionError(path, `has a time that cannot be read: '${text.slice(0, 40)}'`);
  const wall = wallOf(
    match.slice(1, 7).map((part) => Number(part ?? 0)),
    path,
  );
  if (wall < 0 || wall >= LATEST) throw new OptionError(path, `has a time outside of 1970 to 2200`);
  if (match[7]) return wall + zone.offset(wall);
  const own = tzid === undefined ? zone : zoneOf(tzid, path);
  if (own.name === zone.name) return wall;
  const [instant = wall] = instantsIn(wall, own, 'once');
  return instant + zone.offset(instant);
}

/** The parts of an RRULE, checked, in one order, its UNTIL as a wall time. */
function readParts(value: string, zone: Zone, path: string): string {
  const given = new Map<string, string>();
  for (const part of value.toUpperCase().split(';')) {
    const [name = '', text = '', ...more] = part.split('=');
    const allowed = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
    if (!allowed || more.length > 0)
      throw new OptionError(path, `has an unknown part '${part.slice(0, 40)}'`);
    if (given.has(name)) throw new OptionError(path, `has ${name} twice`);
    given.set(name, readPart(name, text, allowed, path));
  }
  if (!given.has('FREQ')) throw new OptionError(path, 'needs FREQ');
  if (given.has('COUNT') && given.has('UNTIL')) {
    throw new OptionError(path, 'has COUNT and UNTIL: leave one out');
  }
  const times = ['BYHOUR', 'BYMINUTE', 'BYSECOND'].reduce((product, name) => {
    return product * (given.get(name)?.split(',').length ?? 1);
  }, 1);
  const isLong = ['WEEKLY', 'MONTHLY', 'YEARLY'].includes(given.get('FREQ') ?? '');
  const most = isLong ? MAX_TIMES_OF_LONG : MAX_TIMES;
  if (times > most) {
    throw new OptionError(
      path,
      `names ${times} times of day by BYHOUR, BYMINUTE and BYSECOND, and ${most} are the most: use a smaller FREQ`,
    );
  }
  const until = given.get('UNTIL');
  if (until !== undefined) {
    const last = until.length === 8 ? `${until}T235959` : until;
    given.set('UNTIL', compact(localTime(last, undefined, zone, path)));
  }
  return Object.keys(PARTS)
    .filter((name) => given.has(name))
    .map((name) => `${name}=${given.get(name)}`)
    .join(';');
}

function readPart(
  name: string,
  text: string,
  allowed: RegExp | readonly [min: number, max: number, signed?: boolean],
  path: string,
): string {
  const fail = (why: string): never => {
    throw new OptionError(path, `has ${name}=${text.slice(0, 40)}, ${why}`);
  };
  if (allowed instanceof RegExp) return allowed.test(text) ? text : fail('which cannot be read');
  const [min, max, signed = false] = allowed;
  const values = text.split(',');
  if (values.length > 1 && !name.startsWith('BY')) return fail('where one number is needed');
  const numbers = values.map((one) => {
    const number = (signed ? /^[+-]?\d{1,6}$/ : /^\d{1,6}$/).test(one) ? Number(one) : NaN;
    const size = Math.abs(number);
    if (size >= min && size <= max) return number;
    return fail(
      `which must be ${min} to ${max}${signed ? ', or the same from the end with -' : ''}`,
    );
  });
  return [...new Set(numbers)].join(',');
}

/** `20261224T180000`. */
function compact(wall: number): string {
  return new Date(wall).toISOString().slice(0, 19).replaceAll('-', '').replaceAll(':', '');
}
