import { describe, expect, it } from 'vitest';
import { endedRuns, historyOf, runsInWords } from './run.history.js';

const at = '2026-11-29T10:00:01.000Z';
const nominal = '2026-11-29T10:00:00.000Z';
const fired = {
  kind: 'occurrence',
  at,
  nominal,
  count: 1,
  outcome: 'fired',
  run: 'a',
  reason: 'manual',
} as const;
const failed = {
  kind: 'end',
  at,
  nominal,
  run: 'a',
  outcome: 'failed',
  drift: 12,
  attempts: 3,
  error: { name: 'GoneError', message: 'closed' },
} as const;

describe('the history of a schedule', () => {
  it('shows a run that has ended once, with why there was one', () => {
    expect(historyOf([failed, fired])).toEqual([
      {
        ...{ at, nominal, outcome: 'failed', run: 'a', drift: 12, attempts: 3, why: 'manual' },
        detail: 'GoneError: closed',
      },
    ]);
  });

  it('shows a run in work, what was decided of others, and notes', () => {
    const missed = {
      kind: 'occurrence',
      at,
      nominal,
      count: 3,
      outcome: 'missed',
      until: '2026-11-29T12:00:00.000Z',
    } as const;
    const paused = { kind: 'note', at, what: 'paused', detail: 'the shop is shut' } as const;
    expect(historyOf([{ ...fired, reason: 'scheduled' }, missed, paused])).toMatchObject([
      { outcome: 'fired', run: 'a', why: undefined },
      {
        outcome: 'missed',
        detail: expect.stringMatching(/^3 occurrences, until .*2026/) as string,
      },
      { outcome: 'paused', detail: 'the shop is shut' },
    ]);
  });

  it('tells no drift of a backfill', () => {
    const entries = [failed, { ...fired, reason: 'backfill' }] as const;
    expect(historyOf(entries)[0]).not.toHaveProperty('drift');
    expect(endedRuns(entries, 20)).toEqual([{ outcome: 'failed' }]);
  });

  it('has the ended runs oldest first, and in words', () => {
    const runs = endedRuns([failed, fired, { ...failed, outcome: 'succeeded', drift: 3 }], 20);
    expect(runs).toEqual([
      { outcome: 'succeeded', drift: 3 },
      { outcome: 'failed', drift: 12 },
    ]);
    expect(runsInWords(runs)).toBe('2 runs: 1 succeeded, 1 failed');
    expect(endedRuns([failed, failed, failed], 2)).toHaveLength(2);
  });
});
