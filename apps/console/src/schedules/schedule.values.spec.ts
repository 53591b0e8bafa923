import { describe, expect, it } from 'vitest';
import type { Shown } from '../api/client.js';
import { bodyOf, NEW_SCHEDULE, ruleOf, trialOf, valuesOf } from './schedule.values.js';

const report = {
  ...NEW_SCHEDULE,
  ...{ id: 'report', type: 'report.make', data: '{"to":"ada"}', rule: '0 9 * * *' },
};

describe('the form of a schedule', () => {
  it('becomes a body without what was left empty', () => {
    expect(bodyOf(report)).toEqual({
      id: 'report',
      message: { type: 'report.make', data: { to: 'ada' } },
      cron: '0 9 * * *',
    });
  });

  it('takes several patterns on lines, tags with commas, more options as JSON', () => {
    const values = { ...report, rule: '0 9 * * *\n0 18 * * *\n', tags: 'money, daily,' };
    expect(ruleOf({ ...values, tz: 'Europe/Madrid', more: '{"jitter":"1m"}' })).toEqual({
      ...{ cron: ['0 9 * * *', '0 18 * * *'], tags: ['money', 'daily'] },
      ...{ tz: 'Europe/Madrid', jitter: '1m' },
    });
  });

  it('takes milliseconds as a number, and an RRULE of several lines as one', () => {
    expect(ruleOf({ ...report, kind: 'every', rule: '60000' })).toEqual({ every: 60_000 });
    expect(ruleOf({ ...report, kind: 'every', rule: '10m' })).toEqual({ every: '10m' });
    const rule = 'DTSTART:20260101T090000\nRRULE:FREQ=DAILY';
    expect(ruleOf({ ...report, kind: 'rrule', rule })).toEqual({ rrule: rule });
  });

  it('says which field holds no JSON', () => {
    expect(() => bodyOf({ ...report, data: '{' })).toThrow(/^Data: /);
    expect(() => bodyOf({ ...report, data: '[]' })).toThrow('Data: must be an object');
    expect(() => ruleOf({ ...report, more: 'x' })).toThrow(/^More options: /);
  });

  it.each(['', 'my report', '-report', 'a'.repeat(101)])(
    'is tried without the id %o, which cannot be one',
    (id) => {
      const values = { ...report, id, tags: 'not a tag', description: 'x'.repeat(501) };
      expect(trialOf(values)).toEqual({ cron: '0 9 * * *' });
    },
  );

  it('is tried with its id, from which the places of its runs are drawn', () => {
    expect(trialOf({ ...report, tz: 'UTC' })).toEqual({
      ...{ id: 'report', cron: '0 9 * * *', tz: 'UTC' },
    });
  });

  it('loses nothing of a schedule that is shown and sent back', () => {
    const shown = {
      ...{ id: 'report', message: { type: 'report.make', version: 2, data: { to: 'ada' } } },
      ...{ every: 60_000, tz: 'UTC', overlap: 'skip', tags: ['money'], description: 'for Ada' },
      ...{ catchUp: { last: 3 }, grace: 60_000, exclude: { days: ['sat', 'sun'] } },
    } as unknown as Shown['Schedule'];
    expect(bodyOf(valuesOf(shown), 2)).toEqual(shown);
  });
});
