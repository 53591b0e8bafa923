import { describe, expect, it } from 'vitest';
import { definitionOf, HOUR, staged, T0 } from '../../../test/support/schedule.stage.js';
import { stateProblem } from './schedule.health.js';
import { pastOf, recover } from './schedule.recovery.js';
import { scheduleState, storedSchedule, type Definition } from './schedule.state.js';

describe('a state that somebody has changed', () => {
  it.each([
    ['earlier', -5 * HOUR],
    ['later', 5 * HOUR],
  ])('so that it goes on %s goes on where it was', (_, by) => {
    const stage = staged({ every: '1h' }, { overlap: 'allow' });
    stage.advance(T0 + 3 * HOUR);
    stage.state.watermark += by;
    expect(stateProblem(stage.state, stage.now)).toBeDefined();
    stage.turn((schedule) => expect(schedule.mend()).toBeDefined());
    expect(stateProblem(stage.state, stage.now)).toBeUndefined();
    stage.advance(T0 + 5 * HOUR);
    expect(stage.sent).toEqual([1, 2, 3, 4, 5].map((n) => `run:s:${T0 + n * HOUR}`));
  });

  it('to another definition than the declared one counts as never changed', () => {
    const stage = staged({ every: '1h' }, { overlap: 'allow' });
    const declared = structuredClone(stage.state.definition as Definition);
    Object.assign(stage.state.definition ?? {}, definitionOf({ every: '7h' }));
    stage.sleep(T0 + 3 * HOUR);
    expect(stage.turn((schedule) => schedule.correct(declared))).toBe('changed');
    expect(stage.turn((schedule) => schedule.correct(declared))).toBe('unchanged');
    expect(stage.decisions().map(({ nominal }) => nominal)).toEqual(
      [1, 2, 3].map((n) => T0 + n * HOUR),
    );
  });

  it('so that it is none keeps its definition, if that can be read, and what was found', () => {
    const { state } = staged({ every: '1h' });
    const found = storedSchedule.parse({ ...state, watermark: 'yesterday' });
    expect(found.definition).toEqual(state.definition);
    expect(found.damage?.problem).toMatch(/^its state could not be read: watermark: /);
    expect(found.damage?.found).toContain('yesterday');
    const nothing = storedSchedule.parse({ definition: 'every day' });
    expect(nothing.definition).toBeUndefined();
    expect(storedSchedule.parse(state)).toEqual(state);
    // It can be stored.
    expect(storedSchedule.parse(nothing)).toEqual(nothing);
  });

  it('goes on where its journal ends, with the runs that are in work', () => {
    const stage = staged({ every: '1h' }, { overlap: 'allow' });
    stage.advance(T0 + 3 * HOUR);
    stage.end(`run:s:${T0 + HOUR}`);
    const rows = stage.rows.map((row, n) => ({ id: `${n}`, at: row.at, row: row as never }));
    const { definition } = stage.state;
    const lost = { ...scheduleState.parse({}), definition };
    recover(lost, pastOf(rows.reverse()), stage.now);
    const { watermark, previous, running } = stage.state;
    expect(lost).toMatchObject({ createdAt: T0, watermark, previous, running });
    recover(lost, undefined, stage.now);
    expect(lost).toMatchObject({ createdAt: stage.now, watermark: stage.now, running: [] });
  });
});
