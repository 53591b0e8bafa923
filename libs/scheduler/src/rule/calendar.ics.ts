import { OptionError } from '@callsheet/messaging';
import { localTimes, property, readRecurrence, recurrenceTimes } from './recurrence.js';
import { DAY, stretchesOf, type Answer, type Times } from './stretch.js';
import type { WallTimes } from './wall.js';
import type { Zone } from './zone.js';

const MAX_LENGTH = 262_144;
const MAX_KEPT = 65_536;
const MAX_EVENTS = 1_000;
const MAX_RECURRING = 50;
const KEPT = /^(DTSTART|DTEND|DURATION|RRULE|RDATE|EXDATE|STATUS)[;:]/i;

/*
 * A reading of its own of what a calendar of holidays has, rather than a library: those for iCalendar bring alarms, attendees, zones
 * of their own, downloads or a second engine for recurrences, and do not bound what a text may cost. Recurrences are those of
 * recurrence.ts. VTIMEZONE is not read: a TZID must be an IANA name, as those of Google, Apple and Outlook.com are.
 */

interface Event {
  readonly lines: readonly string[];
}

/**
 * The lines of an iCalendar text that matter here, in one spelling.
 *
 * @throws OptionError for a text without events, with too many, or with one that cannot be read
 */
export function readIcs(written: unknown, zone: Zone, path: string): string {
  if (typeof written !== 'string')
    throw new OptionError(path, `must be the text of a calendar, got ${typeof written}`);
  if (written.length > MAX_LENGTH) {
    throw new OptionError(
      path,
      `must have at most ${MAX_LENGTH} characters, got ${written.length}`,
    );
  }
  const events = eventsOf(written);
  if (events.length === 0)
    throw new OptionError(path, 'has no event: there is no BEGIN:VEVENT … END:VEVENT');
  if (events.length > MAX_EVENTS) {
    throw new OptionError(path, `must have at most ${MAX_EVENTS} events, got ${events.length}`);
  }
  const kept = events.filter(({ lines }) => !lines.some((line) => /^STATUS:CANCELLED/i.test(line)));
  const recurring = kept.filter(({ lines }) => lines.some((line) => /^RRULE/i.test(line)));
  if (recurring.length > MAX_RECURRING) {
    throw new OptionError(
      path,
      `must have at most ${MAX_RECURRING} events that recur, got ${recurring.length}`,
    );
  }
  kept.forEach((event, index) => readEvent(event, zone, `${path} event ${index + 1}`));
  const text = kept
    .map(({ lines }) =>
      ['BEGIN:VEVENT', ...lines.filter((line) => !/^STATUS/i.test(line)), 'END:VEVENT'].join('\n'),
    )
    .join('\n');
  if (text.length > MAX_KEPT)
    throw new OptionError(path, `has dates of more than ${MAX_KEPT} characters`);
  return text;
}

/** The times that a text of {@link readIcs} has, on the clock of `zone`. */
export function icsCalendar(text: string, zone: Zone): Times {
  const events = eventsOf(text).map((event) => readEvent(event, zone, 'ics'));
  const single = stretchesOf(
    events.flatMap(({ starts, length }) => starts.map((from) => ({ from, to: from + length }))),
  );
  const recurring = events.filter(({ recurrence }) => recurrence !== undefined);
  return {
    at(wall) {
      let found = single.at(wall);
      for (const { recurrence, length } of recurring) {
        if (recurrence) found = joined(found, occasion(recurrence, length, wall));
      }
      return found;
    },
  };
}

function occasion(recurrence: WallTimes, length: number, wall: number): Answer {
  const from = recurrence.previous(wall + 1);
  if (from !== undefined && wall < from + length) return { has: true, from, to: from + length };
  return {
    has: false,
    from: from === undefined ? -Infinity : from + length,
    to: recurrence.next(wall) ?? Infinity,
  };
}

/** What two say of one time together. */
function joined(a: Answer, b: Answer): Answer {
  if (a.has !== b.has) return a.has ? a : b;
  return { has: a.has, from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) };
}

