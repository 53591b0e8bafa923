import { describe, expect, it, vi } from 'vitest';
import { loopTurn, VirtualClock } from './virtual.clock.js';

const DAY = 86_400_000;

describe('VirtualClock', () => {
  it('starts at the beginning of 2026, or where it is told, and stands still', async () => {
    const clock = new VirtualClock();
    expect(new Date(clock.now()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
    expect(new VirtualClock(new Date(5)).now()).toBe(5);
    expect(new VirtualClock(7).now()).toBe(7);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(clock.now()).toBe(Date.UTC(2026, 0, 1));
  });

  it('rings in the order of time, equal ones in the order set, each at its own time', async () => {
    const clock = new VirtualClock(0);
    const rung: string[] = [];
    for (const [name, ms] of [
      ['c', 30],
      ['a', 10],
      ['b', 20],
      ['b2', 20],
      ['late', 101],
    ] as const) {
      clock.after(ms, () => rung.push(`${name} ${clock.now()}`));
    }
    await clock.advance(100);
    expect(rung).toEqual(['a 10', 'b 20', 'b2 20', 'c 30']);
    expect([clock.now(), clock.next, clock.pending]).toEqual([100, 101, 1]);
    await clock.advance('1ms');
    expect(rung.at(-1)).toBe('late 101');
    expect([clock.next, clock.pending]).toEqual([undefined, 0]);
  });

  it('lets what a timer sets off come to an end before the next one rings', async () => {
    const clock = new VirtualClock(0);
    const log: string[] = [];
    const work = async (name: string): Promise<void> => {
      log.push(`${name} begins`);
      for (let n = 0; n < 20; n++) await Promise.resolve();
      log.push(`${name} ends`);
    };
    clock.after(10, () => void work('a'));
    clock.after(10, () => void work('b'));
    await clock.advance(10);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('rings timers that are set on the way', async () => {
    const clock = new VirtualClock(0);
    const days: number[] = [];
    const daily = (): void => {
      days.push(clock.now() / DAY);
      clock.after(DAY, daily);
    };
    clock.after(DAY, daily);
    await clock.advance('91d');
    expect(days).toEqual(Array.from({ length: 91 }, (_, n) => n + 1));
  });

  it('does not ring what was cancelled', async () => {
    const clock = new VirtualClock(0);
    const ring = vi.fn<() => void>();
    const cancel = clock.after(10, ring);
    clock.after(5, cancel);
    clock.after(0, ring)();
    await clock.advance(20);
    cancel();
    expect(ring).not.toHaveBeenCalled();
    expect(clock.pending).toBe(0);
  });

  it('rings a wait of nothing without time passing, once, and not at once', async () => {
    const clock = new VirtualClock(0);
    const ring = vi.fn<() => void>();
    clock.after(0, ring);
    expect(ring).not.toHaveBeenCalled();
    await loopTurn();
    await loopTurn();
    await clock.advance(1);
    expect(ring).toHaveBeenCalledTimes(1);
  });

  it('refuses what is no duration', async () => {
    await expect(new VirtualClock().advance('soon' as '1s')).rejects.toThrow(
      'duration must be milliseconds or a string such as \'10s\', got "soon"',
    );
  });
});
