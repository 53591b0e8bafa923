import {
  Actor,
  Actors,
  AskFailedError,
  AskTimeoutError,
  Handle,
  Message,
  outsideTurn,
  RejectError,
  TurnEndedError,
  TurnUsageError,
  type Turn,
} from '@callsheet/messaging';
import { expect, expectTypeOf } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { uniqueActor, type ModelCase } from './stage.js';

class NoMoney extends RejectError {
  override readonly code = 'no_money';
}

export const askCases: ModelCase[] = [
  {
    behaviour: 'ask answers what the handler returned, by the type of the reply',
    async run(stage) {
      const name = uniqueActor();
      class Add extends Message(`${name}.add`, z.object({ a: z.number(), b: z.number() }), {
        reply: z.object({ sum: z.number(), at: z.date() }),
      }) {}
      @Actor()
      class Adder {
        @Handle(Add) add({ a, b }: Add, { now }: Turn) {
          return { sum: a + b, at: now };
        }
      }
      const app = await stage.app([Adder]);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => app.get(Actors).ask(new Add({ a: n, b: n }))),
      );
      expect(answers.map(({ sum }) => sum)).toEqual(answers.map((_, n) => 2 * n));
      expectTypeOf(answers).toEqualTypeOf<{ sum: number; at: Date }[]>();
      expect(answers[0]?.at).toBeInstanceOf(Date);
    },
  },
  {
    behaviour: 'ask of a message without reply resolves when it is handled',
    async run(stage) {
      const name = uniqueActor();
      class Do extends Message(`${name}.do`, z.object({})) {}
      let done = false;
      @Actor()
      class Doer {
        @Handle(Do) async do(): Promise<void> {
          await new Promise((resolve) => setTimeout(resolve, 5));
          done = true;
        }
      }
      const app = await stage.app([Doer]);
      expect(await app.get(Actors).ask(new Do({}))).toBeUndefined();
      expect(done).toBe(true);
    },
  },
  {
    behaviour: 'another process asks, and is told by its own inbox',
    shared: true,
    async run(stage) {
      const name = uniqueActor();
      class Where extends Message(`${name}.where`, z.object({}), { reply: z.string() }) {}
      @Actor()
      class Here {
        @Handle(Where) where() {
          return 'here';
        }
      }
      const asker = await stage.app([]);
      await stage.app([Here]);
      const started = performance.now();
      for (let i = 0; i < 5; i++) expect(await asker.get(Actors).ask(new Where({}))).toBe('here');
      // Without notices each would wait for a look, a quarter of a second later.
      expect(performance.now() - started).toBeLessThan(30_000);
    },
  },
  {
    behaviour: 'a rejection reaches the asker as an error with its code',
    async run(stage) {
      const name = uniqueActor();
      class Pay extends Message(`${name}.pay`, z.object({})) {}
      @Actor()
      class Bank {
        @Handle(Pay) pay(): void {
          throw new NoMoney('not enough');
        }
      }
      const app = await stage.app([Bank]);
      const asked = app.get(Actors).ask(new Pay({}), { id: `${name}-1` });
      await expect(asked).rejects.toThrow(AskFailedError);
      await expect(asked).rejects.toMatchObject({
        id: `${name}-1`,
        reason: 'rejected',
        message: 'not enough',
        error: { name: 'NoMoney', code: 'no_money', message: 'not enough' },
      });
    },
  },
  {
    behaviour:
      'no reply in time is an unknown outcome; asking again with the id waits for the same reply',
    async run(stage) {
      const name = uniqueActor();
      class Slow extends Message(`${name}.slow`, z.object({}), { reply: z.number() }) {}
      let release = (): void => undefined;
      let calls = 0;
      @Actor()
      class Slowly {
        @Handle(Slow) async slow() {
          calls++;
          await new Promise<void>((resolve) => (release = resolve));
          return calls;
        }
      }
      const app = await stage.app([Slowly]);
      const actors = app.get(Actors);
      const id = `${name}-1`;
      await expect(actors.ask(new Slow({}), { id, timeout: 100 })).rejects.toThrow(
        new AskTimeoutError(id, 100),
      );
      await eventually(() => calls === 1);
      const again = actors.ask(new Slow({}), { id });
      release();
      expect(await again).toBe(1);
      expect(await actors.ask(new Slow({}), { id })).toBe(1);
      expect(calls).toBe(1);
    },
  },
  {
    behaviour:
      'a reply that is not what the message declares fails the turn before it counts as done',
    async run(stage) {
      const name = uniqueActor();
      class Age extends Message(`${name}.age`, z.object({}), { reply: z.number().int() }) {}
      let calls = 0;
      @Actor({ retry: { attempts: 3, delay: 0 } })
      class Ages {
        @Handle(Age) age(_: Age, { attempt }: Turn) {
          calls++;
          return attempt < 3 ? 1.5 : 42;
        }
      }
      const app = await stage.app([Ages]);
      expect(await app.get(Actors).ask(new Age({}))).toBe(42);
      expect(calls).toBe(3);
    },
  },
  {
    behaviour: 'what a handler begins outside of its turn may send and ask when the turn is over',
    async run(stage) {
      const name = uniqueActor();
      class Begin extends Message(`${name}.begin`, z.object({})) {}
      class Later extends Message(`${name}.later`, z.object({}), { reply: z.string() }) {}
      let later: Promise<unknown> | undefined;
      let inside: Promise<unknown> | undefined;
      @Actor()
      class Beginning {
        constructor(private readonly actors: Actors) {}
        @Handle(Begin) begin(): void {
          const wait = () => new Promise((resolve) => setTimeout(resolve, 50));
          later = outsideTurn(() => wait().then(() => this.actors.ask(new Later({}))));
          inside = wait()
            .then(() => this.actors.tell(new Later({})))
            .catch((error: unknown) => error);
        }
        @Handle(Later) later(): string {
          return 'asked';
        }
      }
      const app = await stage.app([Beginning]);
      await app.get(Actors).ask(new Begin({}));
      expect(await later).toBe('asked');
      expect(await inside).toBeInstanceOf(TurnEndedError);
    },
  },
  {
    behaviour: 'ask inside a handler is refused, saying why',
    async run(stage) {
      const name = uniqueActor();
      class Ask extends Message(`${name}.ask`, z.object({})) {}
      let refusal: unknown;
      @Actor()
      class Asking {
        constructor(private readonly actors: Actors) {}
        @Handle(Ask) async ask(): Promise<void> {
          refusal = await this.actors.ask(new Ask({})).catch((error: unknown) => error);
        }
      }
      const app = await stage.app([Asking]);
      await app.get(Actors).ask(new Ask({}));
      expect(refusal).toBeInstanceOf(TurnUsageError);
      expect((refusal as Error).message).toMatch(/^ask inside a turn would hold/);
    },
  },
];
