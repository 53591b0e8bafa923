import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Json } from './json.js';
import {
  carriedOf,
  dataOf,
  isMessage,
  keyOf,
  Message,
  metaOf,
  openMessage,
  type MessageClass,
} from './message.js';
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
    const book = new Book({ to: 'Rome', at: '2026-03-01' });
    expect(carriedOf(book)).toStrictEqual({ data: { to: 'Rome', at: '2026-03-01' } });
    expect(dataOf(new Book(dataOf(book) as never))).toStrictEqual(dataOf(book));
  });

  it('carries what JSON cannot say, and has it too', () => {
    const rich = {
      at: new Date(0),
      cents: 2n ** 70n,
      seats: new Map([[1, new Set(['a'])]]),
      photo: Uint8Array.of(1, 2, 3),
      note: undefined,
    };
    class Rich extends Message(
      'rich.do',
      z.object({
        at: z.date(),
        cents: z.bigint(),
        seats: z.map(z.number(), z.set(z.string())),
        photo: z.instanceof(Uint8Array),
        note: z.string().optional(),
      }),
    ) {}
    const made = new Rich(rich);
    const envelope = { version: 1, ...(carriedOf(made) as { data: object }) };
    const opened = openMessage(
      Rich as unknown as MessageClass,
      JSON.parse(JSON.stringify(envelope)) as never,
    );
    expect(Object.assign({}, made)).toStrictEqual(rich);
    expect(Object.assign({}, opened)).toStrictEqual(rich);
    expect(carriedOf(opened)).toStrictEqual(carriedOf(made));
  });

  it('is frozen as deep as plain objects and lists go, those that its schema froze too', () => {
    const inner = z.object({ list: z.array(z.object({ n: z.number() })) });
    class Deep extends Message(
      'deep.do',
      z.object({ open: inner, shut: inner.readonly(), at: z.date() }),
    ) {}
    const part = { list: [{ n: 1 }] };
    const deep = new Deep({ open: part, shut: part, at: new Date(0) });
    for (const { list } of [deep.open, deep.shut]) {
      expect(() => list.push({ n: 2 })).toThrow(TypeError);
      expect(() => Object.assign(list[0] as object, { n: 2 })).toThrow(TypeError);
    }
    expect(deep.at.setTime(5)).toBe(5);
    expect(part.list.push({ n: 2 })).toBe(2);
  });

  it('may contain itself when its schema makes it so', () => {
    class Ring extends Message(
      'ring.do',
      schema<{ ring: { ring?: unknown } }>(() => {
        const ring: { ring?: unknown } = {};
        ring.ring = ring;
        return { value: { ring } };
      }),
    ) {}
    const { ring } = new Ring({ ring: {} });
    expect(ring.ring).toBe(ring);
    expect(Object.isFrozen(ring)).toBe(true);
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
    for (const bad of [{ at: new Date(NaN) }, { f: () => 1 }, { n: NaN }, { t: '\0' }, cycle]) {
      expect(violations(() => new Seen(bad as never))).toHaveLength(1);
    }
    expect(seen).toBe(0);
  });

  it('may have a constructor of its own, which makes other messages', () => {
    class Stamp extends Message('stamp.do', z.object({ id: z.string(), at: z.date() })) {
      constructor(data: { id: string; at: Date }) {
        super({ ...data, id: `${data.id}/${new Book({ to: 'Rome', at: '2026-03-01' }).seats}` });
      }
    }
    const stamp = new Stamp({ id: 'a', at: new Date(0) });
    const opened = openMessage(Stamp as unknown as MessageClass, {
      version: 1,
      ...(carriedOf(stamp) as { data: { [key: string]: Json } }),
    });
    expect(Object.entries(opened)).toEqual([
      ['id', 'a/1/1'],
      ['at', new Date(0)],
    ]);
    expect(dataOf(opened)).toMatchObject({ id: 'a/1/1' });
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
    expect(Message(type as 'a.b', schema).meta).toEqual({
      type,
      actor,
      schema,
      version: 1,
      upcast: {},
      secret: [],
      search: [],
    });
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

  const same = (old: object): object => old;

  it('keeps what is declared, whatever becomes of the options', () => {
    const reply = z.number();
    const options = {
      key: 'id',
      reply,
      version: 3,
      upcast: { 1: same, 2: same } as Record<number, typeof same>,
      secret: ['pin', 'card.number'],
      search: ['id'],
    };
    const declared = z.object({ id: z.string(), pin: z.string(), card: z.looseObject({}) });
    const { meta } = Message('a.b', declared, options as never);
    options.upcast[1] = () => ({});
    options.secret.push('id');
    options.search.push('card');
    expect(meta).toEqual({
      type: 'a.b',
      actor: 'a',
      schema: declared,
      key: 'id',
      reply,
      version: 3,
      upcast: { 1: same, 2: same },
      secret: ['pin', 'card.number'],
      search: ['id'],
    });
    expect(meta.upcast[1]).toBe(same);
  });

  it.each<[object, string, string]>([
    [{ versions: 2 }, 'a.b versions', 'is not an option'],
    [{ retry: {} }, 'a.b retry', 'is not an option'],
    [{ version: 2 }, 'a.b upcast.1', 'must be a function: version is 2'],
    [{ version: 3, upcast: { 1: same } }, 'a.b upcast.2', 'must be a function: version is 3'],
    [{ version: 2, upcast: { 1: {} } }, 'a.b upcast.1', 'must be a function: version is 2'],
    [{ upcast: { 1: same } }, 'a.b upcast.1', 'is for no older version: version is 1'],
    [
      { version: 2, upcast: { 0: same, 1: same } },
      'a.b upcast.0',
      'is for no older version: version is 2',
    ],
    [{ upcast: null }, 'a.b upcast', 'must be an object of functions'],
    [{ key: 5 }, 'a.b key', 'must be the name of a field'],
    [{ secret: 'pin' }, 'a.b secret', 'must be a list of names of fields'],
    [{ secret: [5] }, 'a.b secret', 'must be a list of names of fields'],
    [
      { key: 'id', secret: ['id'] },
      'a.b secret',
      'must not name the key, which stands in logs and traces',
    ],
    [{ reply: {} }, 'a.b reply', 'must be a Standard Schema: of zod, valibot, arktype, ...'],
    [{ reply: null }, 'a.b reply', 'must be a Standard Schema: of zod, valibot, arktype, ...'],
  ])('refuses the options %j', (options, path, problem) => {
    expect(() => Message('a.b', anything, options)).toThrow(new OptionError(path, problem));
  });

  it.each([undefined, null, {}, { '~standard': {} }, Date])('refuses the schema %j', (bad) => {
    expect(() => Message('a.b', bad as never)).toThrow(
      new OptionError('a.b schema', 'must be a Standard Schema: of zod, valibot, arktype, ...'),
    );
  });
});

