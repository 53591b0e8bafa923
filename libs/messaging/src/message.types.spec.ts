import type { Queue } from 'bullmq';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { Actor, Handle, On, Read } from './actor.decorators.js';
import type { Actors, Receipt } from './actors.js';
import type { Engine } from './engine.js';
import { dataOf, Message, type ReplyInput, type ReplyOf } from './message.js';
import { InvalidMessageError, OptionError } from './messaging.errors.js';
import { CallsheetModule } from './messaging.module.js';

/*
 * What must be a compile error stands under `@ts-expect-error`: `npm run typecheck` fails when it compiles. What a wrong
 * type does at run time is asserted where it does anything.
 */

class Pay extends Message(
  'bank.pay',
  z.object({ amount: z.int(), on: z.coerce.date<string>(), note: z.string().default('-') }),
) {}
class Refund extends Message(
  'bank.refund',
  z.object({ amount: z.int(), on: z.coerce.date<string>(), note: z.string().default('-') }),
) {}
class Audit extends Message('bank.audit', z.object({})) {}

const RENAMED = z.object({ text: z.string() }).transform(({ text }) => ({ id: text }));

const PAY = { amount: 5, on: '2026-03-01' };

describe('a payload', () => {
  it('is checked where the message is made', () => {
    const pay = new Pay(PAY);
    // @ts-expect-error a field of another type
    expect(() => new Pay({ ...PAY, amount: '5' })).toThrow(InvalidMessageError);
    // @ts-expect-error a missing field
    expect(() => new Pay({ amount: 5 })).toThrow(InvalidMessageError);
    // @ts-expect-error no payload
    expect(() => new Pay()).toThrow(InvalidMessageError);
    // @ts-expect-error the input is a text; a Date is what comes out
    expect(new Pay({ ...PAY, on: new Date(0) }).on).toEqual(new Date(0));
    // @ts-expect-error a field that does not exist
    expect(dataOf(new Pay({ amount: 5, on: '2026-03-01', more: 1 }))).toHaveProperty('more');
    expectTypeOf(pay.amount).toEqualTypeOf<number>();
  });

  it('has the type of the output, and cannot be written', () => {
    const pay = new Pay(PAY);
    expectTypeOf(pay.on).toEqualTypeOf<Date>();
    expectTypeOf(pay.note).toEqualTypeOf<string>();
    expectTypeOf(Pay.meta.actor).toEqualTypeOf<string>();
    // @ts-expect-error read-only
    expect(() => (pay.amount = 6)).toThrow(TypeError);
    // @ts-expect-error no such field
    expect(pay.total).toBeUndefined();
  });

  it('cannot be of a schema whose output is no object, nor of a type without a dot', () => {
    // @ts-expect-error a text is no message
    expect(Message('bank.note', z.string()).meta.type).toBe('bank.note');
    // @ts-expect-error no verb
    expect(() => Message('bank', z.object({}))).toThrow(OptionError);
    // @ts-expect-error an unknown option
    expect(() => Message('bank.x', z.object({}), { versions: 2 })).toThrow(OptionError);
  });

  it('of one message is not that of another, even of the same shape', () => {
    // @ts-expect-error another type
    const wrong: Pay = new Refund(PAY);
    expect(wrong).not.toBeInstanceOf(Pay);
  });
});

describe('a key', () => {
  const fields = {
    id: z.string(),
    n: z.int(),
    on: z.date(),
    flag: z.boolean(),
    maybe: z.string().optional(),
    from: z.coerce.number<string>(),
  };

  it('is a field of text or numbers, as the schema makes it', () => {
    const schema = z.object(fields);
    expectTypeOf(Message('k.id', schema, { key: 'id' }).meta.key).toEqualTypeOf<'id' | undefined>();
    expect(Message('k.n', schema, { key: 'n' }).meta.key).toBe('n');
    expect(Message('k.from', schema, { key: 'from' }).meta.key).toBe('from');
    expectTypeOf(Message('k.none', schema).meta.key).toEqualTypeOf<undefined>();
  });

  it('is nothing else', () => {
    const schema = z.object(fields);
    // @ts-expect-error not a field
    expect(Message('k.x', schema, { key: 'more' }).meta.key).toBe('more');
    // @ts-expect-error a Date
    expect(Message('k.x', schema, { key: 'on' }).meta.key).toBe('on');
    // @ts-expect-error a flag
    expect(Message('k.x', schema, { key: 'flag' }).meta.key).toBe('flag');
    // @ts-expect-error may be absent
    expect(Message('k.x', schema, { key: 'maybe' }).meta.key).toBe('maybe');
    // @ts-expect-error not a name
    expect(() => Message('k.x', schema, { key: 5 })).toThrow(OptionError);
    // @ts-expect-error only in the input: the output has another name
    const renamed = () => Message('k.x', RENAMED, { key: 'text' });
    expect(renamed().meta.key).toBe('text');
    expect(Message('k.x', RENAMED, { key: 'id' }).meta.key).toBe('id');
  });
});

