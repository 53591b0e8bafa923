import { describe, expect, it } from 'vitest';
import { HOUR, staged, T0 } from '../../../test/support/schedule.stage.js';
import { ringProblem, timerProblem } from './timer.js';

describe('a timer that rings', () => {
  const ring = { id: 'due:s', now: T0, at: T0 };
  it.each([
    [ring, { timer: T0 }, undefined],
    [{ ...ring, now: T0 - 1_000 }, { timer: T0 }, undefined],
    [{ ...ring, now: T0 - HOUR }, { timer: T0 }, 'its timer rang too early'],
    [{ ...ring, at: T0 - 1 }, { timer: T0 }, 'its timer was set to another time'],
    [ring, {}, 'it had no timer'],
    [{ ...ring, id: 'schedules-1' }, { timer: T0 }, 'it had a second timer'],
  ])('%j of %j', (rung, state, problem) => {
    expect(ringProblem('s', rung, state)).toBe(problem);
  });
});

describe('timerProblem', () => {
  const timer = T0 + 3 * HOUR;
  const find = async () => ({ state: 'delayed', envelope: { dueAt: timer } }) as never;

  it.each([
    [T0 + HOUR + 5_000, undefined],
    [T0 + HOUR + 5_001, 'its timer was set too late'],
    [timer + 5_000, undefined],
    [timer + 5_001, 'its timer was overdue'],
  ])('two hours late, at %i: %s', async (now, problem) => {
    const state = { ...staged({ every: '1h' }).state, timer };
    expect(await timerProblem({ find }, 's', state, now)).toBe(problem);
  });
});
