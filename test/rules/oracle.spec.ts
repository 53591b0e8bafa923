import {
  checkRule,
  nextOccurrence,
  previousOccurrence,
  type CheckedRule,
} from '@callsheet/scheduler';
import { describe, expect, it } from 'vitest';
import { DST_RULES, EXPRESSIONS, SECONDS, YEARS, ZONES } from './corpus.js';
import { Clock, firings, Pattern } from './oracle.js';
import { WHOLE } from './whole.js';

const HOUR = 3_600_000;
/** A part for every day: zones that differ, one year, a third of the pairs of pattern and rule. The whole has all. */
const zones = WHOLE
  ? ZONES
  : (['America/New_York', 'Australia/Lord_Howe', 'America/Havana'] as const);
const years = WHOLE ? YEARS : { first: 2026, last: 2026 };

function chain(rule: CheckedRule, from: number, to: number): number[] {
  const found: number[] = [];
  let at = nextOccurrence(rule, from - 1);
  while (at !== undefined && at < to) {
    found.push(at);
    at = nextOccurrence(rule, at);
  }
  return found;
}

function chainBack(rule: CheckedRule, from: number, to: number): number[] {
  const found: number[] = [];
  let at = previousOccurrence(rule, to);
  while (at !== undefined && at >= from) {
    found.unshift(at);
    at = previousOccurrence(rule, at);
  }
  return found;
}

describe('the oracle', () => {
  const pattern = (text: string) => {
    const read = new Pattern(text);
    return (time: string) => read.has(Date.parse(`${time}Z`));
  };

  it('reads patterns as the manual says', () => {
    expect(pattern('30 2 L-3 * *')('2027-02-25T02:30')).toBe(true);
    expect(pattern('30 2 L-3 * *')('2027-02-26T02:30')).toBe(false);
    expect(pattern('0 0 15W * *')('2026-08-14T00:00')).toBe(true);
    expect(pattern('0 0 1W * *')('2026-08-03T00:00')).toBe(true);
    expect(pattern('0 0 LW * *')('2026-10-30T00:00')).toBe(true);
    expect(pattern('0 0 * * FRI-MON')('2026-11-29T00:00')).toBe(true);
    expect(pattern('0 0 * * FRI-MON')('2026-11-26T00:00')).toBe(false);
    expect(pattern('0 0 13 * FRI')('2026-11-27T00:00')).toBe(true);
    expect(pattern('0 0 13 * +FRI')('2026-11-27T00:00')).toBe(false);
    expect(pattern('0 0 * * SUN#5')('2026-11-29T00:00')).toBe(true);
    expect(pattern('0 0 * * 5L')('2026-11-27T00:00')).toBe(true);
  });

  it('finds the changes that are known', () => {
    const changes = new Clock('America/New_York').changes(2026, 2026);
    expect(changes.map((at) => new Date(at).toISOString())).toEqual([
      '2026-03-08T07:00:00.000Z',
      '2026-11-01T06:00:00.000Z',
    ]);
    expect(new Clock('Asia/Kathmandu').changes(2026, 2027)).toEqual([]);
  });
});

describe('occurrences of cron are those of the oracle', () => {
  const counts = { changes: 0, tried: 0, cases: 0, firings: 0 };

  it.each(zones)('%s', { timeout: 3_600_000 }, (zone) => {
    const clock = new Clock(zone);
    const changes = clock.changes(years.first, years.last);
    // A zone without changes is tried on a leap day.
    const centres = changes.length > 0 ? changes : [Date.UTC(2028, 1, 29)];
    const wrong: string[] = [];
    counts.changes += changes.length;
    for (const change of centres) {
      for (const [expressions, step, around] of [
        [EXPRESSIONS, 60_000, 26 * HOUR],
        [SECONDS, 1_000, 2 * HOUR],
      ] as const) {
        const [from, to] = [change - around, change + around];
        for (const text of expressions) {
          const pattern = new Pattern(text);
          for (const dst of DST_RULES) {
            if (!WHOLE && counts.tried++ % 3 > 0) continue;
            const rule = checkRule({ cron: text, tz: zone, dst }, 'rule', 'seed');
            const expected = firings(pattern, clock, dst, from, to, step);
            counts.cases++;
            counts.firings += expected.length;
            for (const found of [chain(rule, from, to), chainBack(rule, from, to)]) {
              if (found.join() === expected.join()) continue;
              const at = found.findIndex((instant, index) => instant !== expected[index]);
              wrong.push(
                `${text} ${dst} near ${new Date(change).toISOString()}: ${found[at]} for ${expected[at]}`,
              );
            }
          }
        }
      }
      clock.forget();
    }
    expect(wrong).toEqual([]);
    process.stdout.write(
      `oracle: ${zone} and those before: ${counts.changes} changes of clocks, ${counts.cases} cases, ${counts.firings} firings, 0 differ\n`,
    );
  });
});