describe('a reply', () => {
  class Ask extends Message('bank.ask', z.object({}), {
    reply: z.object({ total: z.coerce.number<string>(), note: z.string().default('-') }),
  }) {}

  it('has a type for whoever answers, and one for whoever asks', () => {
    expectTypeOf<ReplyInput<Ask>>().toEqualTypeOf<{ total: string; note?: string | undefined }>();
    expectTypeOf<ReplyOf<Ask>>().toEqualTypeOf<{ total: number; note: string }>();
    expectTypeOf<ReplyOf<Pay>>().toEqualTypeOf<undefined>();
    expectTypeOf<ReplyInput<Pay>>().toEqualTypeOf<undefined>();
    expectTypeOf<ReplyOf<{ total: number }>>().toEqualTypeOf<never>();
  });

  it('is used as what it is', () => {
    const compiled = (got: ReplyOf<Ask>): unknown => [
      got.total.toFixed(),
      // @ts-expect-error a number is what comes out
      got.total.trim(),
      // @ts-expect-error no such field
      got.sum,
    ];
    expect(compiled).toBeTypeOf('function');
    // @ts-expect-error a number where the handler returns a text
    const wrong: ReplyInput<Ask> = { total: 5 };
    expect(wrong).toEqual({ total: 5 });
  });

  it('keeps messages apart that differ in nothing else', () => {
    class Silent extends Message('bank.ask', z.object({})) {}
    // @ts-expect-error has no reply
    const other: Ask = new Silent({});
    expect(other).not.toBeInstanceOf(Ask);
  });

  it('is declared by a schema', () => {
    // @ts-expect-error not a schema
    expect(() => Message('bank.x', z.object({}), { reply: Number })).toThrow(OptionError);
    // @ts-expect-error a value
    expect(() => Message('bank.x', z.object({}), { reply: 5 })).toThrow(OptionError);
  });
});

describe('a version', () => {
  it('is a number, and what reads older ones are functions', () => {
    const declared = z.object({ to: z.string(), locale: z.string() });
    const upcast = { 1: (old: Record<string, unknown>) => ({ ...old, locale: 'en' }) };
    expect(Message('v.do', declared, { version: 2, upcast }).meta.version).toBe(2);
    // What is old has fields, of whatever type.
    const inferred = Message('v.do', declared, {
      version: 2,
      upcast: { 1: (old) => ({ ...old, locale: 'en' }) },
    });
    expect(inferred.meta.upcast[1]?.({ to: 'a' })).toEqual({ to: 'a', locale: 'en' });
    // @ts-expect-error a text
    expect(() => Message('v.do', declared, { version: '2', upcast })).toThrow(OptionError);
    // @ts-expect-error a value is no function
    expect(() => Message('v.do', declared, { version: 2, upcast: { 1: {} } })).toThrow(OptionError);
    // @ts-expect-error its fields are unknown
    const sum = { 1: (old: Record<string, unknown>) => ({ n: old['n'] + 1 }) };
    expect(sum).toBeTypeOf('object');
    // That one is missing only shows when it is declared.
    expect(() => Message('v.do', declared, { version: 3, upcast })).toThrow(OptionError);
  });
});

describe('secrets', () => {
  it('are names of fields, and of what is inside them', () => {
    const declared = z.object({ pin: z.string(), card: z.object({ number: z.string() }) });
    const { secret } = Message('s.do', declared, { secret: ['pin', 'card.number'] }).meta;
    expect(secret).toEqual(['pin', 'card.number']);
    // @ts-expect-error no such field
    expect(Message('s.do', declared, { secret: ['pine'] }).meta.secret).toEqual(['pine']);
    // @ts-expect-error not in a list
    expect(() => Message('s.do', declared, { secret: 'pin' })).toThrow(OptionError);
  });
});

