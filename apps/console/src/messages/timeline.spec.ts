import { describe, expect, it } from 'vitest';
import { timelineOf } from './timeline.js';

type Message = Parameters<typeof timelineOf>[0];

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();
const error = { name: 'Error', message: 'no' };
const failed = (attempt: number, from: number, to: number) => ({
  attempt,
  startedAt: at(from),
  finishedAt: at(to),
  error,
});

function stepsOf(message: Partial<Message>): string[] {
  const whole = { sentAt: at(0), attempts: [], redrives: 0, state: 'waiting', ...message };
  return timelineOf(whole as unknown as Message).map(({ what, lasted }) =>
    lasted ? `${what}: ${lasted}` : what,
  );
}

describe('the timeline of a message', () => {
  it('begins when it was sent, and is due later if delayed', () => {
    expect(stepsOf({})).toEqual(['Sent']);
    expect(stepsOf({ state: 'delayed', dueAt: at(60) })).toEqual(['Sent', 'Due: after 1 min']);
  });

  it('tells of each attempt what was waited for it, and how long it ran', () => {
    expect(
      stepsOf({
        state: 'done',
        attempts: [failed(1, 1, 3)],
        startedAt: at(13),
        finishedAt: at(14),
      }),
    ).toEqual([
      'Sent',
      'Attempt 1 failed: waited 1 s, ran 2 s',
      'Attempt 2 started: waited 10 s',
      'Done: ran 1 s',
    ]);
  });

  it('goes on with the attempt that is to come', () => {
    const attempts = [failed(1, 1, 2)];
    const delayed = { state: 'delayed', attempts, nextAttemptAt: at(9) } as const;
    expect(stepsOf({ ...delayed, attemptsLeft: 4 }).at(-1)).toBe('Next attempt: 4 left');
    expect(stepsOf(delayed).at(-1)).toBe('Next attempt');
    // That of one which has not begun is when it is due.
    const later = { state: 'delayed', dueAt: at(60), nextAttemptAt: at(60) } as const;
    expect(stepsOf(later)).toEqual(['Sent', 'Due: after 1 min']);
  });

  it('ends with the reason of a death, and with no attempt beside those that failed', () => {
    const attempts = [failed(1, 1, 2)];
    const dead = {
      state: 'dead',
      reason: 'rejected',
      startedAt: at(1),
      finishedAt: at(2),
    } as const;
    expect(stepsOf({ ...dead, attempts })).toEqual([
      'Sent',
      'Attempt 1 failed: waited 1 s, ran 1 s',
      'Dead: rejected',
    ]);
    expect(stepsOf({ state: 'cancelled', finishedAt: at(5) })).toEqual(['Sent', 'Cancelled']);
  });
});
