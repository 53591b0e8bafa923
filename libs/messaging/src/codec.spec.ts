import fc from 'fast-check';
import SuperJSON from 'superjson';
import { describe, expect, it } from 'vitest';
import { carriable } from '../../../test/support/carriable.js';
import { decode, encode, violations, type Carried } from './codec.js';
import { LIMITS, type Json } from './json.js';

/** Through text, as any store takes it. */
function throughText(carried: Carried): Carried {
  return JSON.parse(JSON.stringify(carried)) as Carried;
}

/** What is decoded, or why it is not. Only an Error may be thrown. */
function decodeOrError(carried: Carried): unknown {
  try {
    return decode(carried);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

function roundTrip(value: unknown): unknown {
  return decode(throughText(encode(value)));
}

/** JSON that a stranger put where `types` stand. */
const hostile = fc.oneof(
  fc.jsonValue() as fc.Arbitrary<Json>,
  fc
    .letrec<{ tree: Json }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc
          .oneof(
            fc.constantFrom<Json>('Date', 'bigint', 'map', 'set', 'undefined', 'number', 'regexp'),
            fc.constantFrom<Json>('Error', 'URL', 'constructor', '__proto__', 'toString'),
            fc.constantFrom<Json>(['custom', 'bytes'], ['class', 'X'], ['symbol', 'x']),
            fc.constantFrom<Json>(['typed-array', 'Float64Array'], ['custom', '__proto__']),
          )
          .map((type): Json => [type]),
        fc
          .dictionary(
            fc.constantFrom('a', 'b', 'a.0', '__proto__', 'constructor.x', '0'),
            tie('tree'),
          )
          .map((inside) => inside as Json),
        fc.tuple(fc.constantFrom('map', 'set'), tie('tree')).map((pair): Json => pair),
      ),
    }))
    .tree.map((values): Json => ({ values, v: 1 })),
);

describe('what can be carried', () => {
  it('arrives as it was, whatever it is', () => {
    fc.assert(
      fc.property(carriable, (value) => {
        fc.pre(violations(value).length === 0);
        expect(roundTrip(value)).toStrictEqual(value);
      }),
      { numRuns: 1_000 },
    );
  });

  it('travels in JSON that says the same again', () => {
    fc.assert(
      fc.property(carriable, (value) => {
        fc.pre(violations(value).length === 0);
        const carried = encode(value);
        expect(throughText(carried)).toStrictEqual(carried);
        expect(encode(decode(carried))).toStrictEqual(carried);
      }),
    );
  });

  it('has no types when it is JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), (value) => {
        fc.pre(violations(value).length === 0);
        const json: unknown = JSON.parse(JSON.stringify(value));
        expect(encode(value)).toStrictEqual({ data: json });
      }),
      { numRuns: 50 },
    );
  });

  it.each<[string, unknown, Json]>([
    ['a Date', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['a BigInt', { n: 2n ** 64n }, { n: '18446744073709551616' }],
    ['a Map', { m: new Map([['a', 1]]) }, { m: [['a', 1]] }],
    ['a Set', { s: new Set(['a', 'b']) }, { s: ['a', 'b'] }],
    ['bytes', { b: Uint8Array.of(1, 2, 255) }, { b: 'AQL/' }],
    ['a Buffer', { b: Buffer.from('hi') }, { b: 'aGk=' }],
    ['undefined', { u: undefined, list: [undefined] }, { u: null, list: [null] }],
  ])('can be read where it is stored: %s', (_, value, data) => {
    expect(encode(value).data).toStrictEqual(data);
  });

  it.each<[string, unknown, unknown]>([
    ['a Buffer is plain bytes', Buffer.from('hi'), Uint8Array.from(Buffer.from('hi'))],
    ['-0 is 0', { n: -0 }, { n: 0 }],
    ['an object without prototype is one with', Object.create(null), {}],
  ])('comes back otherwise: %s', (_, value, arrived) => {
    expect(roundTrip(value)).toStrictEqual(arrived);
  });

  it('is a tree: what stands in two places becomes two, and is the same text as two equal ones', () => {
    const shared = { bytes: Uint8Array.of(7), at: new Date(5) };
    const { a, b } = decode(encode({ a: shared, b: shared })) as Record<string, unknown>;
    expect(a).toStrictEqual(shared);
    expect(b).toStrictEqual(shared);
    expect(a).not.toBe(b);
    expect(encode({ a: shared, b: shared })).toStrictEqual(
      encode({ a: shared, b: structuredClone(shared) }),
    );
  });

  it('shares nothing with what it was made from, nor with what is made of it', () => {
    const value = { list: [1], rich: { set: new Set([1]), list: [1] } };
    const carried = encode(value);
    const arrived = decode(carried) as typeof value;
    value.list.push(2);
    value.rich.list.push(2);
    arrived.list.push(3);
    arrived.rich.list.push(3);
    expect(decode(carried)).toStrictEqual({ list: [1], rich: { set: new Set([1]), list: [1] } });
  });
});