describe('an actor by its key', () => {
  class Deposit extends Message(
    'account.deposit',
    z.object({ id: z.string(), cents: z.int(), note: z.string().default('-') }),
    { key: 'id', reply: z.object({ balance: z.int() }) },
  ) {}

  it('takes what a message has beside the key', () => {
    const compiled = async (actors: Actors): Promise<void> => {
      const ref = actors.ref('a');
      expectTypeOf(await ref.tell(Deposit, { cents: 5 })).toEqualTypeOf<Receipt>();
      await ref.tell(Deposit, { cents: 5, note: 'x' }, { delay: '5m' });
      expectTypeOf(await ref.ask(Deposit, { cents: 5 })).toEqualTypeOf<{ balance: number }>();
      // @ts-expect-error a field lacks
      await ref.tell(Deposit, {});
      // @ts-expect-error a field of another type
      await ref.tell(Deposit, { cents: '5' });
      // @ts-expect-error a field that does not exist
      await ref.tell(Deposit, { cents: 5, more: 1 });
      // @ts-expect-error the key again
      await ref.tell(Deposit, { id: 'b', cents: 5 });
      // @ts-expect-error a message, not its class
      await ref.tell(new Deposit({ id: 'a', cents: 5 }), { cents: 5 });
      // That a message has no key only shows when it is sent.
      await ref.tell(Pay, PAY);
      // @ts-expect-error a field lacks
      await ref.ask(Deposit, {});
      // @ts-expect-error unknown option
      await ref.ask(Deposit, { cents: 5 }, { wait: 1 });
      // @ts-expect-error a key is text or a number
      actors.ref({ id: 'a' });
    };
    expect(compiled).toBeTypeOf('function');
  });
});

describe('options', () => {
  it('of a handler are known', () => {
    // @ts-expect-error unknown
    expect(() => Handle(Pay, { retry: 3 })).toThrow(OptionError);
    // @ts-expect-error no unit
    expect(Handle(Pay, { timeout: '5' })).toBeTypeOf('function');
    // @ts-expect-error reads are not batched
    expect(() => Read(Pay, { batch: { max: 10 } })).toThrow(OptionError);
    // @ts-expect-error unknown
    expect(() => On(Pay, { name: 'x' })).toThrow(OptionError);
  });

  it('of an actor are known', () => {
    // @ts-expect-error unknown
    expect(() => Actor({ retries: 3 })).toThrow(OptionError);
    // @ts-expect-error wrong type
    expect(Actor({ concurrency: '3' })).toBeTypeOf('function');
    // @ts-expect-error unknown, one level down
    expect(Actor({ retry: { times: 3 } })).toBeTypeOf('function');
    // @ts-expect-error no unit that exists
    expect(Actor({ retry: { delay: '3 sec' } })).toBeTypeOf('function');
  });

  it('of the module are known', () => {
    // @ts-expect-error unknown
    expect(() => CallsheetModule.forRoot({ redis: 'x' })).toThrow(OptionError);
    // @ts-expect-error not a class of a message
    expect(() => CallsheetModule.forRoot({ messages: [Date] })).toThrow(OptionError);
    expect(CallsheetModule.forRoot({ messages: [Pay, Refund, Audit] })).toBeTypeOf('object');
  });

  it('of a send are known, and only messages can be sent', () => {
    const compiled = async (actors: Actors): Promise<void> => {
      expectTypeOf(await actors.tell(new Pay(PAY), { delay: '5m' })).toEqualTypeOf<Receipt>();
      await actors.tellMany([new Pay(PAY), { message: new Refund(PAY), options: { id: 'x' } }]);
      // @ts-expect-error unknown option
      await actors.tell(new Pay(PAY), { prio: 1 });
      // @ts-expect-error unknown lane
      await actors.tell(new Pay(PAY), { priority: 'urgent' });
      // @ts-expect-error no unit
      await actors.tell(new Pay(PAY), { delay: '5' });
      // @ts-expect-error not a Date
      await actors.tell(new Pay(PAY), { at: '2026-03-01' });
      // @ts-expect-error headers are texts
      await actors.tell(new Pay(PAY), { headers: { n: 1 } });
      // @ts-expect-error a plain object of the right shape
      await actors.tell({ amount: 5, on: new Date(), note: '-' });
      // @ts-expect-error the class
      await actors.tell(Pay);
      // @ts-expect-error a plain object among messages
      await actors.tellMany([new Pay(PAY), {}]);
      // @ts-expect-error an unknown option of one of many
      await actors.tellMany([{ message: new Pay(PAY), options: { prio: 1 } }]);
    };
    expect(compiled).toBeTypeOf('function');
  });
});

describe('the engine', () => {
  it('gives BullMQ its queue as an object only: no type of a store reaches the contract', () => {
    expectTypeOf<ReturnType<NonNullable<Engine['queue']>>>().toEqualTypeOf<object>();
    expectTypeOf<Queue>().toExtend<object>();
  });
});
