import { describe, expect, it } from 'vitest';
import { checkRule } from './check.js';
import { occurrencesBetween, previousOccurrence } from './occurrences.js';
import type { ScheduleRule } from './rule.js';

/** The local times of the first occurrences after a time, of rules in UTC. */
function after(from: string, count: number, written: ScheduleRule): string[] {
  const rule = checkRule(written, 'rule', 'seed');
  const found = occurrencesBetween(rule, Date.parse(from), Infinity, count);
  // Backwards they are the same.
  const back = found.map((_, index) =>
    previousOccurrence(rule, found[index + 1] ?? (found.at(-1) ?? 0) + 1),
  );
  expect(back).toEqual(found);
  return found.map((at) => new Date(at).toISOString().slice(0, 16));
}

const holidays = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'BEGIN:VTIMEZONE',
  'TZID:Somewhere',
  'BEGIN:STANDARD',
  'DTSTART:19701101T020000',
  'END:STANDARD',
  'END:VTIMEZONE',
  'BEGIN:VEVENT',
  'UID:1',
  'SUMMARY:Christmas',
  'DTSTART;VALUE=DATE:20251225',
  'DTEND;VALUE=DATE:20251227',
  'RRULE:FREQ=YEAR',
  ' LY',
  'BEGIN:VALARM',
  'TRIGGER;VALUE=DATE-TIME:20251224T000000Z',
  'DURATION:PT15M',
  'END:VALARM',
  'END:VEVENT',
  'BEGIN:VEVENT',
  'SUMMARY:Called off',
  'STATUS:CANCELLED',
  'DTSTART;VALUE=DATE:20261224',
  'END:VEVENT',
  'BEGIN:VEVENT',
  'SUMMARY:Maintenance',
  'DTSTART;TZID=America/New_York:20261228T030000',
  'DURATION:PT2H',
  'END:VEVENT',
  'END:VCALENDAR',
].join('\r\n');

describe('calendars', () => {
  it('leave out days of the week', () => {
    expect(
      after('2026-11-26T12:00Z', 3, { cron: '0 9 * * *', exclude: { days: ['sat', 'sun'] } }),
    ).toEqual(['2026-11-27T09:00', '2026-11-30T09:00', '2026-12-01T09:00']);
  });

  it('keep to hours, also over midnight: the first minute in, the last out', () => {
    const include = { hours: '23:00-01:00' };
    expect(after('2026-11-26T12:00Z', 5, { cron: '*/30 * * * *', include })).toEqual([
      '2026-11-26T23:00',
      '2026-11-26T23:30',
      '2026-11-27T00:00',
      '2026-11-27T00:30',
      '2026-11-27T23:00',
    ]);
  });

  it('take days and hours together, and several as alternatives', () => {
    const include = [
      { days: ['mon'], hours: '09:00-09:30' },
      { days: ['tue'], hours: ['10:00-10:15', '11:00-11:15'] },
    ] as const;
    expect(after('2026-11-29T00:00Z', 5, { cron: '*/15 * * * *', include })).toEqual([
      '2026-11-30T09:00',
      '2026-11-30T09:15',
      '2026-12-01T10:00',
      '2026-12-01T11:00',
      '2026-12-07T09:00',
    ]);
  });

  it('leave out dates: single, yearly, from and to', () => {
    const exclude = { dates: ['2026-12-22', '12-25', '2026-12-27/2027-01-02'] };
    expect(after('2026-12-20T12:00Z', 6, { cron: '0 9 * * *', exclude })).toEqual([
      '2026-12-21T09:00',
      '2026-12-23T09:00',
      '2026-12-24T09:00',
      '2026-12-26T09:00',
      '2027-01-03T09:00',
      '2027-01-04T09:00',
    ]);
  });

  it('read iCalendar: days, recurrences, durations, zones; not what is cancelled, nor alarms and zones', () => {
    expect(
      after('2026-12-23T12:00Z', 6, { cron: '30 8,9 * * *', exclude: { ics: holidays } }),
    ).toEqual([
      '2026-12-24T08:30',
      '2026-12-24T09:30',
      '2026-12-27T08:30',
      '2026-12-27T09:30',
      // 03:00 to 05:00 in New York is 08:00 to 10:00 here.
      '2026-12-29T08:30',
      '2026-12-29T09:30',
    ]);
    expect(
      after('2026-01-01T00:00Z', 5, { cron: '0 9 * * *', include: { ics: holidays } }),
    ).toEqual([
      '2026-12-25T09:00',
      '2026-12-26T09:00',
      '2026-12-28T09:00',
      '2027-12-25T09:00',
      '2027-12-26T09:00',
    ]);
  });

  it('keep only the dates of an iCalendar text, so that a rule stays small', () => {
    const { exclude } = checkRule(
      { cron: '0 9 * * *', exclude: { ics: holidays } },
      'rule',
      'seed',
    );
    expect(exclude?.[0]?.ics).toBe(
      [
        'BEGIN:VEVENT',
        'DTSTART;VALUE=DATE:20251225',
        'DTEND;VALUE=DATE:20251227',
        'RRULE:FREQ=YEARLY',
        'END:VEVENT',
        'BEGIN:VEVENT',
        'DTSTART;TZID=America/New_York:20261228T030000',
        'DURATION:PT2H',
        'END:VEVENT',
      ].join('\n'),
    );
  });

  it('narrow intervals, dates and recurrences too', () => {
    const exclude = { days: ['sat', 'sun'] } as const;
    expect(after('2026-11-27T12:00Z', 3, { every: '12h', exclude })).toEqual([
      '2026-11-30T00:00',
      '2026-11-30T12:00',
      '2026-12-01T00:00',
    ]);
    expect(after('2026-11-01T00:00Z', 9, { at: ['2026-11-28', '2026-11-30'], exclude })).toEqual([
      '2026-11-30T00:00',
    ]);
    const rrule =
      'DTSTART:20261127T080000\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE:20261127T080000\nRDATE:20261202T070000';
    expect(after('2026-11-01T00:00Z', 9, { rrule, exclude })).toEqual([
      '2026-11-30T08:00',
      '2026-12-02T07:00',
    ]);
  });

  it('are read by the clock of the zone, through its changes', () => {
    const rule: ScheduleRule = {
      cron: '0 * * * *',
      tz: 'Europe/Madrid',
      include: { hours: '01:00-04:00' },
    };
    expect(after('2026-10-24T22:00Z', 5, rule)).toEqual([
      '2026-10-24T23:00',
      '2026-10-25T00:00',
      '2026-10-25T01:00',
      '2026-10-25T02:00',
      '2026-10-26T00:00',
    ]);
  });
});

