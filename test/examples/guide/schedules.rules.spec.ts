import {
  checkRule,
  nextOccurrence,
  occurrencesBetween,
  previewRule,
  type DstRule,
} from '@callsheet/scheduler';
import { expect, it } from 'vitest';

it('a rule is checked once, and asked by anybody', () => {
  const rule = checkRule(
    { cron: '30 2 * * MON-FRI', tz: 'Europe/Madrid' },
    'rule',
    'nightly report',
  );
  const friday = Date.parse('2026-12-04T12:00Z');
  expect(nextOccurrence(rule, friday)).toBe(Date.parse('2026-12-07T01:30Z'));
  expect(previewRule(rule, { from: friday, count: 2 })).toEqual({
    text: 'At 02:30 on Monday to Friday (Europe/Madrid).',
    occurrences: [
      { at: '2026-12-07T01:30:00.000Z', local: '2026-12-07 02:30:00 +01:00' },
      { at: '2026-12-08T01:30:00.000Z', local: '2026-12-08 02:30:00 +01:00' },
    ],
    warnings: [],
  });
});

it('a missing time runs at the end of the gap, by default', () => {
  const change = Date.parse('2027-03-14T05:00Z');
  const at = (dst?: DstRule) => {
    const written = { cron: '30 2 * * *', tz: 'America/New_York', ...(dst && { dst }) };
    return previewRule(checkRule(written, 'rule', 'id'), { from: change, count: 1 }).occurrences[0]
      ?.local;
  };
  expect(at()).toBe('2027-03-14 03:00:00 -04:00');
  expect(at('skip')).toBe('2027-03-15 02:30:00 -04:00');
  expect(at('shift')).toBe('2027-03-14 03:30:00 -04:00');
});

it('the first of the month, or the next business day', () => {
  const rule = checkRule(
    {
      cron: '0 9 1 * *',
      exclude: [{ days: ['sat', 'sun'] }, { dates: ['01-01', '12-25'] }],
      onExcluded: 'next-day',
    },
    'rule',
    'invoices',
  );
  const days = occurrencesBetween(rule, Date.parse('2026-10-15'), Date.parse('2027-03-01'), 10);
  expect(days.map((at) => new Date(at).toISOString().slice(0, 10))).toEqual([
    '2026-11-02',
    '2026-12-01',
    '2027-01-04',
    '2027-02-01',
  ]);
});
