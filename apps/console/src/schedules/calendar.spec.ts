import { describe, expect, it } from 'vitest';
import { calendarOf } from './calendar.js';

/** A moment of 2026, in the time of this machine. */
function at(month: number, day: number, hour = 0): number {
  return new Date(2026, month - 1, day, hour).getTime();
}
const iso = (time: number): string => new Date(time).toISOString();
const now = at(11, 29, 15);

describe('the calendar', () => {
  it('has a day for each, from midnight to midnight, and what runs on it by time', () => {
    const { days, frequent } = calendarOf(
      [
        { id: 'late', times: [iso(at(11, 29, 23)), iso(at(11, 30, 23))], cut: false },
        { id: 'early', times: [iso(at(11, 30, 1)), iso(at(12, 2, 1))], cut: false },
      ],
      now,
      2,
    );
    expect(frequent).toEqual([]);
    expect(days.map(({ start }) => start)).toEqual([at(11, 29), at(11, 30)]);
    expect(days.map(({ entries }) => entries.map(({ id }) => id))).toEqual([
      ['late'],
      ['early', 'late'],
    ]);
  });

  it('gathers many runs of a day into one entry', () => {
    const times = [16, 17, 18, 19, 20].map((hour) => iso(at(11, 29, hour)));
    const [day] = calendarOf([{ id: 'hourly', times, cut: false }], now, 1).days;
    expect(day?.entries).toEqual([
      { id: 'hourly', first: at(11, 29, 16), last: at(11, 29, 20), count: 5 },
    ]);
  });

  it('lists apart what runs too often to be known to the end', () => {
    const often = { id: 'often', times: [iso(now + 1), iso(now + 2)], cut: true };
    const { days, frequent } = calendarOf([often], now, 3);
    expect(frequent).toEqual(['often']);
    expect(days.flatMap(({ entries }) => entries)).toEqual([]);
    // Known to the end of a shorter time.
    const seldom = { ...often, times: [iso(at(11, 29, 20)), iso(at(12, 5))] };
    expect(calendarOf([seldom], now, 3).frequent).toEqual([]);
  });
});
