import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { dataOf, isMessage, Message, metaOf } from './message.js';
import { InvalidMessageError, OptionError } from './messaging.errors.js';

class Book extends Message(
  'travel.book',
  z.object({
    to: z.string().min(2),
    at: z.coerce.date<string>(),
    seats: z.int().default(1),
    tags: z.array(z.string()).optional(),
  }),
) {}

/** A Standard Schema made by hand: no library behind it. */
function schema<T extends object>(
  validate: (value: unknown) => StandardSchemaV1.Result<T> | Promise<StandardSchemaV1.Result<T>>,
): StandardSchemaV1<T, T> {
  return { '~standard': { version: 1, vendor: 'by-hand', validate } };
}

const anything = schema((value) => ({ value: value as object }));

/** The violations that a constructor reports. */
function violations(make: () => unknown): unknown {
  try {
    make();
  } catch (error) {
    if (error instanceof InvalidMessageError) return error.violations;
    throw error;
  }
  return undefined;
}

describe('a message', () => {
  it('has the fields of its schema, defaults and coercions applied', () => {
    const book = new Book({ to: 'Rome', at: '2026-03-01T10:00:00Z' });
    expect(Object.assign({}, book)).toEqual({
      to: 'Rome',
      at: new Date('2026-03-01T10:00:00Z'),
      seats: 1,
    });
    expect(book).toBeInstanceOf(Book);
    expect(JSON.stringify(book)).toBe('{"to":"Rome","at":"2026-03-01T10:00:00.000Z","seats":1}');
  });

  it('travels as it was given: no default, no coercion, no absent field', () => {
    const book = new Book({ to: 'Rome', at: '2026-03-01', tags: undefined });
    expect(dataOf(book)).toStrictEqual({ to: 'Rome', at: '2026-03-01' });
    expect(dataOf(new Book(dataOf(book) as never))).toStrictEqual(dataOf(book));
  });

  it('is frozen', () => {
    const book = new Book({ to: 'Rome', at: '2026-03-01' });
    expect(Object.isFrozen(book)).toBe(true);
    expect(() => Object.assign(book, { to: 'x' })).toThrow(TypeError);
    expect(() => Object.assign(book, { more: 1 })).toThrow(TypeError);
  });

  it('stays valid when the data it was made from changes later', () => {
    class Note extends Message('note.take', z.object({ lines: z.array(z.unknown()) })) {}
    const data: { lines: unknown[] } = { lines: ['first', { deep: 1 }] };
    const note = new Note(data);
    data.lines.push(Symbol('never valid'));
    (data.lines[1] as { deep: unknown }).deep = 1n;
    expect(dataOf(note)).toEqual({ lines: ['first', { deep: 1 }] });
    expect(note.lines).toEqual(['first', { deep: 1 }]);
  });

  it('gives a new copy of its data each time', () => {
    const book = new Book({ to: 'Rome', at: '2026-03-01', tags: ['a'] });
    const copy = dataOf(book);
    (copy['tags'] as string[]).push('b');
    expect(dataOf(book)['tags']).toEqual(['a']);
  });

  it('is not harmed by a schema that changes what it validates', () => {
    class Odd extends Message(
      'odd.do',
      schema((value) => {
        (value as { n: unknown }).n = 'changed';
        return { value: value as { n: unknown } };
      }),
    ) {}
    const odd = new Odd({ n: 1 });
    expect(odd.n).toBe('changed');
    expect(dataOf(odd)).toEqual({ n: 1 });
  });

  it('names every fault with its place', () => {
    const make = () => new Book({ to: 'R', at: 'never', seats: 1.5, tags: ['a', 1] } as never);
    expect(violations(make)).toMatchObject([
      { path: 'to' },
      { path: 'at' },
      { path: 'seats' },
      { path: 'tags/1' },
    ]);
    expect(make).toThrow(/^travel\.book: to: .+; at: .+; seats: .+; tags\/1: .+/);
  });

  it('checks that it can be carried before its schema sees it', () => {
    let seen = 0;
    class Seen extends Message(
      'seen.do',
      schema((value) => {
        seen += 1;
        return { value: value as object };
      }),
    ) {}
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    for (const bad of [undefined, { at: new Date() }, { n: 1n }, { n: NaN }, { t: '\0' }, cycle]) {
      expect(violations(() => new Seen(bad as never))).toHaveLength(1);
    }
    expect(seen).toBe(0);
  });

  it('does not let __proto__ in', () => {
    class Any extends Message('any.do', anything) {}
    const data = JSON.parse('{"__proto__":{"admin":true}}') as object;
    expect(violations(() => new Any(data))).toEqual([
      { path: '__proto__', message: 'is not an allowed key' },
    ]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('takes any Standard Schema: paths of keys and of segments, and of neither', () => {
    class Hand extends Message(
      'hand.made',
      schema((value) =>
        (value as { ok?: boolean }).ok
          ? { value: { ok: true } }
          : {
              issues: [
                { message: 'one', path: ['a', 0, Symbol.for('s')] },
                { message: 'two', path: [{ key: 'b' }, { key: 1 }] },
                { message: 'three' },
              ],
            },
      ),
    ) {}
    expect(Object.entries(new Hand({ ok: true }))).toEqual([['ok', true]]);
    expect(violations(() => new Hand({ ok: false }))).toEqual([
      { path: 'a/0/Symbol(s)', message: 'one' },
      { path: 'b/1', message: 'two' },
      { path: '', message: 'three' },
    ]);
  });

  it.each([
    ['zod', z.object({ a: z.string().refine(async () => true) })],
    ['by hand', schema(async (value) => ({ value: value as { a: string } }))],
    ['by hand, failing', schema<{ a: string }>(() => Promise.reject(new Error('no database')))],
  ])('refuses an asynchronous schema: %s', (_, asynchronous) => {
    class Slow extends Message('slow.do', asynchronous) {}
    expect(() => new Slow({ a: 'x' })).toThrow(
      new OptionError('slow.do schema', 'must validate synchronously'),
    );
  });

  it('says what its schema throws', () => {
    class Broken extends Message(
      'broken.do',
      schema(() => {
        throw new Error('schema is broken');
      }),
    ) {}
    expect(() => new Broken({})).toThrow('schema is broken');
  });
});

describe('Message', () => {
  it.each([
    ['email.send', 'email'],
    ['a.b', 'a'],
    ['email-out2.sendNow', 'email-out2'],
    [`${'a'.repeat(63)}.${'b'.repeat(63)}`, 'a'.repeat(63)],
  ])('takes the type %s', (type, actor) => {
    const schema = anything;
    expect(Message(type as 'a.b', schema).meta).toEqual({ type, actor, schema, version: 1 });
  });

  it.each([
    '',
    '.',
    'email',
    'email.',
    '.send',
    'email.send.now',
    'Email.send',
    'email.Send',
    'e_mail.send',
    'email.send_now',
    '1email.send',
    'email send.now',
    'email:x.send',
    'email.send\n',
    '-email.send',
    'émail.send',
    `${'a'.repeat(64)}.b`,
    `a.${'b'.repeat(64)}`,
  ])('refuses the type %j', (type) => {
    expect(() => Message(type as 'a.b', anything)).toThrow(
      new OptionError('Message type', `must be '<actor>.<verb>', got '${type}'`),
    );
  });

  it.each([0, -1, 1.5, NaN, Infinity, 2 ** 53, '2'])('refuses the version %j', (version) => {
    const declare = () => Message('a.b', anything, { version: version as number });
    expect(declare).toThrow(new OptionError('a.b version', 'must be a whole number from 1'));
  });

  it('keeps the version', () => {
    expect(Message('a.b', anything, { version: 7 }).meta.version).toBe(7);
  });
});

describe('metaOf', () => {
  class A extends Message('a.b', anything) {}
  class B extends A {}

  it('knows a message, of a derived class too', () => {
    expect(metaOf(new A({}), 'message').type).toBe('a.b');
    expect(metaOf(new B({}), 'message')).toBe(A.meta);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['undefined', undefined],
    ['a text', 'a.b'],
    ['a plain object', {}],
    ['the class itself', A],
    ['a copy', Object.assign({}, new A({}))],
    ['what came over the wire', structuredClone({ type: 'a.b', data: {} })],
    ['an imitation', { constructor: { meta: A.meta } }],
    ['an object on its prototype', Object.create(A.prototype)],
  ])('refuses %s', (_, value) => {
    expect(isMessage(value)).toBe(false);
    expect(() => metaOf(value, '3.message')).toThrow(
      new OptionError('3.message', 'must be an instance of a class made with Message(...)'),
    );
  });
});
