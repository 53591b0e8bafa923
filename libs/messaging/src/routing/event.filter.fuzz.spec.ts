import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DATA, EVENT } from '../../../../test/support/routed.event.js';
import type { Json } from '../json.js';
import { OptionError } from '../messaging.errors.js';
import { compileFilter } from './event.filter.js';
import type { RoutedEvent } from './route.js';

function test(expression: string, event: Partial<RoutedEvent> = {}) {
  return compileFilter(expression, 'when').test({ ...EVENT, ...event });
}

describe('whatever is given as a filter', () => {
  /** Only an OptionError may be thrown when it is compiled, and nothing when it is tested. */
  function outcome(expression: string, event: RoutedEvent): string {
    let filter;
    try {
      filter = compileFilter(expression, 'when');
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      return 'refused';
    }
    const { matches, error } = filter.test(event);
    if (error !== undefined) return matches ? 'matches in spite of an error' : 'no, with an error';
    return matches ? 'yes' : 'no';
  }
  const ANSWERS = ['yes', 'no', 'no, with an error'];
  const OUTCOMES = [...ANSWERS, 'refused'];

  const word = fc.constantFrom(
    ...['data', 'headers', 'type', 'topic', 'priority', 'tenant', 'time', 'x', 'y', 'amount'],
    ...['list', 'tags', 'items', 'name', 'nothing', 'constructor', '__proto__', 'int', 'string'],
    ...['true', 'false', 'null', '0', '1', '2.5', '3u', '-1', "'vip'", '"^a.*z$"', "b'x'", "r'\\'"],
  );
  const sign = fc.constantFrom(
    ...['.', '(', ')', '[', ']', '{', '}', ',', ':', '?', '+', '-', '*', '/', '%', '<', '<=', '=='],
    ...[
      '!=',
      '&&',
      '||',
      '!',
      ' in ',
      ' ',
      '\n',
      '//',
      "'",
      '"',
      "'''",
      '\\',
      '@',
      '$',
      '0x',
      '1e9',
    ],
    ...['.exists(x, ', '.map(y, ', '.filter(x, ', '.matches(', 'size(', 'has(', 'duration('],
  );
  const garbage = fc
    .array(fc.oneof({ weight: 3, arbitrary: word }, { weight: 3, arbitrary: sign }, fc.string()), {
      maxLength: 25,
    })
    .map((parts) => parts.join(''));

  const path = fc
    .array(fc.constantFrom('amount', 'list', 'tags', 'items', 'name', 'nothing', 'a', 'b'), {
      minLength: 1,
      maxLength: 3,
    })
    .map((fields) => ['data', ...fields].join('.'));
  const literal = fc.oneof(
    fc.integer().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number.toFixed(3)),
    fc.boolean().map(String),
    fc.constant('null'),
    fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text)),
    fc.constantFrom('x', 'time', 'headers', "duration('1h')", 'priority', 'type', 'topic'),
  );
  /** What is CEL, if seldom of fitting types. */
  const { wellFormed } = fc.letrec<{ wellFormed: string }>((tie) => {
    const part = tie('wellFormed');
    return {
      wellFormed: fc.oneof(
        { depthSize: 'medium', withCrossShrink: true },
        path,
        literal,
        fc
          .tuple(
            part,
            fc.constantFrom(
              '+',
              '-',
              '*',
              '/',
              '%',
              '==',
              '!=',
              '<',
              '<=',
              '>',
              '>=',
              'in',
              '&&',
              '||',
            ),
            part,
          )
          .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
        part.map((inner) => `!(${inner})`),
        fc.tuple(part, part, part).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
        fc.tuple(part, part).map(([list, index]) => `${list}[${index}]`),
        fc.array(part, { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
        fc.tuple(part, part).map(([key, value]) => `{${key}: ${value}}`),
        fc
          .tuple(path, fc.constantFrom('exists', 'all', 'map', 'filter', 'exists_one'), part)
          .map(([list, macro, body]) => `${list}.${macro}(x, ${body})`),
        fc
          .tuple(
            part,
            fc.constantFrom('matches', 'contains', 'startsWith', 'size', 'getHours'),
            part,
          )
          .map(([on, method, arg]) => `${on}.${method}(${method === 'size' ? '' : arg})`),
        fc
          .tuple(
            fc.constantFrom('size', 'int', 'string', 'bool', 'double', 'type', 'timestamp'),
            part,
          )
          .map(([name, arg]) => `${name}(${arg})`),
      ),
    };
  });

  const data = fc.oneof(
    fc.constant(DATA),
    fc.dictionary(
      fc.constantFrom('amount', 'list', 'tags', 'items', 'name', 'nothing', 'a', '__proto__'),
      fc.jsonValue() as fc.Arbitrary<Json>,
      { noNullPrototype: true },
    ),
  );

  // What fails is printed with its seed.
  it('of signs and words in any order: it is refused, or answers', () => {
    fc.assert(
      fc.property(garbage, data, (expression, given) => {
        expect(OUTCOMES).toContain(outcome(expression, { ...EVENT, data: given }));
      }),
      { numRuns: 2_000 },
    );
  }, 60_000);

  it('of CEL: it is refused, or answers', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(wellFormed, data, (expression, given) => {
        const found = outcome(expression, { ...EVENT, data: given });
        expect(OUTCOMES).toContain(found);
        seen.set(found, (seen.get(found) ?? 0) + 1);
      }),
      { numRuns: 2_000 },
    );
    expect([...seen.keys()].sort()).toEqual(OUTCOMES.toSorted());
    expect(seen.get('refused')).toBeLessThan(1_500);
  }, 60_000);

  it('of an event that is none of what it should be: it answers', () => {
    const weird = { ...EVENT, data: { a: { b: undefined }, f: () => 1, d: new Date(), n: 1n } };
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    for (const event of [
      weird,
      { ...EVENT, data: cyclic },
      { ...EVENT, headers: null },
      {},
      null,
    ]) {
      for (const expression of ['data.a.b == 1', 'data.f == data.d', 'data.self == data', 'true']) {
        expect(ANSWERS).toContain(outcome(expression, event as never));
      }
    }
    expect(test('true', { data: cyclic as never }).matches).toBe(false);
  });
});
