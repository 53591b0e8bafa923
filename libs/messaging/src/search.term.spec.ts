import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Message } from './message.js';
import { seal } from './sealing.js';
import { checkSearch, MOST_VALUES, tenantTerm, termOf, termsOf } from './search.term.js';

const origin = { now: 1_000 };

describe('the terms of a message', () => {
  it('are those of the fields that its type declares, whatever they hold', () => {
    const data = { a: 'x', b: 42, c: true, d: ['p', 7, { q: 1 }], e: null, f: { g: 1 }, h: 'no' };
    expect(termsOf(['a', 'b', 'c', 'd', 'e', 'f', 'gone'], data, undefined)).toEqual([
      termOf('a', 'x'),
      termOf('b', 42),
      termOf('c', true),
      termOf('d', 'p'),
      termOf('d', 7),
    ]);
  });

  it('are digests, the same for what is written the same, and another for another field', () => {
    expect(termOf('a', '42')).toBe(termOf('a', 42));
    expect(termOf('a', 'x')).toMatch(/^[\w-]{22}$/);
    expect(termOf('a', 'x')).not.toBe(termOf('b', 'x'));
    expect(tenantTerm('acme')).not.toBe(termOf('tenant', 'acme'));
  });

  it('are no more than so many, the first of each field before the second of any', () => {
    const data = { tags: Array.from({ length: 40 }, (_, n) => `t${n}`), orderId: 7 };
    const terms = termsOf(['tags', 'orderId'], data, undefined);
    expect(terms).toHaveLength(MOST_VALUES);
    expect(terms.slice(0, 3)).toEqual([
      termOf('tags', 't0'),
      termOf('orderId', 7),
      termOf('tags', 't1'),
    ]);
    expect(termsOf(['tags'], { tags: ['a', 'a', 'b'] }, undefined)).toHaveLength(2);
  });

  it('are those of its tenant too, who can be told nothing of others', () => {
    const terms = termsOf(['orderId'], { orderId: 7 }, 'acme');
    expect(terms).toEqual([tenantTerm('acme'), termOf('orderId', 7), termOf('orderId', 7, 'acme')]);
    expect(termOf('orderId', 7, 'globex')).not.toBe(terms[2]);
    // No value looks like one with a tenant.
    expect(termOf('orderId', '7"\n"acme')).not.toBe(terms[2]);
    const data = { tags: Array.from({ length: 40 }, (_, n) => n) };
    expect(termsOf(['tags'], data, 'acme')).toHaveLength(1 + 2 * MOST_VALUES);
  });

  it('are not taken from what a field inherits', () => {
    expect(termsOf(['constructor', 'toString'], {}, undefined)).toEqual([]);
  });

  it('travel in the envelope, as the data travels', () => {
    class Order extends Message('shop.order', z.object({ orderId: z.number(), at: z.date() }), {
      search: ['orderId', 'at'],
    }) {}
    const at = new Date(0);
    const envelope = seal(new Order({ orderId: 7, at }), { tenant: 'acme' }, origin, '');
    expect(envelope.terms).toEqual([
      tenantTerm('acme'),
      termOf('orderId', 7),
      termOf('orderId', 7, 'acme'),
      termOf('at', at.toISOString()),
      termOf('at', at.toISOString(), 'acme'),
    ]);
    class Plain extends Message('shop.plain', z.object({ orderId: z.number() })) {}
    expect(seal(new Plain({ orderId: 7 }), {}, origin, '')).not.toHaveProperty('terms');
  });
});

describe('fields that can be searched', () => {
  it.each([
    ['no list', 'orderId'],
    ['too many', Array.from({ length: 9 }, (_, n) => `f${n}`)],
    ['no name', [7]],
    ['a path', ['a.b']],
    ['an empty name', ['']],
  ])('are refused: %s', (_, fields) => {
    expect(() => checkSearch('a.b', fields, [])).toThrow('a.b search must be at most 8 names');
  });

  it.each([['token'], ['token.value']])('are refused when %s is secret', (secret) => {
    const declare = () =>
      Message('shop.pay', z.object({ token: z.object({ value: z.string() }) }), {
        search: ['token'],
        secret: [secret as 'token'],
      });
    expect(declare).toThrow("must not name 'token', which is secret");
  });
});
