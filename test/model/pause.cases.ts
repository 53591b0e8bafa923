import {
  Actor,
  Actors,
  ENGINE,
  Handle,
  Message,
  PauseError,
  Pauses,
  type Engine,
} from '@callsheet/messaging';
import { expect } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { uniqueActor, type ModelCase } from './stage.js';

/** Long enough for a turn that should not be. */
const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 600));

/** Sends until one is not handled: by then whoever handles them has heard of the pause. @returns that one */
async function untilShut(
  tell: (n: number) => Promise<unknown>,
  done: number[],
  from = 1_000,
): Promise<number> {
  let last = from;
  await eventually(
    async () => {
      await tell(++last);
      await rest();
      return !done.includes(last);
    },
    { timeout: 30_000 },
  );
  return last;
}

/** An actor that notes what it does. */
function noting(done: number[]) {
  const name = uniqueActor();
  class Do extends Message(`${name}.do`, z.object({ n: z.number() })) {}
  @Actor({ concurrency: 5 })
  class Doing {
    @Handle(Do) do({ n }: Do): void {
      done.push(n);
    }
  }
  return { name, Do, Doing };
}

export const pauseCases: ModelCase[] = [
  {
    behaviour:
      'a paused actor takes nothing and loses nothing, others go on, and so does it when resumed',
    async run(stage) {
      const [done, others]: [number[], number[]] = [[], []];
      const { name, Do, Doing } = noting(done);
      const other = noting(others);
      const app = await stage.app([Doing, other.Doing]);
      const [actors, pauses] = [app.get(Actors), app.get(Pauses)];
      await actors.tell(new Do({ n: 0 }));
      await eventually(() => done.length === 1);
      const { since } = await pauses.pause(name, 'a look');
      const kept = await untilShut((n) => actors.tell(new Do({ n })), done);
      const before = [...done];
      for (const n of [1, 2]) await actors.tell(new Do({ n }));
      await actors.tell(new other.Do({ n: 1 }));
      await eventually(() => others.length === 1);
      await rest();
      expect(done).toEqual(before);
      expect(await app.get<Engine>(ENGINE).counts(name)).toMatchObject({ waiting: 3, active: 0 });
      expect(await pauses.get(name)).toEqual({ since, reason: 'a look' });
      expect((await pauses.all()).get(name)).toEqual({ since, reason: 'a look' });
      expect(await pauses.pause(name, 'another')).toEqual({ since, reason: 'another' });
      expect(await pauses.resume(name)).toBe(true);
      expect(await pauses.resume(name)).toBe(false);
      await eventually(() => [kept, 1, 2].every((n) => done.includes(n)));
      expect(done).toHaveLength(before.length + 3);
      expect(await pauses.get(name)).toBeUndefined();
    },
  },
  {
    behaviour: 'turns in work when their actor is paused end as they would have',
    async run(stage) {
      const name = uniqueActor();
      class Slow extends Message(`${name}.do`, z.object({}), { reply: z.string() }) {}
      let end = (): void => undefined;
      @Actor()
      class Doing {
        @Handle(Slow) async do(): Promise<string> {
          await new Promise<void>((resolve) => (end = resolve));
          return 'done';
        }
      }
      const app = await stage.app([Doing]);
      const asked = app.get(Actors).ask(new Slow({}));
      const active = async () => (await app.get<Engine>(ENGINE).counts(name)).active;
      await eventually(async () => (await active()) === 1);
      await app.get(Pauses).pause(name, 'now');
      await rest();
      end();
      expect(await asked).toBe('done');
      await app.get(Pauses).resume(name);
    },
  },
  {
    behaviour: 'an actor that an error pauses stays paused while somebody has paused it too',
    waits: true,
    async run(stage) {
      const name = uniqueActor();
      class Do extends Message(`${name}.do`, z.object({})) {}
      let attempts = 0;
      @Actor({ pause: { for: 200, max: 200 } })
      class Doing {
        @Handle(Do) do(): void {
          attempts++;
          throw new PauseError('away');
        }
      }
      const app = await stage.app([Doing]);
      await app.get(Actors).tell(new Do({}));
      await eventually(() => attempts > 1);
      await app.get(Pauses).pause(name, 'no more probes');
      let before = 0;
      await eventually(async () => {
        before = attempts;
        await rest();
        await rest();
        return attempts === before;
      });
      expect(before).toBeGreaterThan(1);
      await app.get(Pauses).resume(name);
      await eventually(() => attempts > before);
    },
  },
  {
    behaviour:
      'every process hears of a pause; one that starts meanwhile takes nothing until the actor is resumed',
    shared: true,
    async run(stage) {
      const done: number[] = [];
      const { name, Do, Doing } = noting(done);
      await stage.app([Doing]);
      const api = await stage.app([], { messages: [Do as never], consume: false });
      const [actors, pauses] = [api.get(Actors), api.get(Pauses)];
      const tell = (n: number) => actors.tell(new Do({ n }));
      await pauses.pause(name, 'deploying');
      const first = await untilShut(tell, done);
      const before = [...done];
      await stage.app([Doing]);
      await tell(1);
      await rest();
      expect(done).toEqual(before);
      await pauses.resume(name);
      await eventually(() => [first, 1].every((n) => done.includes(n)));
      await pauses.pause(name, 'again');
      const second = await untilShut(tell, done, 2_000);
      await pauses.resume(name);
      await eventually(() => done.includes(second));
    },
  },
  {
    behaviour: 'a pause of which no signal tells is seen all the same',
    waits: true,
    shared: true,
    async run(stage) {
      const done: number[] = [];
      const { name, Do, Doing } = noting(done);
      const app = await stage.app([Doing]);
      const engine = app.get<Engine>(ENGINE);
      const value = { since: new Date().toISOString(), reason: 'in silence' };
      await app.get(Actors).tell(new Do({ n: 0 }));
      await eventually(() => done.length === 1);
      await engine.bind(`pause:${name}`, value);
      const kept = await untilShut((n) => app.get(Actors).tell(new Do({ n })), done);
      await engine.bind(`pause:${name}`, undefined);
      await eventually(() => done.includes(kept), { timeout: 30_000 });
    },
  },
];
