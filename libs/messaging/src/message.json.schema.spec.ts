import { toStandardJsonSchema } from '@valibot/to-json-schema';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  carriedOf,
  keyOf,
  Message,
  openMessage,
  openReply,
  sealReply,
  type MessageClass,
  type ReplyInput,
  type ReplyOf,
} from './message.js';
import { jsonSchemaOf, replyJsonSchemaOf } from './message.json.schema.js';
import { InvalidMessageError, InvalidReplyError } from './messaging.errors.js';

class ByZod extends Message(
  'zod.rent',
  z.object({
    car: z.string().min(1),
    days: z.string().transform(Number),
    child: z.boolean().default(false),
  }),
  { key: 'car', reply: z.object({ total: z.number(), note: z.string().default('-') }) },
) {}

class ByValibot extends Message(
  'valibot.rent',
  toStandardJsonSchema(
    v.object({
      car: v.pipe(v.string(), v.minLength(1)),
      days: v.pipe(v.string(), v.transform(Number)),
      child: v.optional(v.boolean(), false),
    }),
  ),
  {
    key: 'car',
    reply: toStandardJsonSchema(v.object({ total: v.number(), note: v.optional(v.string(), '-') })),
  },
) {}

class ByArktype extends Message(
  'arktype.rent',
  type({ car: 'string > 0', days: 'string.numeric.parse', child: 'boolean = false' }),
  { key: 'car', reply: type({ total: 'number', note: "string = '-'" }) },
) {}

interface Input {
  car: string;
  days: string;
  child?: boolean | undefined;
}
interface Output {
  readonly car: string;
  readonly days: number;
  readonly child: boolean;
}
interface Given {
  total: number;
  note?: string | undefined;
}

it('infers the same of each library', () => {
  expectTypeOf<ConstructorParameters<typeof ByZod>[0]>().toEqualTypeOf<Input>();
  expectTypeOf<ConstructorParameters<typeof ByValibot>[0]>().toEqualTypeOf<Input>();
  expectTypeOf<ConstructorParameters<typeof ByArktype>[0]>().toExtend<Input>();
  expectTypeOf<ByZod>().toExtend<Output>();
  expectTypeOf<ByValibot>().toExtend<Output>();
  expectTypeOf<ByArktype>().toExtend<Output>();
  expectTypeOf<ByZod['days']>().toEqualTypeOf<number>();
  expectTypeOf<ByValibot['days']>().toEqualTypeOf<number>();
  expectTypeOf<ByArktype['days']>().toEqualTypeOf<number>();
  expectTypeOf<ReplyInput<ByZod>>().toEqualTypeOf<Given>();
  expectTypeOf<ReplyInput<ByValibot>>().toEqualTypeOf<Given>();
  expectTypeOf<ReplyInput<ByArktype>>().toExtend<Given>();
  expectTypeOf<ReplyOf<ByZod>>().toEqualTypeOf<{ total: number; note: string }>();
  expectTypeOf<ReplyOf<ByValibot>>().toEqualTypeOf<{ total: number; note: string }>();
  expectTypeOf<ReplyOf<ByArktype>>().toEqualTypeOf<{ total: number; note: string }>();
});

it('refuses a wrong payload, key and reply of each library as it compiles', () => {
  // @ts-expect-error the input is a text
  expect(() => new ByZod({ car: 'a', days: 3 })).toThrow(InvalidMessageError);
  // @ts-expect-error the input is a text
  expect(() => new ByValibot({ car: 'a', days: 3 })).toThrow(InvalidMessageError);
  // @ts-expect-error the input is a text
  expect(() => new ByArktype({ car: 'a', days: 3 })).toThrow(InvalidMessageError);
  // @ts-expect-error not a field
  expect(Message('v.do', v.object({ id: v.string() }), { key: 'ID' }).meta.key).toBe('ID');
  // @ts-expect-error not a field
  expect(Message('a.do', type({ id: 'string' }), { key: 'ID' }).meta.key).toBe('ID');
  // @ts-expect-error a flag
  expect(Message('a.do', type({ id: 'boolean' }), { key: 'id' }).meta.key).toBe('id');
  // @ts-expect-error no message: a text
  expect(Message('v.do', v.string()).meta.type).toBe('v.do');
});

describe.each([
  ['zod', ByZod as never],
  ['valibot', ByValibot as never],
  ['arktype', ByArktype as never],
])('a message declared with %s', (_, declared) => {
  const Rent = declared as MessageClass;
  const make = (data: object) => new Rent(data as never);

  it('is made, coerced, filled in, and keyed', () => {
    const rent = make({ car: 'fiat', days: '3' });
    expect(Object.assign({}, rent)).toEqual({ car: 'fiat', days: 3, child: false });
    expect(keyOf(rent)).toBe('fiat');
  });

  it('travels as given, and is opened as made', () => {
    const carried = carriedOf(make({ car: 'fiat', days: '3' }));
    expect(carried).toEqual({ data: { car: 'fiat', days: '3' } });
    const opened = openMessage(Rent, { version: 1, data: carried.data as never });
    expect(Object.assign({}, opened)).toEqual({ car: 'fiat', days: 3, child: false });
  });

  it.each<[object, string]>([
    [{ car: '', days: '3' }, 'car'],
    [{ car: 'fiat', days: 3 }, 'days'],
    [{ car: 'fiat', days: '3', child: 'yes' }, 'child'],
  ])('names what is wrong with %j', (data, path) => {
    let thrown: unknown;
    try {
      make(data);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InvalidMessageError);
    expect(thrown).toMatchObject({ violations: [{ path }] });
  });

  it('has its reply checked, and filled in for the asker', () => {
    const sealed = sealReply(Rent.meta, { total: 90 });
    expect(openReply(Rent.meta, sealed as never)).toEqual({ total: 90, note: '-' });
    expect(() => sealReply(Rent.meta, { total: '90' })).toThrow(InvalidReplyError);
  });

  it('has JSON Schemas of the data as sent and of the reply as given', () => {
    const text = { type: 'string' };
    expect(jsonSchemaOf(Rent)).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { car: { type: 'string', minLength: 1 }, days: text, child: { type: 'boolean' } },
    });
    expect(new Set(jsonSchemaOf(Rent)?.['required'] as string[])).toEqual(new Set(['car', 'days']));
    expect(replyJsonSchemaOf(Rent)).toMatchObject({
      type: 'object',
      properties: { total: { type: 'number' }, note: { type: 'string' } },
      required: ['total'],
    });
  });
});

describe('there is no JSON Schema', () => {
  const plain: StandardSchemaV1<object, object> = {
    '~standard': { version: 1, vendor: 'plain', validate: (value) => ({ value: value as object }) },
  };

  it.each<[string, StandardSchemaV1<unknown, object>]>([
    ['whose library makes none', plain],
    ['of valibot alone', v.object({ a: v.string() })],
    ['that JSON cannot say', z.object({ at: z.date() })],
  ])('of a schema %s', (_, schema) => {
    const Other = Message('other.do', schema, { reply: schema });
    expect([jsonSchemaOf(Other), replyJsonSchemaOf(Other)]).toEqual([undefined, undefined]);
  });

  it('of a reply that is not declared', () => {
    const Other = Message('other.do', z.object({}));
    expect(jsonSchemaOf(Other)).toBeDefined();
    expect(replyJsonSchemaOf(Other)).toBeUndefined();
  });
});
