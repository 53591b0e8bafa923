import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Json } from './json.js';
import {
  carriedOf,
  dataOf,
  Message,
  openMessage,
  openReply,
  sealReply,
  type MessageClass,
} from './message.js';
import {
  InvalidMessageError,
  InvalidReplyError,
  NewerVersionError,
  OptionError,
} from './messaging.errors.js';

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

describe('openMessage', () => {
  class Mail extends Message(
    'mail.send',
    z.object({ to: z.array(z.string()), locale: z.string(), at: z.date().optional() }),
    {
      version: 3,
      upcast: {
        1: ({ address, ...rest }) => ({ ...rest, to: [address] }),
        2: (old) => {
          if (old['locale'] === 'x') throw new Error('no such locale');
          return Object.assign(old, { locale: 'en' });
        },
      },
    },
  ) {}
  const open = (version: number, data: unknown, types?: Json) =>
    openMessage(Mail as unknown as MessageClass, {
      version,
      data: data as never,
      ...(types !== undefined && { types }),
    });

  it.each<[number, object]>([
    [1, { address: 'ada' }],
    [2, { to: ['ada'] }],
    [3, { to: ['ada'], locale: 'en' }],
  ])('reads version %j', (version, data) => {
    const stored = structuredClone(data);
    const mail = open(version, data);
    expect(mail).toBeInstanceOf(Mail);
    expect(Object.assign({}, mail)).toEqual({ to: ['ada'], locale: 'en' });
    expect(dataOf(mail)).toEqual({ to: ['ada'], locale: 'en' });
    expect(data).toEqual(stored);
  });

  it('decodes before it upcasts', () => {
    const types = { values: { at: ['Date'] }, v: 1 };
    const mail = open(2, { to: ['ada'], at: '1970-01-01T00:00:00.000Z' }, types);
    expect(mail).toMatchObject({ at: new Date(0), locale: 'en' });
    expect(carriedOf(mail)).toMatchObject({ data: { locale: 'en' }, types });
  });

  it('knows that a newer version is for somebody else', () => {
    expect(() => open(4, { anything: 1 })).toThrow(new NewerVersionError('mail.send', 4, 3));
    expect(() => open(4, { anything: 1 })).toThrow(
      'mail.send is of version 4, and this process knows only up to 3',
    );
  });

  it('says which upcast failed, with its error', () => {
    const problem = 'cannot be made version 3 from 2: no such locale';
    let thrown: unknown;
    try {
      open(1, { address: 'ada', locale: 'x' });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InvalidMessageError);
    expect(thrown).toMatchObject({
      violations: [{ path: '', message: problem }],
      cause: new Error('no such locale'),
    });
  });

  it.each<[string, number, unknown, Json?]>([
    ['data that the schema refuses', 3, { to: 'ada' }],
    ['data that an upcast leaves invalid', 1, { address: 5 }],
    ['a version that never was', 0, { to: ['ada'] }],
    ['half a version', 1.5, { to: ['ada'] }],
    ['no version', NaN, { to: ['ada'], locale: 'en' }],
    ['a version as text', '3' as never, { to: ['ada'], locale: 'en' }],
    ['no data', 3, undefined],
    ['no data to upcast', 1, null],
    ['text to upcast', 1, 'ada'],
    ['types that are none', 3, { to: ['ada'], locale: 'en' }, 'x'],
    ['types of another', 3, { to: ['ada'], locale: 'en' }, { values: ['Error'], v: 1 }],
    ['types of what is not there', 2, { to: ['ada'] }, { values: { at: ['Date'] }, v: 1 }],
    ['a type of what it cannot be', 3, { to: 1 }, { values: { to: ['set'] }, v: 1 }],
    ['__proto__', 3, JSON.parse('{"to":["ada"],"locale":"en","__proto__":{"admin":true}}')],
    ['__proto__ to upcast', 2, JSON.parse('{"to":["ada"],"__proto__":{"admin":true}}')],
    [
      'a path to the prototype',
      3,
      { to: ['ada'], locale: 'en' },
      { values: { '__proto__.admin': ['undefined'] }, v: 1 },
    ],
  ])('refuses %s with InvalidMessageError', (_, version, data, types) => {
    expect(() => open(version, data, types)).toThrow(InvalidMessageError);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  it('refuses what an upcast makes and cannot be carried', () => {
    class Odd extends Message('odd.do', anything, {
      version: 2,
      upcast: { 1: () => ({ f: () => 1 }) },
    }) {}
    expect(
      violations(() => openMessage(Odd as unknown as MessageClass, { version: 1, data: {} })),
    ).toEqual([{ path: 'f', message: 'cannot be carried: function' }]);
  });

  it('looks at whatever else a constructor makes of the same data', () => {
    const growing = schema((value) => {
      (value as { list: unknown[] }).list.push('more');
      return { value: value as { list: unknown[] } };
    });
    class Same extends Message('same.do', growing) {
      static other: Same | undefined;
      static making = false;
      constructor(data: { list: unknown[] }) {
        super(data);
        if (Same.making) return;
        Same.making = true;
        Same.other = new Same(data);
      }
    }
    const envelope = { version: 1, data: { list: [1] } };
    const same = openMessage(Same as unknown as MessageClass, envelope);
    expect(same).toMatchObject({ list: [1, 'more'] });
    expect(Same.other?.list).toEqual([1, 'more', 'more']);
  });

  it('is over when a constructor throws', () => {
    const given: { list: number[] }[] = [];
    class Picky extends Message('picky.do', anything) {
      constructor(data: object) {
        given.push(data as { list: number[] });
        if (given.length === 1) throw new TypeError('not today');
        super(data);
      }
    }
    const envelope = { version: 1, data: { list: [1] } };
    expect(() => openMessage(Picky as unknown as MessageClass, envelope)).toThrow(TypeError);
    const picky = new Picky(given[0]!);
    given[0]!.list.push(2);
    expect(picky).toMatchObject({ list: [1] });
  });

  it('gives each its own: nothing is shared between two that were opened', () => {
    class Any extends Message('any.do', anything) {}
    const data = { list: [1] };
    const [a, b] = [1, 2].map(() =>
      openMessage(Any as unknown as MessageClass, { version: 1, data }),
    );
    expect((a as unknown as typeof data).list).not.toBe((b as unknown as typeof data).list);
    expect(data.list.push(2)).toBe(2);
    expect(dataOf(a as never)).not.toBe(dataOf(a as never));
    expect(Object.assign({}, a)).toEqual({ list: [1] });
  });
});

describe('a reply', () => {
  const reply = z.object({ at: z.date(), seats: z.coerce.number<string>().default(2) });
  const { meta } = class extends Message('travel.ask', z.object({}), { reply }) {};
  const { meta: silent } = Book;

  it('travels as the handler gave it, and reaches the asker as the schema makes it', () => {
    const sealed = sealReply(meta, { at: new Date(0), seats: '3' });
    expect(sealed).toEqual({
      data: { at: '1970-01-01T00:00:00.000Z', seats: '3' },
      types: { values: { at: ['Date'] }, v: 1 },
    });
    expect(openReply(meta, sealed as never)).toEqual({ at: new Date(0), seats: 3 });
    expect(openReply(meta, sealReply(meta, { at: new Date(0) }) as never)).toEqual({
      at: new Date(0),
      seats: 2,
    });
  });

  it.each<[unknown, object]>([
    [undefined, { path: '' }],
    [{}, { path: 'at' }],
    [{ at: 'today' }, { path: 'at' }],
    [
      { at: new Date(0), seats: NaN },
      { path: 'seats', message: 'must be a finite number' },
    ],
    [
      { at: new Date(0), f: () => 1 },
      { path: 'f', message: 'cannot be carried: function' },
    ],
    [new Error('x'), { path: '' }],
  ])('is refused before the message counts as handled: %j', (value, violation) => {
    let thrown: unknown;
    try {
      sealReply(meta, value);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InvalidReplyError);
    expect(thrown).toMatchObject({ type: 'travel.ask', violations: [violation] });
  });

  it('is dropped when none is declared, whatever it is', () => {
    expect(sealReply(silent, { f: () => 1 })).toBeUndefined();
    expect(sealReply(silent, undefined)).toBeUndefined();
    expect(openReply(silent, { data: 1 })).toBeUndefined();
  });

  it('can be nothing, where the schema says so', () => {
    const { meta: maybe } = class extends Message('travel.find', z.object({}), {
      reply: z.string().optional(),
    }) {};
    const sealed = sealReply(maybe, undefined);
    expect(sealed).toEqual({ data: null, types: { values: ['undefined'], v: 1 } });
    expect(openReply(maybe, sealed as never)).toBeUndefined();
  });

  it('is a snapshot of what the handler gave', () => {
    const list = [1];
    const { meta: all } = class extends Message('travel.all', z.object({}), {
      reply: z.array(z.number()),
    }) {};
    const sealed = sealReply(all, list);
    list.push(2);
    expect(sealed).toEqual({ data: [1] });
  });

  it.each<[string, object]>([
    ['of another shape', { data: { at: 5 } }],
    [
      'with types that do not fit',
      { data: { at: 'x' }, types: { values: { at: ['Date'] }, v: 1 } },
    ],
    ['with strange types', { data: {}, types: { values: ['Error'], v: 1 } }],
  ])('is refused by an asker: one %s', (_, carried) => {
    expect(() => openReply(meta, carried as never)).toThrow(InvalidReplyError);
  });

  it('has a schema that answers at once', () => {
    const { meta: slow } = class extends Message('travel.slow', z.object({}), {
      reply: z.string().refine(async () => true),
    }) {};
    expect(() => sealReply(slow, 'x')).toThrow(
      new OptionError('travel.slow reply schema', 'must validate synchronously'),
    );
  });
});