describe('the key of a message', () => {
  class Text extends Message('text.do', z.object({ id: z.string() }), { key: 'id' }) {}
  class Count extends Message('count.do', z.object({ id: z.coerce.number<string>() }), {
    key: 'id',
  }) {}
  class Any extends Message('any.do', anything as StandardSchemaV1<{ id: string }>, {
    key: 'id',
  }) {}

  it('is the text of its field, as the schema makes it', () => {
    expect(keyOf(new Text({ id: 'a' }))).toBe('a');
    expect(keyOf(new Text({ id: 'é'.repeat(200) }))).toHaveLength(200);
    expect(keyOf(new Count({ id: '0x10' }))).toBe('16');
    expect(keyOf(new Book({ to: 'Rome', at: '2026-03-01' }))).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['no text', ''],
    ['long text', 'x'.repeat(201)],
    ['a flag', true],
    ['null', null],
    ['an object', {}],
    ['a BigInt', 1n],
    ['nothing', undefined],
  ])('is refused: %s', (_, id) => {
    const message = 'is the key: it must be text of 1 to 200 characters, or a finite number';
    expect(violations(() => new Any({ id: id as string }))).toEqual([{ path: 'id', message }]);
  });

  it('is refused when its schema makes what no store takes', () => {
    const make = (id: unknown) => () =>
      new (class extends Message(
        'made.do',
        schema(() => ({ value: { id: id as string } })),
        {
          key: 'id',
        },
      ) {})({ id: '' });
    expect(violations(make('a\0'))).toEqual([
      { path: 'id', message: 'must not contain the NUL character' },
    ]);
    expect(violations(make('\uD800'))).toEqual([
      { path: 'id', message: 'must be well-formed Unicode' },
    ]);
    expect(violations(make(Infinity))).toMatchObject([{ path: 'id' }]);
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
    ['an object on it', Object.create(new A({}))],
  ])('refuses %s', (_, value) => {
    expect(isMessage(value)).toBe(false);
    expect(() => metaOf(value, '3.message')).toThrow(
      new OptionError('3.message', 'must be an instance of a class made with Message(...)'),
    );
  });
});