describe('what stands beside the data', () => {
  it("is superjson's, which reads it as we do", () => {
    const reader = new SuperJSON();
    reader.registerCustom<Uint8Array, string>(
      {
        isApplicable: (value): value is Uint8Array => value instanceof Uint8Array,
        serialize: () => '',
        deserialize: (base64) => Uint8Array.from(Buffer.from(base64, 'base64')),
      },
      'bytes',
    );
    fc.assert(
      fc.property(carriable, (value) => {
        const { data, types } = throughText(encode(value));
        expect(reader.deserialize({ json: data, meta: types as never })).toStrictEqual(
          decode({ data, ...(types !== undefined && { types }) }),
        );
      }),
    );
  });

  it('says nothing of what stands in two places, nor of -0', () => {
    const at = new Date(0);
    expect(encode({ a: at, b: [at, 1n, 1n], n: -0 })).toStrictEqual({
      data: { a: at.toJSON(), b: [at.toJSON(), '1', '1'], n: 0 },
      types: {
        values: { a: ['Date'], 'b.0': ['Date'], 'b.1': ['bigint'], 'b.2': ['bigint'] },
        v: 1,
      },
    });
  });
});

describe('violations', () => {
  it('finds none in what JSON.parse makes of a small message', () => {
    expect(violations(JSON.parse('{"a":[{"b":1e3,"c":null}]}'))).toEqual([]);
  });

  it.each<[string, (size: number) => unknown]>([
    ['text', (size) => 'x'.repeat(size - 2)],
    ['text of two bytes a letter', (size) => 'é'.repeat((size - 2) / 2)],
    ['text that JSON escapes', (size) => '\n'.repeat((size - 2) / 2)],
  ])('takes 256 KiB of %s, not more', (_, make) => {
    const tooLarge = [{ path: '', message: 'is larger than 262144 bytes' }];
    expect(violations(make(LIMITS.bytes))).toEqual([]);
    expect(violations(make(LIMITS.bytes + 2))).toEqual(tooLarge);
  });

  it('is right about whatever is about as large', () => {
    const letter = fc.constantFrom('x', 'é', '\u0001', '"', '.', '\\');
    const block = fc.tuple(letter, fc.nat({ max: 15_000 })).map(([drawn, n]) => drawn.repeat(n));
    const part = fc.oneof(
      block,
      fc.nat({ max: 40_000 }).map((length) => new Uint8Array(length)),
      fc.nat({ max: 40_000 }).map((digits) => BigInt(`1${'0'.repeat(digits)}`)),
      fc.tuple(block, fc.constantFrom(undefined, 1n)).map(([k, v]) => ({ [k]: [v, v, v] })),
      block.map((drawn) => new Map([[drawn, new Set([drawn])]])),
    );
    const parts = fc.array(part, { minLength: 2, maxLength: 12 });
    let large = 0;
    fc.assert(
      fc.property(parts, (value) => {
        const { data, types } = encode(value);
        const size = Buffer.byteLength(JSON.stringify(data) + (JSON.stringify(types) ?? ''));
        if (size > LIMITS.bytes) large += 1;
        expect(violations(value)).toHaveLength(size > LIMITS.bytes ? 1 : 0);
      }),
      { numRuns: 60 },
    );
    expect(large).toBeGreaterThan(0);
  });

  it.each<[string, unknown]>([
    ['keys', { ['\u0001'.repeat(45_000)]: 1 }],
    ['digits', 10n ** 270_000n],
    ['keys beside the data', { ['.'.repeat(70_000)]: [1n, 1n] }],
  ])('counts %s', (_, value) => {
    expect(violations(value)).toMatchObject([{ path: '' }]);
  });

  it('counts bytes as the base64 that travels', () => {
    expect(violations({ b: new Uint8Array(190_000) })).toEqual([]);
    expect(violations({ b: new Uint8Array(197_000) })).toHaveLength(1);
  });

  it('counts what stands beside the data', () => {
    const half = Object.fromEntries(
      Array.from({ length: 700 }, (_, n) => [`${n}${'k'.repeat(180)}`, new Date(0)]),
    );
    const { data, types } = encode(half);
    expect(JSON.stringify(data).length).toBeLessThan(LIMITS.bytes);
    expect(JSON.stringify({ data, types }).length).toBeGreaterThan(LIMITS.bytes);
    expect(violations(half)).toMatchObject([{ path: '' }]);
  });
});