describe('the next business day', () => {
  const exclude = [{ days: ['sat', 'sun'] }, { dates: ['2027-01-01'] }] as const;

  it('takes over what runs on a day that is left out, once', () => {
    expect(
      after('2026-10-30T12:00Z', 6, { cron: '0 9 1 * *', exclude, onExcluded: 'next-day' }),
    ).toEqual([
      '2026-11-02T09:00',
      '2026-12-01T09:00',
      '2027-01-04T09:00',
      '2027-02-01T09:00',
      '2027-03-01T09:00',
      '2027-04-01T09:00',
    ]);
    expect(
      after('2026-11-27T12:00Z', 2, { cron: '0 9 * * *', exclude, onExcluded: 'next-day' }),
    ).toEqual(['2026-11-30T09:00', '2026-12-01T09:00']);
  });

  it('works for recurrences, and at most 31 days on', () => {
    const rrule = 'DTSTART:20260131T170000\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1';
    expect(after('2026-10-30T12:00Z', 3, { rrule, exclude, onExcluded: 'next-day' })).toEqual([
      '2026-11-02T17:00',
      '2026-11-30T17:00',
      '2026-12-31T17:00',
    ]);
    const far = { dates: '2026-12-01/2027-01-15' };
    expect(
      after('2026-11-15T00:00Z', 2, {
        cron: '0 9 1,20 12 *',
        exclude: far,
        onExcluded: 'next-day',
      }),
    ).toEqual(['2027-01-16T09:00', '2027-12-01T09:00']);
  });
});

describe('occurrences of a span', () => {
  it('are those after its begin up to its end, as many as are asked for', () => {
    const hour = (time: string) => Date.parse(`2026-12-01T${time}Z`);
    const cron = checkRule({ cron: '*/10 * * * *' }, 'rule', 'seed');
    expect(occurrencesBetween(cron, hour('00:00'), hour('01:00'), 100)).toHaveLength(6);
    expect(occurrencesBetween(cron, hour('00:00'), hour('01:00'), 2)).toEqual([
      hour('00:10'),
      hour('00:20'),
    ]);
    expect(occurrencesBetween(cron, hour('01:00'), hour('00:00'), 100)).toEqual([]);
  });
});
