import { OptionError } from '@callsheet/messaging';
import { readIcs } from './calendar.ics.js';
import type { Calendar, Weekday } from './rule.js';
import { wallOf } from './time.text.js';
import { LATEST, type Zone } from './zone.js';

const MAX_CALENDARS = 20;
const MAX_DATES = 1_000;
const MAX_HOURS = 50;
const DAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const OPTIONS = ['days', 'hours', 'dates', 'ics'];

/** Checks `include` or `exclude`: one calendar or several. Undefined when there is none. */
export function checkCalendars(written: unknown, zone: Zone, path: string): Calendar[] | undefined {
  if (written === undefined) return undefined;
  const list = Array.isArray(written);
  const calendars: readonly unknown[] = list ? written : [written];
  if (calendars.length > MAX_CALENDARS) {
    throw new OptionError(
      path,
      `must have at most ${MAX_CALENDARS} calendars, got ${calendars.length}`,
    );
  }
  const checked = calendars.map((one, index) =>
    checkCalendar(one, zone, list ? `${path}[${index}]` : path),
  );
  return checked.length > 0 ? checked : undefined;
}

function checkCalendar(written: unknown, zone: Zone, path: string): Calendar {
  if (typeof written !== 'object' || written === null || Array.isArray(written)) {
    throw new OptionError(path, "must be an object such as { days: ['sat', 'sun'] }");
  }
  const given: Partial<Record<keyof Calendar, unknown>> = written;
  for (const option of Object.keys(given)) {
    if (!OPTIONS.includes(option))
      throw new OptionError(`${path}.${option.slice(0, 40)}`, 'is not an option');
  }
  const weekly = given.days !== undefined || given.hours !== undefined;
  const kinds = [weekly, given.dates !== undefined, given.ics !== undefined].filter(Boolean);
  if (kinds.length !== 1) {
    throw new OptionError(path, 'needs one of: days and hours; dates; ics');
  }
  if (given.ics !== undefined) return { ics: readIcs(given.ics, zone, `${path}.ics`) };
  if (given.dates !== undefined) return { dates: checkDates(given.dates, `${path}.dates`) };
  return {
    ...(given.days !== undefined && { days: checkDays(given.days, `${path}.days`) }),
    ...(given.hours !== undefined && { hours: checkHours(given.hours, `${path}.hours`) }),
  };
}

function checkDays(days: unknown, path: string): Weekday[] {
  const known = DAYS.filter((day) => Array.isArray(days) && days.includes(day));
  if (Array.isArray(days) && days.length > 0 && days.every((day) => known.includes(day as Weekday)))
    return known;
  throw new OptionError(path, `must be a list of ${DAYS.join(', ')}`);
}

function checkHours(hours: unknown, path: string): string[] {
  return texts(hours, MAX_HOURS, path).map((text) => {
    const match = /^(\d{2}):(\d{2})-(\d{2}):(\d{2})$/.exec(text);
    const [fromHour = 99, fromMinute = 0, toHour = 99, toMinute = 0] = (match ?? [])
      .slice(1)
      .map(Number);
    const from = fromHour * 60 + fromMinute;
    const to = toHour * 60 + toMinute;
    const whole = fromMinute < 60 && toMinute < 60 && from < 24 * 60 && to <= 24 * 60;
    if (match && whole && from !== to) return text;
    throw new OptionError(path, `must be times such as '09:00-17:30', got '${text.slice(0, 40)}'`);
  });
}

function checkDates(dates: unknown, path: string): string[] {
  const checked = texts(dates, MAX_DATES, path).map((text) => {
    if (/^\d{2}-\d{2}$/.test(text)) {
      // 2000 had a February 29.
      day(`2000-${text}`, path);
      return text;
    }
    const match = /^(\d{4}-\d{2}-\d{2})(?:\/(\d{4}-\d{2}-\d{2}))?$/.exec(text);
    if (!match) {
      throw new OptionError(
        path,
        `must be '2026-12-24', '12-25' or '2026-12-24/2027-01-02', got '${text.slice(0, 40)}'`,
      );
    }
    const [, first = '', last] = match;
    const from = day(first, path);
    if (last !== undefined && day(last, path) < from)
      throw new OptionError(path, `ends before it starts: '${text}'`);
    return text;
  });
  return [...new Set(checked)].sort();
}

function day(text: string, path: string): number {
  const midnight = wallOf(text.split('-').map(Number), path);
  if (midnight >= 0 && midnight < LATEST) return midnight;
  throw new OptionError(path, `must be between 1970 and 2200, got '${text}'`);
}

function texts(written: unknown, max: number, path: string): string[] {
  const list: readonly unknown[] = Array.isArray(written) ? written : [written];
  if (list.length === 0) throw new OptionError(path, 'must not be empty');
  if (list.length > max)
    throw new OptionError(path, `must have at most ${max} entries, got ${list.length}`);
  return list.map((text) => {
    if (typeof text === 'string') return text;
    throw new OptionError(path, `must be text, got ${text === null ? 'null' : typeof text}`);
  });
}
