import { describe, expect, it } from 'vitest';
import { equalitiesOf, valueAt } from './filter.equality.js';

describe('equalities of a filter', () => {
  it.each<[string, [string, string | number][]]>([
    ["data.a == 'x'", [['data.a', 'x']]],
    ['  data.a.b=="it\'s" ', [['data.a.b', "it's"]]],
    [
      "headers.region == 'eu' && data.n == -1.5",
      [
        ['headers.region', 'eu'],
        ['data.n', -1.5],
      ],
    ],
    ["data.n > 1 && data.a == '&& x' && (data.b == 'y')", [['data.a', '&& x']]],
    ["data.a == 'x' || data.b == 'y'", []],
    ["data.a == 'x' && (data.b == 'y' || data.c)", [['data.a', 'x']]],
    ["data.a == 'x' ? true : data.b", []],
    ["!(data.a == 'x' && data.b == 'y')", []],
    ["data.l.all(i, i > 1 && data.a == 'x' && true)", []],
    ["data.a == 'x' == false", []],
    ["data.a != 'x' && 'x' == data.a", []],
    ["data.a == 'x\\'' && data.b == 1", []],
    ["data.b == 1 // && data.a == 'x'", []],
    ["data['a'] == 'x'", []],
    ["'''a''' == data.a && data.b == 1", []],
    ["tenant == 'acme' && data == 1", []],
    ["data.a == 'x", []],
  ])('%s', (filter, expected) => {
    const found = equalitiesOf(filter).map(({ path, value }) => [path.join('.'), value]);
    expect(found).toEqual(expected);
  });
});

describe('the value at a path', () => {
  it('is what is there, and undefined where nothing is', () => {
    const object = { a: { b: null, l: [1] }, s: 'text' };
    expect(valueAt(object, ['a', 'b'])).toBeNull();
    for (const path of ['c', 'a.c', 'a.b.c', 'a.l.length', 's.length', 'constructor']) {
      expect(valueAt(object, path.split('.'))).toBeUndefined();
    }
  });
});
