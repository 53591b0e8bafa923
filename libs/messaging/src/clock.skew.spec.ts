import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { StoreError } from './messaging.errors.js';
import { checkClock, judgeSkew, skewOf, type ClockReading } from './clock.skew.js';

const NOW = 1_800_000_000_000;
/** The store is that much ahead of the process, and its answer takes 20 ms. */
const storeAhead = (ms: number): ClockReading => ({
  before: NOW,
  storeTime: NOW + (ms > 0 ? 20 + ms : ms),
  after: NOW + 20,
});

describe('the skew of two clocks', () => {
  it.each<[string, ClockReading, number]>([
    ['none, at the first look', { before: 10, storeTime: 10, after: 30 }, 0],
    ['none, between the looks', { before: 10, storeTime: 20, after: 30 }, 0],
    ['none, at the last look', { before: 10, storeTime: 30, after: 30 }, 0],
    ['what the process is ahead', { before: 10, storeTime: 4, after: 30 }, 6],
    ['what the process is behind', { before: 10, storeTime: 35, after: 30 }, -5],
    ['none, when the answer took long', { before: 0, storeTime: 9_000, after: 60_000 }, 0],
    ['the same when a clock was set back', { before: 30, storeTime: 35, after: 10 }, -5],
  ])('is %s', (_, reading, skew) => {
    expect(skewOf(reading)).toBe(skew);
  });
});

describe('a skew', () => {
  it.each([0, 1, 500, -500])('of %i ms is no trouble', (ms) => {
    expect(judgeSkew('Redis 7.2.4', storeAhead(ms))).toBe('ok');
  });

  it.each<[number, string]>([
    [501, 'is 501 ms behind that of Redis 7.2.4'],
    [-501, 'is 501 ms ahead of that of Redis 7.2.4'],
    [-4_210, 'is 4210 ms ahead of that of Redis 7.2.4'],
    [5_000, 'is 5000 ms behind that of Redis 7.2.4'],
  ])('of %i ms is a warning', (ms, text) => {
    expect(judgeSkew('Redis 7.2.4', storeAhead(ms))).toEqual({
      warning: `the clock of this process ${text}: delays, deadlines and schedules are off by as much; synchronize the clocks (NTP)`,
    });
  });

  it.each<[number, string]>([
    [5_001, 'is 5001 ms behind that of PostgreSQL 17.2'],
    [-3_600_000, 'is 3600 s ahead of that of PostgreSQL 17.2'],
  ])('of %i ms cannot be used', (ms, text) => {
    const verdict = judgeSkew('PostgreSQL 17.2', storeAhead(ms));
    expect(verdict).toBeInstanceOf(StoreError);
    expect((verdict as StoreError).message).toBe(
      `the clock of this process ${text}, and at most 5000 ms are allowed: messages would be handled too early or too late; synchronize the clocks (NTP), then start again`,
    );
  });

  it.each([NaN, Infinity])('cannot be told from a store that says %d', (storeTime) => {
    const verdict = judgeSkew('Redis 7.2.4', { before: 1, storeTime, after: 2 });
    expect(verdict).toEqual(new StoreError('Redis 7.2.4 does not tell what time it is'));
  });
});

describe('the check of the clocks', () => {
  let warn: MockInstance;
  let time: number;
  beforeEach(() => {
    time = NOW;
    warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
  });
  afterEach(() => warn.mockRestore());

  /** A store that is `skew` ms ahead, and takes so long to answer, each time. */
  const check = async (skew: number, ...trips: number[]): Promise<number> => {
    let asked = 0;
    const storeTime = async (): Promise<number> => {
      const trip = trips[Math.min(asked++, trips.length - 1)] ?? 0;
      time += trip;
      return time - trip / 2 + skew;
    };
    await checkClock('Redis', storeTime, () => time);
    return asked;
  };

  it('is content with one quick answer', async () => {
    expect(await check(0, 10)).toBe(1);
    expect(await check(400, 100)).toBe(1);
    expect(warn).not.toHaveBeenCalled();
  });

  it('warns, and goes on', async () => {
    await check(-700, 10);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('ahead of that of Redis'));
  });

  it('refuses', async () => {
    await expect(check(6_000, 10)).rejects.toThrow(StoreError);
  });

  it('asks again when the answer took so long that it would hide a skew', async () => {
    await expect(check(6_000, 20_000, 10)).rejects.toThrow(StoreError);
    expect(await check(0, 20_000, 10)).toBe(2);
    expect(await check(0, 20_000)).toBe(3);
    expect(warn).not.toHaveBeenCalled();
  });

  it('goes by the clock of the process, and fails with the store', async () => {
    await checkClock('Redis', async () => Date.now());
    expect(warn).not.toHaveBeenCalled();
    const gone = new Error('gone');
    await expect(checkClock('Redis', () => Promise.reject(gone))).rejects.toBe(gone);
  });
});
