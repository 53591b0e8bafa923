import { checkRule, nextOccurrence } from '@callsheet/scheduler';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { requireBinary, serverSuite } from '../support/available.js';
import { EXPRESSIONS } from './corpus.js';
import { Clock, names, Pattern } from './oracle.js';
import { WHOLE } from './whole.js';

const HOUR = 3_600_000;
const AROUND = 26 * HOUR;
const run = promisify(execFile);
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Zones whose law has not changed of late: systemd reads the data of the system, Node its own. */
const zones = WHOLE
  ? [
      'America/New_York',
      'Europe/London',
      'Australia/Lord_Howe',
      'America/Santiago',
      'Asia/Beirut',
      'Pacific/Chatham',
    ]
  : ['Australia/Lord_Howe'];
const years = WHOLE ? { first: 2026, last: 2027 } : { first: 2026, last: 2026 };

/** The pattern as `OnCalendar=` says it, or undefined where it cannot. */
function calendarOf(text: string, zone: string): string | undefined {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = text.split(' ');
  if (/W/.test(day) || /[#L]/.test(weekday)) return undefined;
  const anyDay = day === '*' || day === '?';
  const anyWeekday = weekday === '*';
  // Day and weekday that are alternatives, not conditions.
  if (!anyDay && !anyWeekday && !weekday.startsWith('+')) return undefined;
  const values = (field: string, min: number, max: number) =>
    Array.from({ length: max - min + 1 }, (_, index) => min + index).filter((value) =>
      names(field, value, min, max),
    );
  let days: string;
  if (day.includes('L')) {
    if (!/^(L(-\d+)?)(,L(-\d+)?)*$/.test(day)) return undefined;
    days = `~${day
      .split(',')
      .map((term) => Number(term.slice(2) || 0) + 1)
      .join(',')}`;
  } else days = `-${anyDay ? '*' : values(day, 1, 31).join(',')}`;
  const on = weekday.replace('+', '');
  const weekdays = anyWeekday
    ? ''
    : `${DAYS.filter((_, value) => names(on, value, 0, 6) || (value === 0 && names(on, 7, 0, 7))).join(',')} `;
  const months = month === '*' ? '*' : values(month, 1, 12).join(',');
  return `${weekdays}*-${months}${days} ${values(hour, 0, 23).join(',')}:${values(minute, 0, 59).join(',')}:00 ${zone}`;
}

async function elapses(
  calendar: string,
  from: number,
  to: number,
  most: number,
): Promise<number[]> {
  const { stdout } = await run(
    requireBinary('systemd-analyze'),
    [
      'calendar',
      // It answers what comes after the base time.
      `--base-time=${new Date(from - 1_000).toISOString().slice(0, 19).replace('T', ' ')} UTC`,
      `--iterations=${most}`,
      calendar,
    ],
    { env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' }, maxBuffer: 10_000_000 },
  );
  const found = [...stdout.matchAll(/(?:Next elapse|Iter\. #\d+): \w+ (\S+) (\S+) UTC/g)];
  return found
    .map(([, day, time]) => Date.parse(`${day}T${time}Z`))
    .filter((instant) => instant < to);
}

serverSuite('systemd-analyze', 'systemd-analyze calendar', () => {
  it(
    "says the same as the rule 'skip', but for the second pass of what repeats, and 03:45 in Chatham",
    { timeout: 3_600_000 },
    async () => {
      const unexplained: string[] = [];
      const counts = { cases: 0, cannot: 0, firings: 0, secondPass: 0, passedOver: 0 };
      for (const zone of zones) {
        const clock = new Clock(zone);
        for (const change of clock.changes(years.first, years.last)) {
          const [from, to] = [change - AROUND, change + AROUND];
          const back = clock.wall(change - 1) + 1 - clock.wall(change);
          for (const text of WHOLE
            ? EXPRESSIONS
            : EXPRESSIONS.filter((_, index) => index % 3 === 0)) {
            const calendar = calendarOf(text, zone);
            if (calendar === undefined) {
              counts.cannot++;
              continue;
            }
            const rule = checkRule({ cron: text, tz: zone, dst: 'skip' }, 'rule', 'seed');
            const ours: number[] = [];
            for (
              let at = nextOccurrence(rule, from - 1);
              at !== undefined && at < to;
              at = nextOccurrence(rule, at)
            ) {
              ours.push(at);
            }
            if (ours.length > (WHOLE ? 120 : 30)) continue;
            const theirs = await elapses(calendar, from, to, ours.length + 5);
            counts.cases++;
            counts.firings += theirs.length;
            const repeating = new Pattern(text).repeating;
            const expected = ours.filter(
              (at) => !(repeating && at >= change && at < change + back),
            );
            counts.secondPass += ours.length - expected.length;
            if (expected.join() === theirs.join()) continue;
            // The clock of Chatham goes from 02:45 to 03:45, and systemd passes over 03:45, which it shows.
            const passedOver = zone === 'Pacific/Chatham' && back < 0 ? [change] : [];
            if (expected.filter((at) => !passedOver.includes(at)).join() === theirs.join())
              counts.passedOver++;
            else
              unexplained.push(
                `${text} in ${zone} at ${new Date(change).toISOString()}: ${calendar}`,
              );
          }
        }
      }
      process.stdout.write(
        `systemd: ${counts.cases} cases, ${counts.firings} firings (${counts.cannot} it cannot say), ${counts.secondPass} second passes it leaves out, ${counts.passedOver} ends of a gap it passes over, ${unexplained.length} unexplained\n`,
      );
      expect(unexplained).toEqual([]);
    },
  );
});
