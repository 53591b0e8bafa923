import { describe, expect, it } from 'vitest';
import { checkRule } from './check.js';
import { dueTime } from './due.js';
import { nextOccurrence } from './occurrences.js';
import type { ScheduleRule } from './rule.js';

const NOMINAL = Date.parse('2026-12-01T07:00Z');
const later = (written: ScheduleRule, seed: string, nominal = NOMINAL) =>
  dueTime(checkRule(written, 'rule', seed), nominal) - nominal;

describe('the time at which an occurrence is due', () => {
  it('is the nominal one without window and jitter', () => {
    expect(later({ cron: '0 7 * * *' }, 'a')).toBe(0);
  });

  it('is later by the same part of the window for one schedule, spread evenly for many', () => {
    const rule: ScheduleRule = { cron: '0 7 * * *', window: '60s' };
    expect(later(rule, 'a')).toBe(later(rule, 'a', NOMINAL + 86_400_000));
    const seconds = Array.from({ length: 3_000 }, (_, index) =>
      Math.floor(later(rule, `s${index}`) / 1_000),
    );
    const counts = Array.from(
      { length: 60 },
      (_, second) => seconds.filter((one) => one === second).length,
    );
    expect(Math.min(...counts)).toBeGreaterThan(20);
    expect(Math.max(...counts)).toBeLessThan(90);
    expect(later({ ...rule, seed: 'a' }, 'b')).toBe(later(rule, 'a'));
  });

  it('is a part of the time to the next, when the window is a percentage', () => {
    const half = later({ every: '1h', window: '50%' }, 'a');
    expect(half).toBe(later({ every: '1h', window: '30m' }, 'a'));
    expect(later({ at: new Date(NOMINAL), window: '50%' }, 'a')).toBe(0);
  });

  it('differs for each occurrence with jitter', () => {
    const rule: ScheduleRule = { cron: '0 7 * * *', jitter: '1h' };
    expect(later(rule, 'a')).toBe(later(rule, 'a'));
    expect(later(rule, 'a')).not.toBe(later(rule, 'a', NOMINAL + 86_400_000));
    expect(later(rule, 'a')).toBeLessThan(3_600_000);
  });

  it('never reaches the next nominal time', () => {
    for (let index = 0; index < 200; index++) {
      const rule = checkRule({ every: '1m', window: '1h', jitter: '2h' }, 'rule', `s${index}`);
      const due = dueTime(rule, NOMINAL);
      expect(due).toBeGreaterThanOrEqual(NOMINAL);
      expect(due).toBeLessThan(nextOccurrence(rule, NOMINAL) ?? 0);
    }
  });
});