describe('what a stranger stored', () => {
  it('is decoded or refused with an error, and pollutes nothing', () => {
    const before = Object.getOwnPropertyNames(Object.prototype).sort();
    fc.assert(
      fc.property(fc.jsonValue() as fc.Arbitrary<Json>, hostile, (data, types) => {
        const value = decodeOrError({ data, types });
        if (value instanceof Error) return;
        // What was decoded is what the codec carries, so that it can be checked as any other.
        expect(violations(value).every(({ message }) => !message.includes('neither plain'))).toBe(
          true,
        );
      }),
      { numRuns: 2_000 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(before);
  });

  it.each<[string, Json, Json]>([
    ['a regular expression', '/a+/', { values: ['regexp'], v: 1 }],
    ['an error', { message: 'x' }, { values: ['Error'], v: 1 }],
    ['a list of a billion numbers', 1e9, { values: [['typed-array', 'Float64Array']], v: 1 }],
    ['a class', {}, { values: [['class', 'Object']], v: 1 }],
    ['a symbol', 'x', { values: [['symbol', 'x']], v: 1 }],
    ['what every object inherits', 'x', { values: ['constructor'], v: 1 }],
    ['a custom type that is none', 'x', { values: [['custom', 'constructor']], v: 1 }],
    ['a value that is not there', {}, { values: { a: ['Date'] }, v: 1 }],
    ['an inherited value', {}, { values: { toString: ['Date'] }, v: 1 }],
    ['the prototype', {}, { values: { '__proto__.polluted': ['undefined'] }, v: 1 }],
    ['a date that is none', 'never', { values: ['Date'], v: 1 }],
    ['a BigInt that is none', '1e3', { values: ['bigint'], v: 1 }],
    ['a Map that is none', [1], { values: ['map'], v: 1 }],
    ['a Set that is none', 'abc', { values: ['set'], v: 1 }],
    ['bytes that are none', { a: 1 }, { values: [['custom', 'bytes']], v: 1 }],
    ['undefined that is something', 5, { values: ['undefined'], v: 1 }],
    ['values as text', {}, { values: 'abc', v: 1 }],
    ['no values', {}, {}],
    ['null', {}, null],
    ['another version', '1', { values: ['bigint'], v: 0 }],
    ['a list', {}, []],
    ['bytes by a bare name', 'aGk=', { values: ['bytes'], v: 1 }],
    ['a note with too much', 'x', { values: ['Date', {}, {}], v: 1 }],
    ['a key that is escaped wrongly', { ab: null }, { values: { 'a\\b': ['undefined'] }, v: 1 }],
    ['a key that ends in an escape', { a: null }, { values: { 'a\\': ['undefined'] }, v: 1 }],
    ['the length of a list', { a: [] }, { values: { 'a.length': ['undefined'] }, v: 1 }],
    ['an index far away', { a: [null] }, { values: { 'a.4294967294': ['undefined'] }, v: 1 }],
    [
      'two kinds of one value',
      { a: [[]] },
      { values: { a: ['set', { '0': ['set'] }], 'a.0': ['map'] }, v: 1 },
    ],
    [
      'more than a value can have',
      Array.from({ length: 1_002 }, () => null),
      {
        values: Object.fromEntries(Array.from({ length: 1_002 }, (_, n) => [n, ['undefined']])),
        v: 1,
      },
    ],
  ])('is refused: %s', (_, data, types) => {
    expect(() => decode({ data, types })).toThrow(Error);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('is not made to point elsewhere', () => {
    const types = { values: { a: ['Date'] }, referentialEqualities: { a: ['b.c'] }, v: 1 };
    const data = { a: '1970-01-01T00:00:00.000Z', b: { c: null } };
    expect(decode({ data, types })).toStrictEqual({ a: new Date(0), b: { c: null } });
  });

  it('does not become the prototype of anything', () => {
    const data = JSON.parse('{"__proto__":{"admin":true},"at":"1970-01-01T00:00:00.000Z"}') as Json;
    for (const types of [undefined, { values: { at: ['Date'] }, v: 1 } as Json]) {
      const carried: Carried = types === undefined ? { data } : { data, types };
      expect(() => decode(carried)).toThrow('__proto__ is not an allowed key');
    }
  });

  it('ends in an error however deep it is, not in the end of the process', () => {
    const deep = (levels: number): Json =>
      JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`) as Json;
    for (const carried of [
      { data: deep(100_000) },
      { data: 1, types: { values: deep(100_000), v: 1 } },
      { data: {}, types: { values: { [`a${'.a'.repeat(200_000)}`]: ['Date'] }, v: 1 } },
    ]) {
      expect(() => decode(carried)).toThrow(Error);
    }
  });
});
