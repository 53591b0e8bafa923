import { describe, expect, it } from 'vitest';
import { jsonViolations, LIMITS, stringProblem } from './json.js';

/** `{ n: { n: ... } }`, so many objects in all. */
function nested(levels: number): unknown {
  let value: unknown = {};
  for (let level = 1; level < levels; level += 1) value = { n: value };
  return value;
}

function keys(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]));
}

class Money {
  constructor(readonly amount: number) {}
}

describe('jsonViolations', () => {
  it.each([
    ['an empty object', {}],
    ['all kinds of values', { a: null, b: true, c: -0.5, d: 'é🎬\n\u0001', e: [1, [2]], f: {} }],
    ['an undefined property', { a: undefined }],
    ['an object without prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['an empty key', { '': 1 }],
    ['what JSON.parse makes', JSON.parse('{"a":[{"b":1e3}]}')],
    ['the same object twice', { a: LIMITS, b: LIMITS }],
    ['the largest and smallest numbers', { a: Number.MAX_VALUE, b: Number.MIN_VALUE }],
  ])('takes %s', (_, value) => {
    expect(jsonViolations(value)).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['a function', () => 1, 'cannot be carried: function is not JSON'],
    ['a symbol', Symbol('x'), 'cannot be carried: symbol is not JSON'],
    ['a BigInt', 1n, 'cannot be carried: bigint is not JSON'],
    ['undefined in a list', [undefined], 'cannot be carried: undefined is not JSON'],
    ['NaN', NaN, 'must be a finite number'],
    ['Infinity', -Infinity, 'must be a finite number'],
    ['a Date', new Date(0), 'cannot be carried: Date is not plain JSON'],
    ['an invalid Date', new Date(NaN), 'cannot be carried: Date is not plain JSON'],
    ['a Map', new Map([[1, 2]]), 'cannot be carried: Map is not plain JSON'],
    ['a Set', new Set([1]), 'cannot be carried: Set is not plain JSON'],
    ['a RegExp', /x/, 'cannot be carried: RegExp is not plain JSON'],
    ['an Error', new Error('x'), 'cannot be carried: Error is not plain JSON'],
    ['a Buffer', Buffer.from('x'), 'cannot be carried: Buffer is not plain JSON'],
    ['a Promise', Promise.resolve(1), 'cannot be carried: Promise is not plain JSON'],
    ['a boxed string', Object('x'), 'cannot be carried: String is not plain JSON'],
    ['an instance of a class', new Money(1), 'cannot be carried: Money is not plain JSON'],
    [
      'an object on another',
      Object.create({ inherited: 1 }),
      'cannot be carried: Object is not plain JSON',
    ],
    [
      'a nameless prototype',
      Object.create(Object.create(null)),
      'cannot be carried: object is not plain JSON',
    ],
    ['a toJSON method', { toJSON: () => 1 }, 'cannot be carried: function is not JSON'],
    ['NUL', 'a\0b', 'must not contain the NUL character'],
    ['a lone high surrogate', 'a\uD83D', 'must be well-formed Unicode'],
    ['a lone low surrogate', '\uDE00a', 'must be well-formed Unicode'],
    ['surrogates the wrong way round', '\uDE00\uD83D', 'must be well-formed Unicode'],
  ])('refuses %s, naming its place', (_, value, message) => {
    const [violation, ...rest] = jsonViolations({ order: { lines: [{ ok: 1 }, value] } });
    expect(rest).toEqual([]);
    expect(violation?.message).toBe(message);
    expect(violation?.path).toMatch(/^order\/lines\/1(\/(0|toJSON))?$/);
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a BigInt', 1n],
    ['a Date', new Date()],
    ['NUL', '\0'],
    ['a symbol', Symbol('x')],
  ])('refuses %s as the whole', (_, value) => {
    expect(jsonViolations(value)).toMatchObject([{ path: '' }]);
  });

  it.each(['__proto__', 'constructor', 'prototype'])('refuses the key %s', (key) => {
    const value: unknown = JSON.parse(`{"a":{"${key}":{"polluted":true}}}`);
    expect(jsonViolations(value)).toEqual([{ path: `a/${key}`, message: 'is not an allowed key' }]);
  });

  it('refuses bad characters in keys', () => {
    expect(jsonViolations({ 'a\0': 1, '\uD800': 2 })).toEqual([
      { path: 'a\0', message: 'must not contain the NUL character' },
      { path: '\uD800', message: 'must be well-formed Unicode' },
    ]);
  });

  it('refuses holes in a list, which JSON would fill with null', () => {
    const list: unknown[] = [1];
    list[2] = 3;
    expect(jsonViolations({ list })).toEqual([
      { path: 'list/1', message: 'cannot be carried: undefined is not JSON' },
    ]);
  });

  it('refuses an immense empty list at once', () => {
    const start = performance.now();
    const list: unknown[] = [];
    list.length = 4_000_000_000;
    expect(jsonViolations({ list })).toHaveLength(10);
    expect(performance.now() - start).toBeLessThan(200);
  });

  describe('limits', () => {
    it('takes 32 levels, not 33', () => {
      expect(jsonViolations(nested(32))).toEqual([]);
      expect(jsonViolations(nested(33))).toEqual([
        { path: '', message: 'is nested deeper than 32 levels' },
      ]);
    });

    it('counts lists as levels too', () => {
      const lists = (levels: number): unknown =>
        JSON.parse('['.repeat(levels) + ']'.repeat(levels));
      expect(jsonViolations(lists(32))).toEqual([]);
      expect(jsonViolations(lists(33))).toHaveLength(1);
    });

    it.each([10_000, 200_000])('refuses %d levels without overflowing', (levels) => {
      expect(jsonViolations(nested(levels))).toEqual([
        { path: '', message: 'is nested deeper than 32 levels' },
      ]);
    });

    it('refuses a cycle, direct or through others', () => {
      const direct: Record<string, unknown> = {};
      direct['self'] = direct;
      const list: unknown[] = [];
      list.push({ list });
      const wide: Record<string, unknown> = {};
      for (let n = 0; n < 50; n += 1) wide[`k${n}`] = wide;
      for (const cycle of [direct, list, wide]) {
        expect(jsonViolations(cycle)).toEqual([
          { path: '', message: 'is nested deeper than 32 levels' },
        ]);
      }
    });

    it('takes 1,000 values, not 1,001, however they are spread', () => {
      const tooMany = [{ path: '', message: 'has over 1000 values' }];
      expect(jsonViolations(keys(1_000))).toEqual([]);
      expect(jsonViolations(keys(1_001))).toEqual(tooMany);
      expect(jsonViolations({ a: keys(998), b: 1 })).toEqual([]);
      expect(jsonViolations({ a: keys(500), b: Array.from({ length: 499 }, () => 1) })).toEqual(
        tooMany,
      );
    });

    it('takes 256 KiB, not a byte more, counted in UTF-8', () => {
      const frame = JSON.stringify({ text: '' }).length;
      const ascii = 'x'.repeat(LIMITS.bytes - frame);
      const wide = 'é'.repeat((LIMITS.bytes - frame - 1) / 2);
      const tooLarge = [{ path: '', message: 'is larger than 262144 bytes' }];
      expect(jsonViolations({ text: ascii })).toEqual([]);
      expect(jsonViolations({ text: `${ascii}x` })).toEqual(tooLarge);
      expect(jsonViolations({ text: `${wide}` })).toEqual([]);
      expect(jsonViolations({ text: `${wide}é` })).toEqual(tooLarge);
    });

    it('reports ten faults at most', () => {
      const badKeys = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`\0${n}`, NaN]));
      expect(jsonViolations(badKeys)).toHaveLength(10);
      const faults = Array.from({ length: 50 }, () => NaN);
      expect(jsonViolations({ faults }).map(({ path }) => path)).toEqual(
        Array.from({ length: 10 }, (_, n) => `faults/${n}`),
      );
    });
  });
});

describe('stringProblem', () => {
  it('has nothing against well-formed text', () => {
    expect(stringProblem('')).toBeUndefined();
    expect(stringProblem('żółć 🎬 \u{10FFFF} \uFFFF')).toBeUndefined();
  });

  it('stays fast on long text', () => {
    const start = performance.now();
    expect(stringProblem(`${'🎬'.repeat(1_000_000)}\uD83D`)).toBe('must be well-formed Unicode');
    expect(performance.now() - start).toBeLessThan(500);
  });
});
