import { describe, expect, it } from 'vitest';
import { OptionError } from './messaging.errors.js';
import { LANES, toPriority, type Priority } from './priority.js';

describe('toPriority', () => {
  it.each<[Priority, number]>([
    ['critical', 1],
    ['high', 10],
    ['normal', 100],
    ['low', 1_000],
    [1, 1],
    [55, 55],
    [2_097_152, 2_097_152],
  ])('reads %j as %d', (given, expected) => {
    expect(toPriority(given, 'priority')).toBe(expected);
  });

  it('orders the lanes as they are named', () => {
    const numbers = Object.keys(LANES).map((lane) => toPriority(lane as Priority, 'priority'));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });

  it.each<[unknown]>([
    [0],
    [-1],
    [1.5],
    [2_097_153],
    [NaN],
    [Infinity],
    ['urgent'],
    ['Normal'],
    [''],
    ['1'],
    ['toString'],
    ['constructor'],
    ['__proto__'],
    [null],
    [undefined],
    [true],
    [{}],
    [[1]],
    [1n],
  ])('refuses %o', (given) => {
    expect(() => toPriority(given as Priority, '3.priority')).toThrow(
      new OptionError(
        '3.priority',
        'must be one of critical, high, normal, low, or a whole number from 1 to 2097152',
      ),
    );
  });
});
