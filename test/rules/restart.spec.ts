import {
  checkRule,
  nextOccurrence,
  previousOccurrence,
  type CheckedRule,
} from '@callsheet/scheduler';
import { expect, it } from 'vitest';
import { DST_RULES, EXPRESSIONS, SECONDS, YEARS, ZONES } from './corpus.js';
import { Clock } from './oracle.js';
import { randomOf } from './random.js';
import { WHOLE } from './whole.js';

const HOUR = 3_600_000;
const PROBES = WHOLE ? 100_000 : 500;
const seed = Number(process.env['SEED'] ?? 20_261_128);

/** Rules that are not cron: their answers must not depend on where one asks either. */
const OTHERS: readonly object[] = [
  { every: '7m', phase: '3m' },
  { every: '36h', start: '2025-01-01T12:34:56.789Z' },
  { at: ['2026-03-29T02:30', '2026-10-25T02:30', '2030-01-01', '2033-07-01T12:00Z'] },
  { rrule: 'DTSTART:20240101T023000\nRRULE:FREQ=DAILY' },
  { rrule: 'DTSTART:20240101T013000\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE' },
  { rrule: 'DTSTART:20240101T020000\nRRULE:FREQ=MONTHLY;BYDAY=-1SU' },
  { rrule: 'DTSTART:20240101T000000\nRRULE:FREQ=MINUTELY;INTERVAL=25' },
  { rrule: 'DTSTART:20240101T000000\nRRULE:FREQ=HOURLY;INTERVAL=5;BYDAY=SA,SU' },
  { cron: '30 2 * * *', exclude: { days: ['sat', 'sun'] }, onExcluded: 'next-day' },
  {
    cron: '*/20 1-3 * * *',
    exclude: [{ days: ['mon'] }, { dates: ['12-25', '03-28'] }],
    onExcluded: 'next-day',
  },
  {
    cron: '*/10 * * * *',
    include: { days: ['sun', 'mon'], hours: ['01:15-02:45', '23:30-00:30'] },
  },
  { cron: '15 * * * *', exclude: { hours: '02:00-03:00' } },
];

it(
  `${PROBES} processes that start again at any time go on where the last one was`,
  { timeout: 3_600_000 },
  () => {
    const random = randomOf(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const clocks = new Map(ZONES.map((zone) => [zone, new Clock(zone)]));
    const changes = new Map(
      ZONES.map((zone) => [zone, clocks.get(zone)?.changes(YEARS.first, YEARS.last) ?? []]),
    );
    const rules = [...EXPRESSIONS, ...SECONDS].map((cron) => ({ cron }));
    const checked = new Map<string, CheckedRule>();
    const wrong: string[] = [];
    let near = 0;
    for (let probe = 0; probe < PROBES; probe++) {
      const zone = pick(ZONES);
      const written = {
        ...(random() < 0.75 ? pick(rules) : pick(OTHERS)),
        tz: zone,
        dst: pick(DST_RULES),
      };
      // A date in a gap does not exist by these rules, and is refused.
      if ('at' in written && (written.dst === 'skip' || written.dst === 'each'))
        written.dst = 'once';
      const text = JSON.stringify(written);
      const rule = checked.get(text) ?? checkRule(written, 'rule', 'seed');
      checked.set(text, rule);
      const change = pick(changes.get(zone) ?? []);
      const isNear = change !== undefined && random() < 0.7;
      if (isNear) near++;
      const at = Math.floor(
        isNear
          ? change + (random() - 0.5) * 60 * HOUR
          : Date.UTC(YEARS.first, 0, 1) + random() * 12 * 365 * 24 * HOUR,
      );
      const next = nextOccurrence(rule, at);
      const last = previousOccurrence(rule, next ?? at + 1);
      if (next === undefined) continue;
      const report = (what: string) =>
        wrong.push(`${what}: ${text} at ${new Date(at).toISOString()}`);
      if (next <= at) report('goes back');
      // Any instant from the last occurrence on to just before the next has the same next.
      const from = last ?? at - 24 * HOUR;
      if (last !== undefined && last > at) report('skips one');
      for (const between of [from, next - 1, Math.floor(from + random() * (next - from))]) {
        if (nextOccurrence(rule, between) !== next) report(`next from ${between}`);
        if (last !== undefined && previousOccurrence(rule, between + 1) !== last)
          report(`last from ${between}`);
      }
    }
    expect(wrong).toEqual([]);
    process.stdout.write(
      `restarts: ${PROBES} probes (seed ${seed}), ${near} of them within 30 h of a change of clocks, ${checked.size} rules, 0 differ\n`,
    );
  },
);
