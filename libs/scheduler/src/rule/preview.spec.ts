import { OptionError } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import { checkRule } from './check.js';
import { previewRule } from './preview.js';
import type { ScheduleRule } from './rule.js';
import { tzdataProblems } from './tzdata.js';

const from = Date.parse('2026-10-01T00:00Z');
const preview = (written: ScheduleRule, count = 3) =>
  previewRule(checkRule(written, 'rule', 'seed'), { from, count });

describe('a preview', () => {
  it('shows the next occurrences, in UTC and by the clock of the zone', () => {
    expect(preview({ cron: '30 2 25 10 *', tz: 'Europe/Madrid', dst: 'each' }).occurrences).toEqual(
      [
        { at: '2026-10-25T00:30:00.000Z', local: '2026-10-25 02:30:00 +02:00' },
        { at: '2026-10-25T01:30:00.000Z', local: '2026-10-25 02:30:00 +01:00' },
        { at: '2027-10-25T00:30:00.000Z', local: '2027-10-25 02:30:00 +02:00' },
      ],
    );
  });

  it('stops at the limit, and takes a count from 1 to 100', () => {
    expect(preview({ cron: '0 7 * * *', limit: 2 }, 10).occurrences).toHaveLength(2);
    expect(preview({ at: '2026-12-24' }, 10).occurrences).toHaveLength(1);
    for (const count of [0, 101, 1.5, NaN]) {
      expect(() => preview({ cron: '0 7 * * *' }, count)).toThrow(
        new OptionError('count', 'must be a whole number from 1 to 100'),
      );
    }
  });

  it.each<[ScheduleRule, string]>([
    [{ cron: '0 7 * * *' }, 'At 07:00 every day (UTC).'],
    [
      { cron: '0 7,19 * * MON-FRI', tz: 'Europe/Madrid' },
      'At 07:00 and 19:00 on Monday to Friday (Europe/Madrid).',
    ],
    [{ cron: '* * * * *' }, 'Every minute every day (UTC).'],
    [
      { cron: '*/15 9-17 * * FRI-MON' },
      'Every 15 minutes from 09:00 to 17:59 on Friday to Monday (UTC).',
    ],
    [{ cron: '5 * * * *' }, 'At minute 5 of every hour every day (UTC).'],
    [{ cron: '*/10 * * * * *' }, 'Every 10 seconds every day (UTC).'],
    [{ cron: '*/7 * * * *' }, 'At minutes 0 to 59 in steps of 7 every day (UTC).'],
    [{ cron: '0 0 13 * FRI' }, 'At 00:00 on day 13 of the month or on Friday (UTC).'],
    [{ cron: '0 0 13 * +FRI' }, 'At 00:00 on day 13 of the month if it is Friday (UTC).'],
    [
      { cron: '0 0 L-3,LW,1,15W JAN,OCT-DEC *' },
      'At 00:00 on 3 days before the last day, the last day from Monday to Friday, day 1 and the day from Monday to Friday nearest to day 15 of the month, in January and October to December (UTC).',
    ],
    [{ cron: '0 9 * * MON#2,FRIL' }, 'At 09:00 on the second Monday and the last Friday (UTC).'],
    [{ cron: ['0 7 * * *', '0 9 * * SUN'] }, 'At 07:00 every day; and at 09:00 on Sunday (UTC).'],
    [{ every: '90m', phase: '5m' }, 'Every 1h 30m, 5m after the full ones.'],
    [{ at: '2026-12-24T18:00' }, 'Once, at 2026-12-24T18:00Z.'],
    [{ at: ['2026-12-24', '2026-12-25'] }, 'At 2 dates, the first 2026-12-24T00:00Z.'],
    [
      { rrule: 'FREQ=MONTHLY;BYDAY=-1FR', start: '2026-01-01T17:30' },
      'Every month on last Friday at 17:30 (UTC), from 2026-01-01T17:30Z.',
    ],
    [
      {
        cron: '0 7 * * *',
        exclude: [{ days: ['sat', 'sun'] }, { dates: '12-25' }],
        onExcluded: 'next-day',
        limit: 5,
        window: '10m',
        jitter: 500,
      },
      'At 07:00 every day (UTC), except on Saturday, Sunday and 12-25, moved to the next day that is left, 5 times, spread over 10m, up to 500ms later.',
    ],
  ])('says %j in a sentence', (rule, text) => {
    expect(preview(rule, 1).text).toBe(text);
  });
});

describe('a warning', () => {
  const gap = '2027-03-14: the clocks go from 02:00 to 03:00 (1h);';
  const twice = '2026-11-01: the clocks go from 02:00 back to 01:00 (1h);';

  it.each<[ScheduleRule, string[]]>([
    [{ cron: '30 2 * * *' }, [`${gap} 02:30 runs at 03:00`]],
    [{ cron: '30 2 * * *', dst: 'shift' }, [`${gap} 02:30 runs at 03:30`]],
    [{ cron: '30 2 * * *', dst: 'skip' }, [`${gap} 02:30 does not run`]],
    [{ cron: '30 2 * * *', dst: 'each' }, [`${gap} 02:30 does not run`]],
    [{ cron: '30 1 * * *' }, [`${twice} 01:30 runs the first time only`]],
    [{ cron: '30 1 * * *', dst: 'each' }, [`${twice} 01:30 runs both times`]],
    [{ cron: '0,30 2 * * *' }, [`${gap} 02:00 and 1 more runs at 03:00`]],
    [{ cron: '*/15 2 * * *' }, [`${gap} 02:00 and 3 more does not run`]],
    [{ cron: '*/15 * * * *' }, []],
    [{ cron: '0 7 * * *' }, []],
    [{ cron: '30 2 * * MON' }, []],
    [{ cron: '30 2 * * *', exclude: { days: ['sun'] } }, []],
    [{ cron: '30 2 * * *', end: '2027-01-01' }, ['ends at 2027-01-01T05:00:00.000Z']],
    [{ every: '1h' }, []],
    [{ rrule: 'DTSTART:20260101T023000\nRRULE:FREQ=DAILY' }, [`${gap} 02:30 runs at 03:00`]],
    [{ cron: '* * * * * *' }, ['runs more than 1440 times a day']],
    [
      { cron: '0 7 * * *', limit: 2 },
      ['ends after 2 runs, from now on at 2026-10-02T11:00:00.000Z'],
    ],
    [{ at: '2020-01-01' }, ['there is no run any more']],
  ])('of %j in New York is %j', (rule, warnings) => {
    expect(preview({ tz: 'America/New_York', ...rule }).warnings).toEqual(warnings);
  });
});

describe('zone data', () => {
  it('is checked against what has changed of late, for all zones or one', () => {
    for (const problem of tzdataProblems()) {
      expect(problem).toMatch(
        /^\w+\/\w+: .+ the time zone data of this Node \(20\d\d[a-z]\) does not know; it needs 2026[a-f] or newer$/,
      );
    }
    expect(tzdataProblems('Europe/Madrid')).toEqual([]);
  });

  const release = process.versions.tz ?? '';
  it.runIf(release < '2026a')('of before 2026, which Node 20.20 has, knows none of it', () => {
    expect(tzdataProblems()).toHaveLength(6);
  });

  it.runIf(release >= '2026f')('of 2026f and newer knows all of it', () => {
    expect(tzdataProblems()).toEqual([]);
  });

  it('is warned of where it concerns a rule', () => {
    const warnings = preview({ cron: '0 7 * * *', tz: 'America/Vancouver' }).warnings;
    expect(warnings).toEqual(tzdataProblems('America/Vancouver'));
  });
});
