import {
  Actor,
  Actors,
  Handle,
  Message,
  PauseError,
  QuarantineError,
  RetryLaterError,
  type Turn,
} from '@callsheet/messaging';
import { expect } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { uniqueActor, type ModelCase } from './stage.js';

class BankDown extends Error {}

export const supervisionCases: ModelCase[] = [
  {
    behaviour: 'an error class means what the actor says: retry, reject, quarantine',
    async run(stage) {
      const name = uniqueActor();
      class Do extends Message(`${name}.do`, z.object({ as: z.string() })) {}
      class Wrong extends Error {}
      class Odd extends Error {}
      const attempts: Record<string, number> = {};
      @Actor({
        retry: { attempts: 2, delay: 0 },
        on: [
          [Wrong, 'reject'],
          [Odd, 'quarantine'],
        ],
      })
      class Doing {
        @Handle(Do) do({ as }: Do, { attempt }: Turn): void {
          attempts[as] = attempt;
          if (as === 'wrong') throw new Wrong('w');
          if (as === 'odd') throw new Odd('o');
          if (as === 'own') throw new QuarantineError('q');
          throw new Error('x');
        }
      }
      const app = await stage.app([Doing]);
      const reason = (as: string): Promise<unknown> =>
        app
          .get(Actors)
          .ask(new Do({ as }))
          .catch((error: { reason: string }) => error.reason);
      expect(await reason('wrong')).toBe('rejected');
      // Without a key there is nothing to stop but the message.
      expect(await reason('odd')).toBe('quarantined');
      expect(await reason('own')).toBe('quarantined');
      expect(await reason('other')).toBe('exhausted');
      expect(attempts).toEqual({ wrong: 1, odd: 1, own: 1, other: 2 });
    },
  },
  {
    behaviour: 'back-off may be a function of the attempt and the error',
    async run(stage) {
      const name = uniqueActor();
      class Do extends Message(`${name}.do`, z.object({})) {}
      const asked: string[] = [];
      @Actor({
        retry: {
          attempts: 3,
          jitter: 0,
          delay: (attempt, error) => {
            asked.push(`${attempt} ${(error as Error).message}`);
            return 5;
          },
        },
      })
      class Doing {
        @Handle(Do) do(_: Do, { attempt }: Turn): void {
          if (attempt < 3) throw new Error(`no ${attempt}`);
        }
      }
      const app = await stage.app([Doing]);
      await app.get(Actors).ask(new Do({}));
      expect(asked).toEqual(['1 no 1', '2 no 2']);
    },
  },
  {
    behaviour: 'a Retry-After header chooses the wait',
    waits: true,
    async run(stage) {
      const name = uniqueActor();
      class Call extends Message(`${name}.call`, z.object({})) {}
      const starts: number[] = [];
      @Actor({ retry: { attempts: 2, delay: '10m' } })
      class Caller {
        @Handle(Call) call(_: Call, { attempt }: Turn): void {
          starts.push(Date.now());
          if (attempt === 1) {
            throw RetryLaterError.fromRetryAfter('busy', '1') ?? new Error('cannot be read');
          }
        }
      }
      const app = await stage.app([Caller]);
      await app.get(Actors).ask(new Call({}), { timeout: '30s' });
      expect((starts[1] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(1_000);
    },
  },
  {
    behaviour:
      'an actor that pauses takes nothing for a while, then one message, then all, and no attempt is used',
    async run(stage) {
      const name = uniqueActor();
      class Call extends Message(`${name}.call`, z.object({ n: z.number() })) {}
      let isDown = true;
      let probes = 0;
      const attempts = new Set<number>();
      const handled: number[] = [];
      @Actor({
        concurrency: 4,
        on: [[BankDown, 'pause']],
        pause: { for: 60, max: 120 },
        retry: { attempts: 1 },
      })
      class Bank {
        @Handle(Call) call({ n }: Call, { attempt }: Turn): void {
          attempts.add(attempt);
          if (isDown) {
            probes++;
            throw new BankDown('no answer');
          }
          handled.push(n);
        }
      }
      const app = await stage.app([Bank]);
      await app.get(Actors).tellMany(Array.from({ length: 12 }, (_, n) => new Call({ n })));
      // The first that were under way, then one probe after another.
      await eventually(() => probes >= 7);
      expect(handled).toEqual([]);
      isDown = false;
      await eventually(() => handled.length === 12);
      expect(handled.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, n) => n));
      expect([...attempts]).toEqual([1]);
      expect(new PauseError('x').code).toBe('paused');
    },
  },
  {
    behaviour: 'no more messages start in a span of time than the rate limit allows',
    waits: true,
    async run(stage) {
      const name = uniqueActor();
      class Call extends Message(`${name}.call`, z.object({})) {}
      const starts: number[] = [];
      @Actor({ rateLimit: { max: 3, per: 500 }, concurrency: 10 })
      class Limited {
        @Handle(Call) call(): void {
          starts.push(Date.now());
        }
      }
      const app = await stage.app([Limited]);
      await app.get(Actors).tellMany(Array.from({ length: 7 }, () => new Call({})));
      await eventually(() => starts.length === 7);
      // Seven starts of three at most need two more spans. The span of a store begins a little before the first handler's.
      expect((starts[6] ?? 0) - (starts[0] ?? 0)).toBeGreaterThan(700);
    },
  },
];
