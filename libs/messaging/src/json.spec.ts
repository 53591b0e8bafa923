import { describe, expect, it } from 'vitest';
import { encode } from './codec.js';
import { Inspection, LIMITS, stringProblem } from './json.js';
import type { Violation } from './messaging.errors.js';

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
class Moment extends Date {}
class Index extends Map<string, string> {}
class Lines extends Array<number> {}

function found(value: unknown): readonly Violation[] {
  return new Inspection(value).found;
}

describe('an inspection', () => {
  it.each([
    ['an empty object', {}],
    ['all kinds of JSON', { a: null, b: true, c: -0.5, d: 'é🎬\n\u0001', e: [1, [2]], f: {} }],
    ['an empty key', { '': 1 }],
    ['what JSON.parse makes', JSON.parse('{"a":[{"b":1e3}]}')],
    ['the same object twice', { a: LIMITS, b: LIMITS }],
    ['the largest and smallest numbers', { a: Number.MAX_VALUE, b: Number.MIN_VALUE }],
  ])('takes %s, which is plain', (_, value) => {
    expect(new Inspection(value)).toMatchObject({ found: [], plain: true, copy: value });
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['an undefined property', { a: undefined }],
    ['undefined in a list', [undefined]],
    ['a BigInt', 10n],
    ['a Date', new Date(0)],
    ['a Map', new Map<unknown, unknown>([[{ a: 1 }, new Map([[1n, 'b']])]])],
    ['a Set', new Set([new Set([new Date(0)])])],
    ['bytes', Uint8Array.of(1)],
  ])('takes %s, which is not plain', (_, value) => {
    const inspection = new Inspection(value);
    expect([inspection.found, inspection.plain]).toEqual([[], false]);
    expect(inspection.copy).toStrictEqual(value);
  });

  it.each<[string, unknown, RegExp]>([
    ['a function', () => 1, /^cannot be carried: function$/],
    ['a symbol', Symbol('x'), /^cannot be carried: symbol$/],
    ['a symbol as key', { [Symbol('x')]: 1 }, /^cannot be carried: a symbol as key$/],
    ['NaN', NaN, /^must be a finite number$/],
    ['Infinity', -Infinity, /^must be a finite number$/],
    ['an invalid Date', new Date(NaN), /^must be a valid date$/],
    ['a RegExp', /x/, /^cannot be carried: a RegExp is neither/],
    ['an Error', new Error('x'), /^cannot be carried: a Error is neither/],
    ['a Promise', Promise.resolve(1), /^cannot be carried: a Promise is neither/],
    ['a URL', new URL('https://example.org'), /^cannot be carried: a URL is neither/],
    ['a WeakMap', new WeakMap(), /^cannot be carried: a WeakMap is neither/],
    ['another list of numbers', new Float32Array(1), /^cannot be carried: a Float32Array is/],
    ['an ArrayBuffer', new ArrayBuffer(1), /^cannot be carried: a ArrayBuffer is neither/],
    ['a boxed string', Object('x'), /^cannot be carried: a String is neither/],
    ['an instance of a class', new Money(1), /^cannot be carried: a Money is neither/],
    ['a Date of another class', new Moment(0), /^cannot be carried: a Moment is neither/],
    ['a Map of another class', new Index(), /^cannot be carried: a Index is neither/],
    ['a list of another class', Lines.of(1), /^cannot be carried: a Lines is neither/],
    ['an object on another', Object.create({ inherited: 1 }), /^cannot be carried: a Object is/],
    ['a nameless prototype', Object.create(Object.create(null)), /^cannot be carried: a class is/],
    ['NUL', 'a\0b', /^must not contain the NUL character$/],
    ['a lone high surrogate', 'a\uD83D', /^must be well-formed Unicode$/],
    ['a lone low surrogate', '\uDE00a', /^must be well-formed Unicode$/],
    ['surrogates the wrong way round', '\uDE00\uD83D', /^must be well-formed Unicode$/],
  ])('refuses %s, wherever it is', (_, value, said) => {
    const message: unknown = expect.stringMatching(said);
    expect(found(value)).toEqual([{ path: '', message }]);
    expect(found({ order: { lines: [{ ok: 1 }, value] } })).toEqual([
      { path: 'order/lines/1', message },
    ]);
    expect(found({ at: new Map([['a', 'b'] as unknown[], ['c', value]] as never) })).toEqual([
      { path: 'at/1', message },
    ]);
    expect(found({ at: new Map([[value, 1]]) })).toEqual([{ path: 'at/0/key', message }]);
    expect(found([new Set([1, value])])).toEqual([{ path: '0/1', message }]);
  });

  it('names the method that would change the JSON', () => {
    expect(found({ toJSON: () => 1 })).toEqual([
      { path: 'toJSON', message: 'cannot be carried: function' },
    ]);
  });

  it.each(['__proto__', 'constructor', 'prototype'])('refuses the key %s', (key) => {
    const value: unknown = JSON.parse(`{"a":{"${key}":{"polluted":true}}}`);
    const violation = { path: `a/${key}`, message: 'is not an allowed key' };
    expect(found(value)).toEqual([violation]);
    expect(found(new Map([['m', value]]))).toEqual([{ ...violation, path: `0/a/${key}` }]);
    expect(found(new Set([value]))).toEqual([{ ...violation, path: `0/a/${key}` }]);
  });

  it('refuses bad characters in keys', () => {
    expect(found({ 'a\0': 1, '\uD800': 2 })).toEqual([
      { path: 'a\0', message: 'must not contain the NUL character' },
      { path: '\uD800', message: 'must be well-formed Unicode' },
    ]);
  });

  it('refuses holes in a list, which JSON would fill with null', () => {
    const list: unknown[] = [1];
    list[2] = undefined;
    expect(found({ list })).toEqual([{ path: 'list/1', message: 'is a hole in the list' }]);
  });

  it('refuses fields beside the items of a list, which JSON would leave out', () => {
    const message = 'cannot be carried: a list with fields beside its items';
    expect(found({ at: ['a', /(?<n>1)/.exec('a1')] })).toEqual([{ path: 'at/1', message }]);
    expect(found(Object.assign([], { total: 1 }))).toEqual([{ path: '', message }]);
  });

  it('refuses an immense empty list at once', () => {
    const start = performance.now();
    const list: unknown[] = [];
    list.length = 4_000_000_000;
    expect(found({ list })).toHaveLength(10);
    expect(performance.now() - start).toBeLessThan(200);
  });

  it('refuses a cycle where it closes, direct or through others', () => {
    const direct: Record<string, unknown> = {};
    direct['self'] = direct;
    const list: unknown[] = [];
    list.push({ list });
    const map = new Map<unknown, unknown>();
    map.set('m', { map });
    const key = new Map<unknown, unknown>();
    key.set(key, 1);
    const set = new Set<unknown>();
    set.add([set]);
    const paths = [direct, list, map, key, set].map((cycle) => found({ cycle }));
    const message = 'is a cycle: it contains itself';
    expect(paths).toEqual([
      [{ path: 'cycle/self', message }],
      [{ path: 'cycle/0/list', message }],
      [{ path: 'cycle/0/map', message }],
      [{ path: 'cycle/0/key', message }],
      [{ path: 'cycle/0/0', message }],
    ]);
  });

  it('says at most ten things of a cycle that is everywhere', () => {
    const wide: Record<string, unknown> = {};
    for (let n = 0; n < 50; n += 1) wide[`k${n}`] = wide;
    expect(found(wide)).toHaveLength(10);
  });

  it('copies: what is done to the value afterwards does not show', () => {
    const at = new Date(0);
    const bytes = Uint8Array.of(1);
    const inner = { n: 1 };
    const value = { at, bytes, map: new Map([[inner, [inner]]]), set: new Set([inner]) };
    const { copy } = new Inspection(value);
    at.setTime(9);
    bytes[0] = 9;
    inner.n = 9;
    expect(copy).toStrictEqual({
      at: new Date(0),
      bytes: Uint8Array.of(1),
      map: new Map([[{ n: 1 }, [{ n: 1 }]]]),
      set: new Set([{ n: 1 }]),
    });
  });

  describe('limits', () => {
    it('takes 32 levels, not 33', () => {
      expect(found(nested(32))).toEqual([]);
      expect(found(nested(33))).toEqual([{ path: '', message: 'is nested deeper than 32 levels' }]);
    });

    it('counts lists as levels too', () => {
      const lists = (levels: number): unknown =>
        JSON.parse('['.repeat(levels) + ']'.repeat(levels));
      expect(found(lists(32))).toEqual([]);
      expect(found(lists(33))).toHaveLength(1);
    });

    it.each([10_000, 200_000])('refuses %d levels without overflowing', (levels) => {
      expect(found(nested(levels))).toEqual([
        { path: '', message: 'is nested deeper than 32 levels' },
      ]);
    });

    it('takes 1,000 values, not 1,001, however they are spread', () => {
      const tooMany = [{ path: '', message: 'has over 1000 values' }];
      expect(found(keys(1_000))).toEqual([]);
      expect(found(keys(1_001))).toEqual(tooMany);
      expect(found({ a: keys(998), b: 1 })).toEqual([]);
      expect(found({ a: keys(500), b: Array.from({ length: 499 }, () => 1) })).toEqual(tooMany);
    });

    it('counts keys and values of a Map, members of a Set', () => {
      const numbers = Array.from({ length: 1_001 }, (_, n) => n);
      const pairs = (count: number) => new Map(numbers.slice(0, count).map((n) => [n, n]));
      expect(found(pairs(500))).toEqual([]);
      expect(found(pairs(501))).toHaveLength(1);
      expect(found(new Set(numbers.slice(1)))).toEqual([]);
      expect(found(new Set(numbers))).toHaveLength(1);
    });

    it('counts Maps and Sets as levels too', () => {
      const sets = (levels: number): unknown =>
        levels === 0 ? 1 : new Map([[1, new Set([sets(levels - 1)])]]);
      expect(found(sets(16))).toEqual([]);
      expect(found([sets(16)])).toHaveLength(1);
    });

    it('bounds the size from above, so that only what may be too large is measured', () => {
      const values = [
        { text: '\u0001'.repeat(500), wide: '🎬é'.repeat(100), n: Number.MIN_VALUE, no: null },
        { list: Array.from({ length: 50 }, () => [true, {}, [], -1e-300, '']) },
        { map: new Map([[{ 'a.b\\': 1n }, new Date(0)]]), set: new Set([undefined, 2n ** 200n]) },
        { bytes: new Uint8Array(1_000), deep: { er: { still: [new Uint8Array(3)] } } },
      ];
      for (const value of values) {
        const size = Buffer.byteLength(JSON.stringify(encode(value)));
        expect(new Inspection(value).bound).toBeGreaterThanOrEqual(size - '{"data":}'.length);
      }
    });

    it('reports ten faults at most', () => {
      const badKeys = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`\0${n}`, NaN]));
      expect(found(badKeys)).toHaveLength(10);
      const faults = Array.from({ length: 50 }, () => NaN);
      expect(found({ faults }).map(({ path }) => path)).toEqual(
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
