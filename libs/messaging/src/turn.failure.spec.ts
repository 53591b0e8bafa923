import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failing } from '../../../test/support/bank.turns.js';
import { errorOf } from '../../../test/support/test.delivery.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));

describe('what a handler throws is made storable', () => {
  it('cuts a long message, name, code and stack', async () => {
    const long = 'x'.repeat(10_000);
    const thrown = Object.assign(new Error(long), { name: long, code: long, stack: long });
    const error = errorOf(await failing(thrown));
    expect(error.message).toBe('x'.repeat(2_000));
    expect(error.name).toHaveLength(100);
    expect(error.code).toHaveLength(100);
    expect(error.stack).toHaveLength(4_000);
  });

  it('replaces NUL and lone surrogates, those included that cutting makes', async () => {
    expect(errorOf(await failing(new Error('a\0b\uD83Dc🎬'))).message).toBe('a\uFFFDb\uFFFDc🎬');
    const cut = errorOf(await failing(new Error(`${'x'.repeat(1_999)}🎬`)));
    expect(cut.message).toBe(`${'x'.repeat(1_999)}\uFFFD`);
    expect(cut.stack).not.toMatch(/\p{Surrogate}/u);
    const coded = Object.assign(new Error('x'), { name: '\0', code: '\uDC00', stack: 'at\0' });
    expect(errorOf(await failing(coded))).toEqual({
      name: '\uFFFD',
      message: 'x',
      code: '\uFFFD',
      stack: 'at\uFFFD',
    });
  });

  it.each<[string, unknown, string]>([
    ['a text', 'just text', 'just text'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number', 42, '42'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['an object', { code: 5 }, '[object Object]'],
    ['an object without prototype', Object.create(null), 'a thrown object'],
    ['a broken toString', { toString: () => ({}) }, 'a thrown object'],
  ])('takes %s for an error', async (_, thrown, message) => {
    expect(errorOf(await failing(thrown))).toMatchObject({ name: 'Error', message });
  });

  it('takes errors whose fields are of the wrong kind', async () => {
    const odd = Object.assign(new Error('x'), {
      message: 42,
      name: undefined,
      code: 7,
      stack: [1],
    });
    expect(errorOf(await failing(odd))).toEqual({ name: 'undefined', message: '42', stack: '1' });
    const bare = Object.assign(new Error('x'), { stack: undefined });
    expect(errorOf(await failing(bare))).toEqual({ name: 'Error', message: 'x' });
  });
});