function eventsOf(text: string): Event[] {
  const events: Event[] = [];
  let lines: string[] | undefined;
  let inner = 0;
  for (const line of text.replace(/\r?\n[ \t]/g, '').split(/\r?\n/)) {
    if (/^BEGIN:VEVENT\s*$/i.test(line)) lines = [];
    else if (/^END:VEVENT\s*$/i.test(line)) {
      if (lines) events.push({ lines });
      lines = undefined;
    } else if (/^BEGIN:/i.test(line)) inner++;
    else if (/^END:/i.test(line)) inner = Math.max(0, inner - 1);
    else if (lines && inner === 0 && KEPT.test(line)) lines.push(line.trim());
    if (lines?.length === 0) inner = 0;
  }
  return events;
}

/** Wall times in `zone` at which an event starts, and how long it is. */
function readEvent(
  { lines }: Event,
  zone: Zone,
  path: string,
): { starts: number[]; length: number; recurrence?: WallTimes } {
  const line = (name: string) => lines.find((one) => new RegExp(`^${name}[;:]`, 'i').test(one));
  const start = line('DTSTART');
  if (start === undefined) throw new OptionError(path, 'has no DTSTART');
  const [from = 0] = localTimes(property(start, path), zone, path);
  const allDay = /^DTSTART[^:]*:\d{8}$/i.test(start);
  const end = line('DTEND');
  const [to = from + (allDay ? DAY : 0)] =
    end === undefined
      ? [durationEnd(line('DURATION'), from, path)]
      : localTimes(property(end.replace(/^DTEND/i, 'DTSTART'), path), zone, path);
  const length = to - from;
  if (length < 0) throw new OptionError(path, 'ends before it starts');
  if (line('RRULE') === undefined) {
    const more = lines
      .filter((one) => /^RDATE/i.test(one))
      .flatMap((one) => localTimes(property(one, path), zone, path));
    return { starts: [from, ...more], length };
  }
  const { tzid, value } = property(start, path);
  const own = value.endsWith('Z') ? 'UTC' : (tzid ?? zone.name);
  // On the clock of another zone it would be an hour off for some weeks of the year.
  if (!allDay && own !== zone.name) {
    throw new OptionError(
      path,
      `recurs by the clock of ${own}, and the rule has the zone ${zone.name}`,
    );
  }
  const recurring = lines.filter((one) => /^(DTSTART|RRULE|RDATE|EXDATE)/i.test(one));
  const { text } = readRecurrence(
    recurring.map((one) => inZone(one, zone, path)).join('\n'),
    zone.name,
    undefined,
    path,
  );
  // The first is an occasion of its own in iCalendar, also when the RRULE does not say so.
  const excepted = lines
    .filter((one) => /^EXDATE/i.test(one))
    .flatMap((one) => localTimes(property(one, path), zone, path));
  return {
    starts: excepted.includes(from) ? [] : [from],
    length,
    recurrence: recurrenceTimes(text),
  };
}

/** A line whose times are those of the clock of `zone`, without a TZID. */
function inZone(line: string, zone: Zone, path: string): string {
  if (/^RRULE/i.test(line)) return line;
  const read = property(line, path);
  const times = localTimes(read, zone, path).map((wall) =>
    new Date(wall).toISOString().slice(0, 19).replaceAll(/[-:]/g, ''),
  );
  return `${read.name}:${times.join(',')}`;
}

function durationEnd(line: string | undefined, from: number, path: string): number | undefined {
  if (line === undefined) return undefined;
  const match =
    /^DURATION[^:]*:\+?P(?:(\d{1,4})W|(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?)$/i.exec(
      line,
    );
  if (!match)
    throw new OptionError(path, `has a duration that cannot be read: '${line.slice(0, 40)}'`);
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return (
    from +
    (weeks ?? 0) * 7 * DAY +
    (days ?? 0) * DAY +
    (hours ?? 0) * 3_600_000 +
    (minutes ?? 0) * 60_000 +
    (seconds ?? 0) * 1_000
  );
}
