import { describe, expect, it } from 'vitest';
import { definitionOf, HOUR, MINUTE, staged, T0 } from '../../../test/support/schedule.stage.js';
import type { CatchUp } from './policies.js';
import { checkRule, nextOccurrence } from './rule/index.js';
import { LEAD } from './schedule.js';

describe('a schedule', () => {
  it('fires each occurrence once, at its time', () => {
    const stage = staged({ every: '1h' }, { overlap: 'allow' });
    expect(stage.state.timer).toBe(T0 + HOUR - LEAD);
    stage.advance(T0 + 3 * HOUR);
    expect(stage.sent).toEqual([1, 2, 3].map((n) => `run:s:${T0 + n * HOUR}`));
    // While a run is in work none is sent ahead.
    expect(stage.state.timer).toBe(T0 + 4 * HOUR);
    expect(stage.outcomes()).toEqual(['fired', 'fired', 'fired']);
  });

  it('does nothing when its timer rings early, and asks for it again', () => {
    const stage = staged({ every: '1h' });
    stage.sleep(T0 + HOUR - LEAD - 1);
    stage.turn();
    expect(stage.sent).toEqual([]);
    expect(stage.state.timer).toBe(T0 + HOUR - LEAD);
  });

  it('has no turn to take when no occurrence is left, and no run is in work', () => {
    const stage = staged({ every: '1h', limit: 2 }, { overlap: 'allow' });
    stage.advance(T0 + 10 * HOUR);
    expect(stage.sent).toHaveLength(2);
    // Looks for them, less and less often.
    expect((stage.state.timer ?? 0) - stage.now).toBeGreaterThan(30 * MINUTE);
    stage.endAll();
    expect(stage.state.timer).toBeUndefined();
  });

  it('asks for its timer again and again when the next occurrence is years away', () => {
    const stage = staged({ at: '2029-01-01T00:00:00Z' });
    stage.advance(Date.UTC(2029, 0, 1));
    expect(stage.sent).toEqual([`run:s:${Date.UTC(2029, 0, 1)}`]);
  });

  it('runs later than nominal by its window, and decides it only then', () => {
    const stage = staged({ every: '1h', window: '30m', seed: 'b' }, { overlap: 'allow' });
    const due = (stage.state.timer ?? 0) + LEAD;
    expect(due).toBeGreaterThan(T0 + HOUR);
    expect(due).toBeLessThan(T0 + 1.5 * HOUR);
    stage.sleep(due - 1_000);
    stage.turn();
    expect(stage.outcomes()).toEqual([]);
    expect(stage.state.ahead).toMatchObject({ nominal: T0 + HOUR, at: due });
    stage.advance(due);
    expect(stage.sent).toEqual([`run:s:${T0 + HOUR}`]);
    expect(stage.outcomes()).toEqual(['fired']);
  });
});

describe('catching up after six hours without anybody, an occurrence each hour', () => {
  const late = 6 * HOUR + 30 * MINUTE;
  it.each<[CatchUp, string[]]>([
    ['none', Array<string>(6).fill('missed')],
    ['latest', [...Array<string>(5).fill('coalesced'), 'late']],
    ['all', Array<string>(6).fill('late')],
    [{ last: 2 }, [...Array<string>(4).fill('missed'), 'late', 'late']],
    [{ within: '3h' }, [...Array<string>(3).fill('missed'), 'late', 'late', 'late']],
  ])('%j', (catchUp, outcomes) => {
    const stage = staged({ every: '1h' }, { catchUp, overlap: 'allow' });
    stage.sleep(T0 + late);
    stage.turn();
    expect(stage.outcomes()).toEqual(outcomes);
    expect(stage.sent).toHaveLength(outcomes.filter((each) => each === 'late').length);
    const expected = [
      ...(outcomes.some((each) => each === 'missed' || each === 'coalesced') ? ['missed'] : []),
      ...(outcomes.includes('late') ? ['late'] : []),
    ];
    expect(stage.troubles).toEqual(expected);
    // Within the grace nothing is late.
    stage.sleep(T0 + 7 * HOUR + 59_000);
    stage.turn();
    expect(stage.outcomes().at(-1)).toBe('fired');
  });

  it('takes a few turns when there is much to decide, and comes to the same', () => {
    const stage = staged({ every: '1s' }, { catchUp: { last: 3 }, overlap: 'allow' });
    stage.sleep(T0 + 48 * HOUR);
    stage.turn();
    expect(stage.state.timer).toBe(stage.now);
    stage.advance(stage.now);
    const all = stage.decisions();
    expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(48 * 3_600);
    expect(stage.outcomes().filter((each) => each === 'late')).toHaveLength(3);
    expect(stage.outcomes().filter((each) => each === 'fired')).toHaveLength(61);
    expect(all.length).toBeLessThan(500);
  });
});

