import {
  actorBindingOf,
  Actor,
  ActorHost,
  Actors,
  ENGINE,
  Handle,
  Message,
  On,
  type Engine,
  type MessageClass,
} from '@callsheet/messaging';
import type { INestApplicationContext } from '@nestjs/common';
import { expect } from 'vitest';
import { z } from 'zod';
import { Subscriptions } from '../../libs/messaging/src/routing/subscriptions.js';
import { eventually } from '../support/eventually.js';
import { Flood } from './flood.js';
import { uniqueActor, type ModelCase, type Stage } from './stage.js';

const event = z.object({ n: z.number() });

/** An actor in releases, which differ in the events they subscribe to. */
function releases(stage: Stage) {
  const name = uniqueActor();
  class Do extends Message(`${name}.do`, z.object({})) {}
  class Placed extends Message(`${name}-topic.placed`, event) {}
  class Paid extends Message(`${name}-topic.paid`, event) {}
  const heard: string[] = [];
  /** Starts a worker. */
  const start = (
    events: readonly (typeof Placed | typeof Paid)[],
    configure?: (app: INestApplicationContext) => void,
  ) => {
    @Actor()
    class Log {
      @Handle(Do) do(): void {}
    }
    for (const each of events) {
      const { type } = each.meta;
      const hear = ({ n }: { n: number }) => void heard.push(`${type.split('.')[1]} ${n}`);
      Object.defineProperty(Log.prototype, type, { value: hear });
      On(each as unknown as MessageClass)(
        Log.prototype,
        type,
        Object.getOwnPropertyDescriptor(Log.prototype, type)!,
      );
    }
    return stage.app([Log], {}, configure && { configure });
  };
  /** Which of the events reach the actor when `app` publishes them. */
  const reaching = async (app: INestApplicationContext) => {
    const reached: string[] = [];
    for (const each of [Placed, Paid]) {
      const { receivers } = await app.get(Actors).publish(new each({ n: 0 }));
      if (receivers.includes(name)) reached.push(each.meta.type.split('.')[1] ?? '');
    }
    return reached;
  };
  return { name, Placed, Paid, heard, start, reaching };
}

/** Makes a process believe that all releases were last seen so much earlier. @returns what ends that */
function aging(engine: Engine, ms: number): () => void {
  const releases = engine.releases.bind(engine);
  engine.releases = async (actor) => {
    const seen = await releases(actor);
    return { ...seen, now: seen.now + ms };
  };
  return () => {
    engine.releases = releases;
  };
}

export const subscriptionCases: ModelCase[] = [
  {
    behaviour:
      'a worker of the release before that starts again in a roll-out takes no subscription away',
    shared: true,
    async run(stage) {
      const { Placed, Paid, heard, start, reaching } = releases(stage);
      const api = await stage.app([]);
      const old = await start([Placed]);
      await start([Placed, Paid]);
      const again = await start([Placed]);
      expect(await reaching(api)).toEqual(['placed', 'paid']);
      await Promise.all([old.close(), again.close()]);
      await eventually(() => heard.includes('paid 0'), { timeout: 20_000 });
    },
  },
  {
    behaviour:
      'the first subscription of an actor stays when a worker that had none starts again beside it',
    shared: true,
    async run(stage) {
      const { Paid, start, reaching } = releases(stage);
      const api = await stage.app([]);
      await start([]);
      await start([Paid]);
      await start([]);
      expect(await reaching(api)).toEqual(['paid']);
    },
  },
  {
    behaviour: 'an actor that is deployed without its subscriptions loses them',
    shared: true,
    async run(stage) {
      const { Paid, start, reaching } = releases(stage);
      const api = await stage.app([]);
      await start([Paid]);
      expect(await reaching(api)).toEqual(['paid']);
      await start([]);
      await start([Paid]);
      expect(await reaching(api)).toEqual([]);
    },
  },
  {
    behaviour: 'the release before is in force again when nobody of the newer one is there',
    shared: true,
    async run(stage) {
      const { Placed, Paid, start, reaching } = releases(stage);
      const old = await start([Placed]);
      const newer = await start([Paid]);
      const keepUp = async (app: INestApplicationContext) => {
        for (let beat = 0; beat < 2; beat++) await app.get(Subscriptions).keepUp();
      };
      await keepUp(old);
      expect(await reaching(old)).toEqual(['paid']);
      await newer.close();
      const endAging = aging(old.get<Engine>(ENGINE), 31_000);
      await keepUp(old);
      endAging();
      expect(await reaching(old)).toEqual(['placed']);

      // One that starts finds the same, at its beats.
      await start([Placed, Paid]);
      expect(await reaching(old)).toEqual(['placed', 'paid']);
      await start([Placed]);
      expect(await reaching(old)).toEqual(['placed', 'paid']);
      const again = await start([Placed], (app) => {
        aging(app.get<Engine>(ENGINE), 31_000);
      });
      expect(await reaching(old)).toEqual(['placed', 'paid']);
      await keepUp(again);
      expect(await reaching(old)).toEqual(['placed']);
    },
  },
  {
    behaviour: 'subscriptions that somebody removes from the store are back within seconds',
    waits: true,
    shared: true,
    async run(stage) {
      const { name, Paid, start, reaching } = releases(stage);
      const api = await stage.app([]);
      await start([Paid]);
      await start([Paid]);
      const engine = api.get<Engine>(ENGINE);
      expect(await engine.bind(`actor:${name}`, undefined)).toBe(true);
      const bound = () => engine.bound(`actor:${name}`);
      await eventually(async () => (await bound()) !== undefined, { timeout: 20_000 });
      await eventually(async () => (await reaching(api)).join() === 'paid');
    },
  },
  {
    behaviour: 'a worker that has the store alone brings its release into force, whatever was',
    async run(stage) {
      const { name, Placed, start, reaching } = releases(stage);
      const app = await start([Placed]);
      const [host, engine] = [app.get(ActorHost), app.get<Engine>(ENGINE)];
      await host.stop();
      expect(await reaching(app)).toEqual(['placed']);
      await engine.bind(`actor:${name}`, { revision: 9, release: 'newer', subscriptions: [] });
      await engine.present(name, 'newer');
      await host.start();
      // Elsewhere a worker of the newer one may be there, unseen for a moment.
      const isAlone = stage.store.alone !== undefined;
      const { release } = actorBindingOf(await engine.bound(`actor:${name}`));
      expect(release === 'newer').toBe(!isAlone);
    },
  },
  {
    behaviour: 'in a flood a new subscription misses and doubles nothing, whoever starts again',
    shared: true,
    async run(stage) {
      const { Placed, Paid, heard, start } = releases(stage);
      const api = await stage.app([]);
      const flood = new Flood((n) => api.get(Actors).publish(new Paid({ n })));
      try {
        const old = await start([Placed]);
        await flood.passes(10);
        await start([Placed, Paid]);
        const from = flood.n + 1;
        await flood.passes(10);
        await old.close();
        for (let restart = 0; restart < 2; restart++) {
          const again = await start([Placed]);
          await flood.passes(10);
          await again.close();
        }
        await start([Placed, Paid]);
        await flood.passes(10);
        await flood.stop();
        const missed = () => {
          const due = Array.from({ length: flood.n - from }, (_, index) => `paid ${from + index}`);
          return due.filter((each) => !heard.includes(each));
        };
        await eventually(() => missed().length === 0, { timeout: 20_000 }).catch(() => undefined);
        expect(missed()).toEqual([]);
        expect(heard).toHaveLength(new Set(heard).size);
      } finally {
        await flood.stop();
      }
    },
  },
];
