import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.js';

const DAY = 86_400_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the machine's clock", () => {
  it('tells the time', () => {
    vi.setSystemTime(5_000);
    expect(systemClock.now()).toBe(5_000);
  });

  it('rings once, not before its time', () => {
    let rings = 0;
    systemClock.after(1_000, () => rings++);
    vi.advanceTimersByTime(999);
    expect(rings).toBe(0);
    vi.advanceTimersByTime(10_000);
    expect(rings).toBe(1);
  });

  it.each([30, 365])('waits %d days, which no timer of Node can', (days) => {
    let rings = 0;
    systemClock.after(days * DAY, () => rings++);
    vi.advanceTimersByTime(days * DAY - 1);
    expect(rings).toBe(0);
    vi.advanceTimersByTime(1);
    expect(rings).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is cancelled, in the first part of a long wait and in a later one', () => {
    for (const passed of [1, 60]) {
      let rings = 0;
      const cancel = systemClock.after(100 * DAY, () => rings++);
      vi.advanceTimersByTime(passed * DAY);
      cancel();
      expect(vi.getTimerCount()).toBe(0);
      vi.advanceTimersByTime(200 * DAY);
      expect(rings).toBe(0);
    }
  });

  it('does not mind a cancelling that comes late', () => {
    const cancel = systemClock.after(1, () => undefined);
    vi.advanceTimersByTime(1);
    cancel();
    expect(vi.getTimerCount()).toBe(0);
  });
});
