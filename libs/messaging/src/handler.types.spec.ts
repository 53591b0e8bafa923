import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { Handle, Read } from './actor.decorators.js';
import type { Actors } from './actors.js';
import { Message, type MessageInstance } from './message.js';
import type { Turn } from './turn.js';

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

const PAY = { amount: 5, on: '2026-03-01' };

describe('a handler', () => {
  it('takes its message, its turn, both or neither, at once or later', () => {
    class Bank {
      @Handle(Pay) both(message: Pay, turn: Turn): void {
        expectTypeOf(message.on).toEqualTypeOf<Date>();
        expectTypeOf(turn.signal).toEqualTypeOf<AbortSignal>();
        expectTypeOf(turn.occurrence).toEqualTypeOf<Date | undefined>();
      }
      @Handle(Pay) one(_: Pay): void {}
      @Handle(Pay) none(): void {}
      @Handle(Pay) async later(_: Pay, _turn: Turn): Promise<void> {}
      @Handle(Pay) part(_: { readonly amount: number }): void {}
      @Handle(Pay) any(_: MessageInstance): void {}
    }
    expect(Bank).toBeTypeOf('function');
  });

  it('does not take another message, of the same shape or not', () => {
    class Bank {
      // @ts-expect-error another message of the same shape
      @Handle(Pay) refund(_: Refund): void {}
      // @ts-expect-error a field that the message does not have
      @Handle(Audit) audit(_: Pay): void {}
      // @ts-expect-error a field of another type: the output is a Date
      @Handle(Pay) text(_: { on: string }): void {}
      // @ts-expect-error a turn is no text
      @Handle(Pay) turn(_: Pay, _turn: string): void {}
      // @ts-expect-error there is no third
      @Handle(Pay) third(_: Pay, _turn: Turn, _more: number): void {}
      // @ts-expect-error not a method
      @Handle(Pay) field = 5;
    }
    expect(Bank).toBeTypeOf('function');
  });

  it('may return anything when its message declares no reply: it is dropped', () => {
    class Bank {
      @Handle(Pay) value(): number {
        return 1;
      }
      @Handle(Pay) async later(): Promise<number> {
        return 1;
      }
      @Handle(Pay) nothing(): undefined {
        return undefined;
      }
      @Handle(Pay) never(): never {
        throw new Error('never');
      }
    }
    expect(Bank).toBeTypeOf('function');
  });

  it('is of a message, not of its instance, type or another class', () => {
    // @ts-expect-error an instance
    expect(Handle(new Pay(PAY))).toBeTypeOf('function');
    // @ts-expect-error a type
    expect(Handle('bank.pay')).toBeTypeOf('function');
    // @ts-expect-error another class
    expect(Handle(Date)).toBeTypeOf('function');
  });
});

describe('a handler of a message with a reply', () => {
  class Total extends Message('bank.total', z.object({}), {
    reply: z.object({ cents: z.coerce.number<string>() }),
  }) {}

  it('returns it as its schema takes it, at once or later', () => {
    class Bank {
      @Handle(Total) now(): { cents: string } {
        return { cents: '5' };
      }
      @Handle(Total) async later(_: Total, _turn: Turn): Promise<{ cents: string; more: number }> {
        return { cents: '5', more: 1 };
      }
      @Read(Total) read(): { cents: string } {
        return { cents: '5' };
      }
      @Handle(Total) never(): never {
        throw new Error('never');
      }
    }
    expect(Bank).toBeTypeOf('function');
  });

  it('returns nothing else', () => {
    class Bank {
      // @ts-expect-error nothing
      @Handle(Total) nothing(): void {}
      // @ts-expect-error nothing, later
      @Handle(Total) async later(): Promise<void> {}
      // @ts-expect-error what the asker gets, not what the handler gives
      @Handle(Total) got(): { cents: number } {
        return { cents: 5 };
      }
      // @ts-expect-error a field lacks, later
      @Handle(Total) async lacks(): Promise<object> {
        return {};
      }
      // @ts-expect-error it reads, and answers nothing
      @Read(Total) read(): void {}
    }
    expect(Bank).toBeTypeOf('function');
  });

  it('is asked for it, and nobody else', () => {
    const compiled = async (actors: Actors): Promise<void> => {
      expectTypeOf(await actors.ask(new Total({}))).toEqualTypeOf<{ cents: number }>();
      expectTypeOf(await actors.ask(new Pay(PAY))).toEqualTypeOf<undefined>();
      const { cents } = await actors.ask(new Total({}), { timeout: '1s' });
      // @ts-expect-error a number is what the asker gets
      cents.trim();
      // @ts-expect-error not in the reply
      (await actors.ask(new Total({}))).sum.toFixed();
      // @ts-expect-error there is no reply
      (await actors.ask(new Pay(PAY))).cents.toFixed();
      // @ts-expect-error unknown option
      await actors.ask(new Total({}), { wait: '1s' });
      // @ts-expect-error who asks waits at once
      await actors.ask(new Total({}), { delay: '1s' });
    };
    expect(compiled).toBeTypeOf('function');
  });
});

describe('a handler of many', () => {
  it('takes lists of messages and turns, and returns an outcome for each or none', () => {
    class Bank {
      @Handle(Pay, { batch: { max: 10 } }) all(messages: readonly Pay[], turns: readonly Turn[]) {
        expectTypeOf(messages[0]?.on).toEqualTypeOf<Date | undefined>();
        expectTypeOf(turns[0]?.signal).toEqualTypeOf<AbortSignal | undefined>();
      }
      @Handle(Pay, { batch: { max: 10, wait: '5ms' }, timeout: '1s' })
      async some(messages: readonly Pay[]): Promise<(Error | undefined)[]> {
        return messages.map(() => undefined);
      }
    }
    expect(Bank).toBeTypeOf('function');
  });

  it('is nothing else', () => {
    class Bank {
      // @ts-expect-error one message
      @Handle(Pay, { batch: { max: 10 } }) one(_: Pay): void {}
      // @ts-expect-error lists without a batch
      @Handle(Pay) lists(_: readonly Pay[]): void {}
      // @ts-expect-error one turn
      @Handle(Pay, { batch: { max: 10 } }) turn(_: readonly Pay[], _turn: Turn): void {}
      // @ts-expect-error other messages
      @Handle(Pay, { batch: { max: 10 } }) others(_: readonly Refund[]): void {}
      // @ts-expect-error texts are no outcomes
      @Handle(Pay, { batch: { max: 10 } }) texts(): string[] {
        return [];
      }
      // @ts-expect-error how many at most is not said
      @Handle(Pay, { batch: {} }) unlimited(_: readonly Pay[]): void {}
      // @ts-expect-error no unit
      @Handle(Pay, { batch: { max: 10, wait: '5' } }) unit(_: readonly Pay[]): void {}
      // @ts-expect-error unknown, one level down
      @Handle(Pay, { batch: { max: 10, min: 1 } }) unknown(_: readonly Pay[]): void {}
    }
    expect(Bank).toBeTypeOf('function');
  });
});