describe('a pause', () => {
  it('keeps occurrences from running, records them, and ends when it is to', () => {
    const stage = staged({ every: '1h' }, { overlap: 'allow' });
    stage.advance(T0 + HOUR);
    stage.turn((schedule) => schedule.pause('maintenance', T0 + 4 * HOUR + 1));
    stage.advance(T0 + 5 * HOUR);
    expect(stage.outcomes()).toEqual(['fired', 'paused', 'paused', 'paused', 'fired']);
    expect(stage.rows.filter(({ kind }) => kind === 'note')).toMatchObject([
      { what: 'created' },
      { what: 'paused', detail: 'maintenance' },
      { what: 'resumed' },
    ]);
  });

  it('without an end lasts until somebody resumes', () => {
    const stage = staged({ every: '1h' }, { overlap: 'allow', catchUp: 'all' });
    stage.turn((schedule) => schedule.pause('stop'));
    expect(stage.state.timer).toBeUndefined();
    stage.sleep(T0 + 3 * HOUR + 1);
    expect(stage.turn((schedule) => schedule.resume())).toBe(true);
    expect(stage.turn((schedule) => schedule.resume())).toBe(false);
    expect(stage.outcomes()).toEqual(['paused', 'paused', 'paused']);
    stage.advance(T0 + 4 * HOUR);
    expect(stage.outcomes().at(-1)).toBe('fired');
  });

  it('holds back what waits for a run to end', () => {
    const stage = staged({ every: '1h' }, { overlap: 'buffer-all' });
    stage.advance(T0 + 2 * HOUR);
    stage.turn((schedule) => schedule.pause('stop'));
    stage.endAll();
    expect(stage.sent).toHaveLength(1);
    stage.turn((schedule) => schedule.resume());
    expect(stage.sent).toHaveLength(2);
  });

  it('comes by itself after so many failures in a row, and counts anew after it', () => {
    const stage = staged({ every: '1h' }, { pauseAfter: 2 });
    for (const hour of [1, 2]) {
      stage.advance(T0 + hour * HOUR);
      stage.end(stage.sent.at(-1) ?? '', 'failed');
    }
    expect(stage.state.pause).toMatchObject({ reason: '2 runs in a row failed: no' });
    expect(stage.troubles).toEqual(['failing', 'failing', 'paused']);
    stage.turn((schedule) => schedule.resume());
    expect(stage.state.failures).toBe(0);
  });
});

describe('an edit', () => {
  it('never drops an overdue run, and begins at once', () => {
    const stage = staged({ every: '1h' }, { overlap: 'allow', catchUp: 'all' });
    stage.sleep(T0 + 2 * HOUR + 10 * MINUTE);
    stage.turn((schedule) => schedule.put(definitionOf({ every: '7m' }, { overlap: 'allow' })));
    expect(stage.sent).toEqual([`run:s:${T0 + HOUR}`, `run:s:${T0 + 2 * HOUR}`]);
    const next = nextOccurrence(checkRule({ every: '7m' }, '', 's'), stage.now);
    expect(stage.state.timer).toBe(next);
    expect(stage.state.successors).toEqual([]);
  });

  it('to the same changes nothing', () => {
    const stage = staged({ every: '1h' });
    const before = structuredClone(stage.state);
    stage.sleep(T0 + MINUTE);
    stage.turn((schedule) => schedule.put(definitionOf({ every: '1h' })));
    expect(stage.state).toEqual(before);
  });

  it('of something else than the rule goes on counting', () => {
    const stage = staged({ every: '1h', limit: 3 }, { overlap: 'allow' });
    stage.advance(T0 + 2 * HOUR);
    const policies = { overlap: 'allow', timeout: '5m' } as const;
    stage.turn((schedule) => schedule.put(definitionOf({ every: '1h', limit: 3 }, policies)));
    stage.advance(T0 + 9 * HOUR);
    expect(stage.sent).toHaveLength(3);
  });

  it('of a paused schedule counts at once', () => {
    const stage = staged({ every: '1h' });
    stage.turn((schedule) => schedule.pause('stop'));
    stage.sleep(T0 + 2 * HOUR + 1);
    stage.turn((schedule) => schedule.put(definitionOf({ every: '1d' })));
    expect(stage.state.definition?.rule.every).toBe(24 * HOUR);
    expect(stage.outcomes()).toEqual(['paused', 'paused']);
    expect(stage.state.pause).toMatchObject({ reason: 'stop' });
  });
});

describe('what people ask for', () => {
  it('a run now, as its own policy says or another', () => {
    const stage = staged({ every: '1h' });
    const first = stage.turn((schedule) => schedule.trigger(undefined));
    // The hash of the message that asks.
    expect(first).toEqual({ outcome: 'started', run: `run:s:${T0}:manual:d0f631ca1ddb` });
    expect(stage.turn((schedule) => schedule.trigger(undefined))).toEqual({ outcome: 'skipped' });
    expect(stage.turn((schedule) => schedule.trigger('allow'))).toMatchObject({
      outcome: 'started',
    });
    expect(stage.outcomes()).toEqual(['triggered', 'skipped', 'triggered']);
  });

  it('runs of a range of time, one after the other, once', () => {
    const stage = staged({ every: '1h' });
    const ask = () => stage.turn((schedule) => schedule.backfill('b', T0 - 3 * HOUR, T0, false));
    expect(ask()).toBe('begun');
    expect(stage.sent).toHaveLength(1);
    expect(ask()).toBe('known');
    stage.endAll();
    expect(ask()).toBe('known');
    expect(stage.decisions()).toEqual(
      [2, 1, 0].map((n) => ({ nominal: T0 - n * HOUR, outcome: 'backfilled', count: 1 })),
    );
  });

  it('runs of a range of time side by side, in turns of five hundred', () => {
    const stage = staged({ every: '1m' }, { overlap: 'allow' });
    stage.turn((schedule) => schedule.backfill('b', T0 - 800 * MINUTE, T0, true));
    expect(stage.sent).toHaveLength(500);
    expect(stage.state.timer).toBe(T0);
    stage.turn();
    expect(stage.sent).toHaveLength(800);
    expect(stage.state.backfills).toEqual([]);
  });

  it('at most ten ranges at a time', () => {
    const stage = staged({ every: '1h' });
    const ask = (n: number) =>
      stage.turn((schedule) => schedule.backfill(`b${n}`, T0 - 3 * HOUR, T0, false));
    for (let n = 0; n < 10; n++) expect(ask(n)).toBe('begun');
    expect(ask(10)).toBe('full');
  });
});
