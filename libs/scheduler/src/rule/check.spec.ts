import { OptionError } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import { checkRule } from './check.js';

const check = (rule: unknown) => checkRule(rule, 'rule', 'seed');
const problem = (rule: unknown): string => {
  try {
    check(rule);
  } catch (error) {
    if (error instanceof OptionError) return error.message;
    throw error;
  }
  return 'accepted';
};
const rrule = (text: string) => ({ rrule: `DTSTART:20260105T090000\nRRULE:${text}` });
const ics = (lines: string) => ({
  cron: '0 9 * * *',
  exclude: { ics: `BEGIN:VCALENDAR\nBEGIN:VEVENT\n${lines}\nEND:VEVENT\nEND:VCALENDAR` },
});

describe('a rule that is refused', () => {
  it.each<[unknown, string]>([
    [undefined, "rule must be an object such as { cron: '0 7 * * *' }"],
    [null, "rule must be an object such as { cron: '0 7 * * *' }"],
    ['0 7 * * *', "rule must be an object such as { cron: '0 7 * * *' }"],
    [['0 7 * * *'], "rule must be an object such as { cron: '0 7 * * *' }"],
    [{}, 'rule needs exactly one of cron, every, at, rrule, got none'],
    [{ tz: 'UTC' }, 'rule needs exactly one of cron, every, at, rrule, got none'],
    [
      { cron: '* * * * *', every: '1m' },
      'rule needs exactly one of cron, every, at, rrule, got cron and every',
    ],
    [{ cron: '* * * * *', timezone: 'UTC' }, 'rule.timezone is not an option'],
    [{ cron: '' }, 'rule.cron needs five fields (minute first) or six (second first), it is empty'],
    [
      { cron: '   ' },
      'rule.cron needs five fields (minute first) or six (second first), it is empty',
    ],
    [{ cron: 5 }, 'rule.cron must be a cron pattern, got number'],
    [{ cron: [] }, 'rule.cron must have at least one pattern'],
    [{ cron: [null] }, 'rule.cron[0] must be a cron pattern, got null'],
    [
      { cron: '* * * *' },
      "rule.cron needs five fields (minute first) or six (second first), '* * * *' has 4",
    ],
    [
      { cron: '* * * * * * *' },
      "rule.cron needs five fields (minute first) or six (second first), '* * * * * * *' has 7",
    ],
    [
      { cron: 'hourly' },
      "rule.cron needs five fields (minute first) or six (second first), 'hourly' has 1",
    ],
    [
      { cron: '@reboot' },
      "rule.cron is no nickname: '@reboot'; there are @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @minutely, @weekdays, @weekends, @every",
    ],
    [
      { cron: '@constructor' },
      "rule.cron is no nickname: '@constructor'; there are @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @minutely, @weekdays, @weekends, @every",
    ],
    [
      { cron: '@every' },
      "rule.cron is no nickname: '@every'; there are @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @minutely, @weekdays, @weekends, @every",
    ],
    [
      { cron: '@every soon' },
      'rule.cron must be milliseconds or a string such as \'10s\', got "soon"',
    ],
    [{ cron: '@every 10ms' }, 'rule.cron must be at least 100ms'],
    [
      { cron: ['@every 1m', '0 7 * * *'] },
      'rule.cron has @every among other patterns: it stands alone',
    ],
    [{ cron: '61 * * * *' }, "rule.cron has minute '61' (must be 0 to 59) in '61 * * * *'"],
    [{ cron: '60 * * * * *' }, "rule.cron has second '60' (must be 0 to 59) in '60 * * * * *'"],
    [{ cron: '* 24 * * *' }, "rule.cron has hour '24' (must be 0 to 23) in '* 24 * * *'"],
    [{ cron: '0 0 0 * *' }, "rule.cron has day of month '0' (must be 1 to 31) in '0 0 0 * *'"],
    [{ cron: '0 0 32 * *' }, "rule.cron has day of month '32' (must be 1 to 31) in '0 0 32 * *'"],
    [
      { cron: '0 0 * 13 *' },
      "rule.cron has month '13' (must be 1 to 12, or a name such as FEB) in '0 0 * 13 *'",
    ],
    [
      { cron: '* * * * 8' },
      "rule.cron has day of week '8' (must be 0 to 7, or a name such as MON) in '* * * * 8'",
    ],
    [{ cron: '-1 * * * *' }, "rule.cron has minute '' (must be 0 to 59) in '-1 * * * *'"],
    [{ cron: '1.5 * * * *' }, "rule.cron has minute '1.5' (must be 0 to 59) in '1.5 * * * *'"],
    [
      { cron: '*/0 * * * *' },
      "rule.cron has a step '0' of the minute (must be 1 to 60) in '*/0 * * * *'",
    ],
    [
      { cron: '*/61 * * * *' },
      "rule.cron has a step '61' of the minute (must be 1 to 60) in '*/61 * * * *'",
    ],
    [
      { cron: '*/x * * * *' },
      "rule.cron has a step 'X' of the minute (must be 1 to 60) in '*/x * * * *'",
    ],
    [{ cron: '*/5/5 * * * *' }, "rule.cron has minute '*/5/5' (with two steps) in '*/5/5 * * * *'"],
    [{ cron: '1,,2 * * * *' }, "rule.cron has an empty minute in '1,,2 * * * *'"],
    [{ cron: '1-2-3 * * * *' }, "rule.cron has minute '1-2-3' (no range) in '1-2-3 * * * *'"],
    [{ cron: 'a b c d e' }, "rule.cron has minute 'A' (must be 0 to 59) in 'a b c d e'"],
    [
      { cron: '* * * * MON-FOO' },
      "rule.cron has day of week 'FOO' (must be 0 to 7, or a name such as MON) in '* * * * MON-FOO'",
    ],
    [
      { cron: '* * * FEBRUARY *' },
      "rule.cron has month 'FEBRUARY' (must be 1 to 12, or a name such as FEB) in '* * * FEBRUARY *'",
    ],
    [{ cron: '? * * * *' }, "rule.cron has minute '?' (must be 0 to 59) in '? * * * *'"],
    [{ cron: '* * LL * *' }, "rule.cron has day of month 'LL' (must be 1 to 31) in '* * LL * *'"],
    [
      { cron: '* * L-31 * *' },
      "rule.cron has day of month 'L-31' (at most 30 before the last) in '* * L-31 * *'",
    ],
    [{ cron: '* * 32W * *' }, "rule.cron has day of month '32' (must be 1 to 31) in '* * 32W * *'"],
    [
      { cron: '* * 1-5W * *' },
      "rule.cron has day of month '5W' (must be 1 to 31) in '* * 1-5W * *'",
    ],
    [
      { cron: '* * * * L' },
      "rule.cron has day of week 'L' (must be 0 to 7, or a name such as MON) in '* * * * L'",
    ],
    [
      { cron: '* * * * MON#6' },
      "rule.cron has day of week 'MON#6' (after # must be 1 to 5, or L) in '* * * * MON#6'",
    ],
    [{ cron: '* * * * +' }, "rule.cron has an empty day of week in '* * * * +'"],
    [
      { cron: 'H(5-1) * * * *' },
      "rule.cron has minute 'H(5-1)' (a range of H cannot run backwards) in 'H(5-1) * * * *'",
    ],
    [
      { cron: 'H(0-61) * * * *' },
      "rule.cron has minute '61' (must be 0 to 59) in 'H(0-61) * * * *'",
    ],
    [{ cron: 'Hx * * * *' }, "rule.cron has minute 'HX' (must be 0 to 59) in 'Hx * * * *'"],
    [{ cron: '0 0 30 2 *' }, "rule.cron never fires: there is no day for '0 0 0 30 2 *'"],
    [
      { cron: '0 0 31 2,4,6,9,11 *' },
      "rule.cron never fires: there is no day for '0 0 0 31 2,4,6,9,11 *'",
    ],
    [{ cron: '0 0 29 2 +MON#1' }, "rule.cron never fires: there is no day for '0 0 0 29 2 +1#1'"],
    [
      { cron: ['0 7 * * *', '0 0 31 APR *'] },
      "rule.cron[1] never fires: there is no day for '0 0 0 31 4 *'",
    ],
    [{ cron: 'TZ= 0 7 * * *' }, "rule.cron is not a known time zone: ''"],
    [{ cron: 'TZ=Mars/Phobos 0 7 * * *' }, "rule.cron is not a known time zone: 'Mars/Phobos'"],
    [
      { cron: 'TZ=Europe/Madrid 0 7 * * *', tz: 'UTC' },
      'rule.cron names the zone Europe/Madrid, and there is UTC already',
    ],
    [{ cron: '0 7 * * *', phase: '1m' }, 'rule.phase needs every'],
    [{ cron: '0 7 * * *', tz: 'Mars/Olympus' }, "rule.tz is not a known time zone: 'Mars/Olympus'"],
    [{ cron: '0 7 * * *', tz: '' }, "rule.tz is not a known time zone: ''"],
    [{ cron: '0 7 * * *', tz: 5 }, 'rule.tz is not a known time zone: number'],
    [{ cron: '0 7 * * *', tz: '__proto__' }, "rule.tz is not a known time zone: '__proto__'"],
    [{ cron: '0 7 * * *', tz: 'GMT+25' }, "rule.tz is not a known time zone: 'GMT+25'"],
    [
      { cron: '0 7 * * *', tz: '+25:00' },
      "rule.tz is not an offset between -14:00 and +14:00: '+25:00'",
    ],
    [{ cron: '0 7 * * *', dst: 'twice' }, "rule.dst must be 'once', 'skip', 'shift', 'each'"],
    [{ cron: '0 7 * * *', limit: 0 }, 'rule.limit must be a whole number from 1 to 1,000,000,000'],
    [
      { cron: '0 7 * * *', limit: '3' },
      'rule.limit must be a whole number from 1 to 1,000,000,000',
    ],
    [
      { cron: '0 7 * * *', start: 'tomorrow' },
      "rule.start must be a Date or text such as '2026-12-24T18:00', got 'tomorrow'",
    ],
    [{ cron: '0 7 * * *', start: '2026-02-30' }, 'rule.start is no time: 2026-02-30T00:00:00'],
    [
      { cron: '0 7 * * *', start: new Date(NaN) },
      'rule.start must be a time between 1970 and 2200',
    ],
    [{ cron: '0 7 * * *', start: '1969-12-31' }, 'rule.start must be a time between 1970 and 2200'],
    [{ cron: '0 7 * * *', start: '2026-02-01', end: '2026-01-01' }, 'rule.end is before start'],
    [
      { cron: '0 7 * * *', start: '2026-02-01T08:00', end: '2026-02-02T06:59' },
      'rule never fires: nothing lies between start and end',
    ],
    [
      { cron: '0 7 * * *', window: '0%' },
      "rule.window must be more than 0% and at most 100%, got '0%'",
    ],
    [
      { cron: '0 7 * * *', window: '101%' },
      "rule.window must be more than 0% and at most 100%, got '101%'",
    ],
    [
      { cron: '0 7 * * *', window: 'wide' },
      'rule.window must be milliseconds or a string such as \'10s\', got "wide"',
    ],
    [
      { cron: '0 7 * * *', jitter: -1 },
      "rule.jitter must be milliseconds or a string such as '10s', got -1",
    ],
    [{ cron: '0 7 * * *', seed: '' }, 'rule.seed must be text of 1 to 512 characters'],
    [{ cron: '0 7 * * *', onExcluded: 'move' }, "rule.onExcluded must be 'drop', 'next-day'"],
    [
      { cron: '0 7 * * *', onExcluded: 'next-day' },
      "rule.onExcluded 'next-day' needs include or exclude",
    ],
    [
      { every: '1h', exclude: { days: ['sat'] }, onExcluded: 'next-day' },
      "rule.onExcluded 'next-day' needs cron or rrule",
    ],
    [
      { cron: '0 7 * * *', exclude: { hours: '07:00-08:00' }, onExcluded: 'next-day' },
      "rule.onExcluded 'next-day' needs calendars of whole days: without hours and times",
    ],
    [
      { cron: '0 7 * * *', exclude: { hours: '07:00-08:00' } },
      'rule never fires: its calendars leave nothing',
    ],
    [
      { cron: '0 7 * * *', include: { dates: '2026-13-01' } },
      'rule.include.dates is no time: 2026-13-01T00:00:00',
    ],
    [
      { cron: '0 7 * * *', include: { dates: '2026-12-05/2026-12-01' } },
      "rule.include.dates ends before it starts: '2026-12-05/2026-12-01'",
    ],
    [
      { cron: '0 7 * * *', include: { dates: 'christmas' } },
      "rule.include.dates must be '2026-12-24', '12-25' or '2026-12-24/2027-01-02', got 'christmas'",
    ],
    [{ cron: '0 7 * * *', include: { dates: [] } }, 'rule.include.dates must not be empty'],
    [
      { cron: '0 7 * * *', include: { dates: '2026-12-25', days: ['mon'] } },
      'rule.include needs one of: days and hours; dates; ics',
    ],
    [{ cron: '0 7 * * *', include: {} }, 'rule.include needs one of: days and hours; dates; ics'],
    [
      { cron: '0 7 * * *', include: 'weekdays' },
      "rule.include must be an object such as { days: ['sat', 'sun'] }",
    ],
    [{ cron: '0 7 * * *', include: { holidays: 'es' } }, 'rule.include.holidays is not an option'],
    [
      { cron: '0 7 * * *', exclude: { days: ['monday'] } },
      'rule.exclude.days must be a list of mon, tue, wed, thu, fri, sat, sun',
    ],
    [
      { cron: '0 7 * * *', exclude: { days: 'mon' } },
      'rule.exclude.days must be a list of mon, tue, wed, thu, fri, sat, sun',
    ],
    [
      { cron: '0 7 * * *', exclude: { hours: '9-17' } },
      "rule.exclude.hours must be times such as '09:00-17:30', got '9-17'",
    ],
    [
      { cron: '0 7 * * *', exclude: { hours: '09:00-09:00' } },
      "rule.exclude.hours must be times such as '09:00-17:30', got '09:00-09:00'",
    ],
    [
      { cron: '0 7 * * *', exclude: { ics: 'no calendar' } },
      'rule.exclude.ics has no event: there is no BEGIN:VEVENT … END:VEVENT',
    ],
    [ics('SUMMARY:x'), 'rule.exclude.ics event 1 has no DTSTART'],
    [
      ics('DTSTART:tomorrow'),
      "rule.exclude.ics event 1 has a time that cannot be read: 'tomorrow'",
    ],
    [
      ics('DTSTART:20261225T100000\nDTEND:20261225T090000'),
      'rule.exclude.ics event 1 ends before it starts',
    ],
    [
      ics('DTSTART:20261225T100000\nDURATION:long'),
      "rule.exclude.ics event 1 has a duration that cannot be read: 'DURATION:long'",
    ],
    [
      ics('DTSTART;TZID=America/New_York:20261225T100000\nRRULE:FREQ=DAILY'),
      'rule.exclude.ics event 1 recurs by the clock of America/New_York, and the rule has the zone UTC',
    ],
    [
      ics('DTSTART:20261225\nRRULE:FREQ=SOMETIMES'),
      'rule.exclude.ics event 1 has FREQ=SOMETIMES, which cannot be read',
    ],
    [{ every: 0 }, 'rule.every must be at least 100ms'],
    [{ every: '10' }, 'rule.every must be milliseconds or a string such as \'10s\', got "10"'],
    [{ every: '50ms' }, 'rule.every must be at least 100ms'],
    [{ every: '400d' }, 'rule.every must be at most 365d'],
    [{ every: '1m', phase: '1m' }, 'rule.phase must be less than every'],
    [
      { every: '1m', phase: 'x' },
      'rule.phase must be milliseconds or a string such as \'10s\', got "x"',
    ],
    [{ at: [] }, 'rule.at must have at least one date'],
    [{ at: 'soon' }, "rule.at must be a Date or text such as '2026-12-24T18:00', got 'soon'"],
    [
      { at: 1_700_000_000_000 },
      "rule.at must be a Date or text such as '2026-12-24T18:00', got number",
    ],
    [{ at: '2026-01-01', phase: '1s' }, 'rule.phase needs every'],
    [
      { at: ['2026-01-01', '2026-03-29T02:30'], tz: 'Europe/Madrid', dst: 'skip' },
      "rule.at[1] '2026-03-29T02:30' does not exist in Europe/Madrid: the clocks skip it",
    ],
    [
      { at: '2026-01-01', end: '2025-01-01' },
      'rule never fires: nothing lies between start and end',
    ],
    [{ rrule: 5 }, 'rule.rrule must be the text of an RRULE, got number'],
    [{ rrule: '' }, 'rule.rrule needs one RRULE, got 0'],
    [{ rrule: 'FREQ=DAILY' }, 'rule.rrule needs a DTSTART line, or the option start, as its phase'],
    [
      { rrule: 'daily' },
      "rule.rrule has a line that is not DTSTART, RRULE, EXDATE or RDATE: 'daily'",
    ],
    [rrule('INTERVAL=2'), 'rule.rrule needs FREQ'],
    [rrule('FREQ=DAILY;INTERVAL=0'), 'rule.rrule has INTERVAL=0, which must be 1 to 100000'],
    [rrule('FREQ=DAILY;COUNT=5000'), 'rule.rrule has COUNT=5000, which must be 1 to 1000'],
    [rrule('FREQ=DAILY;COUNT=5;UNTIL=20270101'), 'rule.rrule has COUNT and UNTIL: leave one out'],
    [
      rrule('FREQ=YEARLY;BYHOUR=1,2,3,4,5;BYMINUTE=0,10,20,30,40'),
      'rule.rrule names 25 times of day by BYHOUR, BYMINUTE and BYSECOND, and 24 are the most: use a smaller FREQ',
    ],
    [
      rrule(`FREQ=DAILY;BYHOUR=${[...Array(24).keys()].join()};BYMINUTE=0,10,20,30,40`),
      'rule.rrule names 120 times of day by BYHOUR, BYMINUTE and BYSECOND, and 96 are the most: use a smaller FREQ',
    ],
    [rrule('FREQ=DAILY;FREQ=DAILY'), 'rule.rrule has FREQ twice'],
    [rrule('FREQ=DAILY;BYEASTER=1'), "rule.rrule has an unknown part 'BYEASTER=1'"],
    [rrule('FREQ=DAILY;BYHOUR=24'), 'rule.rrule has BYHOUR=24, which must be 0 to 23'],
    [rrule('FREQ=WEEKLY;BYDAY=XX'), 'rule.rrule has BYDAY=XX, which cannot be read'],
    [
      rrule('FREQ=WEEKLY;BYMONTHDAY=1'),
      'rule.rrule cannot be read: BYMONTHDAY MUST NOT be used when FREQ is WEEKLY',
    ],
    [
      rrule('FREQ=DAILY;BYWEEKNO=1'),
      'rule.rrule cannot be read: BYWEEKNO MUST NOT be used unless FREQ=YEARLY',
    ],
    [
      rrule('FREQ=WEEKLY;BYDAY=1MO'),
      'rule.rrule cannot be read: BYDAY with numeric value MUST NOT be used unless FREQ is MONTHLY or YEARLY',
    ],
    [
      rrule('FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30'),
      'rule.rrule never fires, or too rarely to be computed',
    ],
    [rrule('FREQ=DAILY;UNTIL=20250101'), 'rule.rrule never fires, or too rarely to be computed'],
    [
      { rrule: 'DTSTART:20260105T090000\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY' },
      'rule.rrule needs one RRULE, got 2',
    ],
    [
      { rrule: 'DTSTART;TZID=Europe/Madrid:20260105T090000\nRRULE:FREQ=DAILY', tz: 'UTC' },
      'rule.rrule has DTSTART in Europe/Madrid, and tz says UTC: leave one out',
    ],
    [
      { rrule: 'DTSTART;TZID=Mars/Phobos:20260105T090000\nRRULE:FREQ=DAILY' },
      "rule.rrule is not a known time zone: 'Mars/Phobos'",
    ],
    [
      { rrule: 'DTSTART:20260105T090000\nEXRULE:FREQ=DAILY' },
      "rule.rrule has a line that is not DTSTART, RRULE, EXDATE or RDATE: 'EXRULE:FREQ=DAILY'",
    ],
  ])('%j: %s', (rule, message) => {
    expect(problem(rule)).toBe(message);
  });

  it('is refused in bounded time, however it is made', { timeout: 60_000 }, () => {
    const long = 'x'.repeat(1_000_000);
    for (const rule of [
      { cron: long },
      { cron: Array.from({ length: 100_000 }, () => '* * * * *') },
      { at: Array.from({ length: 100_000 }, () => '2026-01-01') },
      { rrule: long },
      { cron: '* * * * *', tz: long },
      { cron: '* * * * *', exclude: { ics: long } },
      { cron: '* * * * *', exclude: { ics: 'BEGIN:VEVENT\nEND:VEVENT\n'.repeat(5_000) } },
      {
        cron: '* * * * *',
        exclude: { dates: Array.from({ length: 100_000 }, () => '2026-01-01') },
      },
      { cron: '* * * * *', exclude: Array.from({ length: 100_000 }, () => ({ days: ['mon'] })) },
      { cron: '* * * * *', exclude: { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] } },
      { cron: '0 0 29 2 +MON', exclude: { days: ['mon'] } },
      rrule('FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30'),
      { [long]: 1, cron: '* * * * *' },
    ]) {
      const { user } = process.cpuUsage();
      expect(problem(rule)).toMatch(/^rule/);
      expect(problem(rule).length).toBeLessThan(200);
      expect(process.cpuUsage().user - user).toBeLessThan(3_000_000);
    }
  });
});
