import {
  Actor,
  Actors,
  DeadLetters,
  Handle,
  Message,
  On,
  Routes,
  RoutesActor,
  UnroutedActor,
  type TopicEvent,
  type Turn,
} from '@callsheet/messaging';
import { expect } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { Flood } from './flood.js';
import { uniqueActor, type ModelCase } from './stage.js';

const order = z.object({ amount: z.number(), region: z.string().optional() });

export const routingCases: ModelCase[] = [
  {
    behaviour: 'a pattern gets the events of every topic that fits, but not those handled by type',
    async run(stage) {
      const name = uniqueActor();
      class Placed extends Message(`${name}.placed`, z.object({ at: z.date() })) {}
      class Paid extends Message(`${name}.paid`, order) {}
      const seen: unknown[] = [];
      @Actor({ name: `${name}-audit` })
      class Audit {
        @On(Paid) paid({ amount }: Paid, { topic }: Turn): void {
          seen.push(`paid ${amount} ${topic}`);
        }
        @On(`${name}.eu.*`) eu({ type, topic, version, data }: TopicEvent): void {
          seen.push([type, topic, version, data]);
        }
      }
      const app = await stage.app([Audit]);
      const actors = app.get(Actors);
      const at = new Date(1_000);
      const topic = `${name}.eu.placed`;
      const { receivers } = await actors.publish(new Placed({ at }), { topic });
      expect(receivers).toEqual([`${name}-audit`]);
      await eventually(() => seen.length === 1);
      await actors.publish(new Paid({ amount: 5 }), { topic: `${name}.eu.paid` });
      await eventually(() => seen.length === 2);
      expect(seen).toEqual([[`${name}.placed`, topic, 1, { at }], `paid 5 ${name}.eu.paid`]);
      for (const other of [`${name}.us.placed`, `${name}.eu`, `${name}.eu.es.placed`]) {
        const elsewhere = await actors.publish(new Placed({ at }), { topic: other });
        expect(elsewhere.receivers).toEqual([]);
      }
    },
  },
  {
    behaviour: 'a subscriber gets the events that its filter and its topic let through',
    async run(stage) {
      const name = uniqueActor();
      class Placed extends Message(`${name}.placed`, order) {}
      @Actor({ name: `${name}-big` })
      class Big {
        @On(Placed, { when: "data.amount > 1000 && headers.channel != 'test'" }) big(): void {}
      }
      @Actor({ name: `${name}-eu` })
      class Eu {
        @On(Placed, { topic: '**.eu.*', when: "data.region == 'es' || priority == 1" })
        eu(): void {}
      }
      const app = await stage.app([Big, Eu]);
      const publish = async (
        data: z.input<typeof order>,
        options: Parameters<Actors['publish']>[1] = {},
      ) => (await app.get(Actors).publish(new Placed(data), options)).receivers;
      const [big, eu] = [`${name}-big`, `${name}-eu`];
      const headers = { channel: 'web' };
      expect(await publish({ amount: 1_000.5 }, { headers })).toEqual([big]);
      expect(await publish({ amount: 1_000 }, { headers })).toEqual([]);
      // What it asks for is not there.
      expect(await publish({ amount: 2_000 })).toEqual([]);
      expect(await publish({ amount: 2_000 }, { headers: { channel: 'test' } })).toEqual([]);
      const topic = `${name}.eu.placed`;
      expect(await publish({ amount: 1, region: 'es' }, { topic })).toEqual([eu]);
      expect(await publish({ amount: 1, region: 'fr' }, { topic })).toEqual([]);
      expect(await publish({ amount: 1 }, { topic, priority: 1 })).toEqual([eu]);
      expect(await publish({ amount: 1, region: 'es' })).toEqual([]);
      expect(await publish({ amount: 5_000, region: 'es' }, { topic, headers })).toEqual([big, eu]);
    },
  },
  {
    behaviour:
      'a handler of a pattern gets events alone, and what they keep secret is masked for it too',
    async run(stage) {
      const name = uniqueActor();
      class Pay extends Message(`${name}.pay`, z.object({ card: z.string() }), {
        secret: ['card'],
      }) {}
      class Do extends Message(`${name}-all.do`, z.object({})) {}
      const seen: string[] = [];
      @Actor({ name: `${name}-all`, on: [[RangeError, 'reject']] })
      class All {
        @On(`${name}-all.*`) all({ type, data }: TopicEvent): void {
          seen.push(type);
          throw new RangeError(`bad card ${String(data['card'])}`);
        }
      }
      const app = await stage.app([All], { messages: [Pay] as never });
      const actors = app.get(Actors);
      const letters = app.get(DeadLetters);
      const { id } = await actors.tell(new Do({}));
      const pay = new Pay({ card: '4111-1111' });
      const { copies } = await actors.publish(pay, { topic: `${name}-all.pay` });
      await eventually(async () => (await letters.list({ actor: `${name}-all` })).length === 2);
      expect(seen).toEqual([`${name}.pay`]);
      expect(await letters.get(id)).toMatchObject({ reason: 'unhandled' });
      const letter = await letters.get(copies[0] ?? '');
      expect(letter?.history.at(-1)?.error.message).toBe('bad card [secret]');
    },
  },
  {
    behaviour: 'stored routes lead events to actors, set what they say, and are audited',
    async run(stage) {
      const name = uniqueActor();
      class Placed extends Message(`${name}.placed`, order) {}
      const seen: unknown[] = [];
      @Actor({ name: `${name}-desk` })
      class Desk {
        @On(Placed, { routed: true }) placed({ amount }: Placed, { headers }: Turn): void {
          seen.push([amount, headers['vip']]);
        }
      }
      const app = await stage.app([Desk, RoutesActor]);
      const [actors, routes] = [app.get(Actors), app.get(Routes)];
      expect((await actors.publish(new Placed({ amount: 1 }))).receivers).toEqual([]);

      const id = `${name}-vip`;
      const route = {
        order: 1,
        match: { type: `${name}.placed`, when: 'data.amount >= 100' },
        to: [`${name}-desk`],
        set: { headers: { vip: 'yes' } },
      };
      const why = { by: 'ada', reason: 'vip desk' };
      expect(await routes.put(id, route, { ...why, ifRevision: 0 })).toMatchObject({
        outcome: 'created',
        record: { id, revision: 1, route },
      });
      expect(await routes.put(id, route)).toMatchObject({ outcome: 'unchanged' });
      expect(await routes.put(id, route, { ifRevision: 0 })).toEqual({
        outcome: 'conflict',
        revision: 1,
      });
      const { receivers } = await actors.publish(new Placed({ amount: 100 }));
      expect(receivers).toEqual([`${name}-desk`]);
      expect((await actors.publish(new Placed({ amount: 99 }))).receivers).toEqual([]);
      await eventually(() => seen.length === 1);
      expect(seen).toEqual([[100, 'yes']]);

      const test = await routes.test(new Placed({ amount: 500 }));
      expect(test.by).toEqual([{ receiver: `${name}-desk`, by: `route:${id}` }]);
      expect(test.receivers).toEqual([{ actor: `${name}-desk`, set: route.set }]);

      const later = { ...route, set: { delay: 3_600_000, priority: 7 } };
      expect(await routes.put(id, later)).toMatchObject({ outcome: 'changed' });
      const delayed = await actors.publish(new Placed({ amount: 100 }));
      expect(await actors.cancel(delayed.copies[0] ?? '')).toBe('cancelled');
      expect(await routes.list({ after: name })).toMatchObject([{ id, revision: 2 }]);
      expect(await routes.remove(id, { reason: 'over' })).toEqual({ outcome: 'removed' });
      expect(await routes.remove(id)).toEqual({ outcome: 'unknown' });
      expect(await routes.get(id)).toBeUndefined();
      expect((await actors.publish(new Placed({ amount: 100 }))).receivers).toEqual([]);
      expect(await routes.history(id)).toMatchObject([
        { change: 'removed', revision: 3, reason: 'over' },
        { change: 'changed', revision: 2, route: later },
        { change: 'created', revision: 1, ...why, route },
      ]);
    },
  },
  {
    behaviour:
      'an event that reaches nobody is kept if asked, and reaches who is there when redriven',
    async run(stage) {
      const name = uniqueActor();
      class Lost extends Message(`${name}.lost`, z.object({ id: z.string() }), { key: 'id' }) {}
      const options = { unrouted: 'keep', topic: `${name}.x.lost`, headers: { h: '1' } } as const;
      const seen: unknown[] = [];
      @Actor({ name: `${name}-desk` })
      class Desk {
        @On(Lost, { routed: true }) lost({ id }: Lost, { headers, topic, key }: Turn): void {
          seen.push([id, headers, topic, key]);
        }
      }
      const app = await stage.app([UnroutedActor, RoutesActor, Desk]);
      const [actors, letters] = [app.get(Actors), app.get(DeadLetters)];
      const published = await actors.publish(new Lost({ id: 'k' }), options);
      const kept = `${published.id}@unrouted`;
      expect(published).toEqual({ id: published.id, receivers: [], copies: [], kept });
      await eventually(async () => (await letters.get(kept)) !== undefined);
      expect((await letters.get(kept))?.history.at(-1)?.error).toMatchObject({ code: 'unrouted' });

      const match = { topic: '*.x.*' };
      await app.get(Routes).put(name, { order: 1, match, to: [`${name}-desk`] });
      expect(await letters.redrive(kept)).toBe(true);
      await eventually(() => seen.length === 1);
      expect(seen).toEqual([['k', { h: '1' }, options.topic, 'k']]);
      const reached = await actors.publish(new Lost({ id: 'k' }), options);
      expect(reached).not.toHaveProperty('kept');
      await app.get(Routes).remove(name);
    },
  },
  {
    behaviour: 'the replies to an event are gathered: the first, a quorum, or all in time',
    async run(stage) {
      const name = uniqueActor();
      const reply = z.object({ price: z.number() });
      class Quote extends Message(`${name}.quote`, z.object({ slow: z.boolean() }), { reply }) {}
      @Actor({ name: `${name}-a` })
      class A {
        @On(Quote) quote() {
          return { price: 1 };
        }
      }
      @Actor({ name: `${name}-b` })
      class B {
        @On(Quote) quote() {
          return { price: 2 };
        }
      }
      @Actor({ name: `${name}-c`, on: [[RangeError, 'reject']] })
      class C {
        @On(Quote) async quote({ slow }: Quote, { signal }: Turn): Promise<{ price: number }> {
          if (!slow) throw new RangeError('no offer');
          return new Promise((_, fail) => {
            signal.addEventListener('abort', () => fail(new Error('stopped')), { once: true });
          });
        }
      }
      // Hears of it, and has nothing to say.
      @Actor({ name: `${name}-d` })
      class D {
        @On(`${name}.*`) heard(): void {}
      }
      const app = await stage.app([A, B, C, D], { shutdownGrace: 0 });
      const actors = app.get(Actors);
      const quote = (slow: boolean, options: Parameters<Actors['gather']>[1]) =>
        actors.gather(new Quote({ slow }), options);
      const [a, b] = [
        { actor: `${name}-a`, reply: { price: 1 } },
        { actor: `${name}-b`, reply: { price: 2 } },
      ];
      const all = await quote(false, {});
      expect(all).toMatchObject({ isComplete: false, replies: [a, b], missing: [] });
      expect(all.silent).toEqual([`${name}-d`]);
      expect(all.failures).toMatchObject([{ actor: `${name}-c`, error: { code: 'ask_failed' } }]);

      const quorum = await quote(true, { need: 'quorum' });
      expect(quorum).toMatchObject({ isComplete: true, replies: [a, b], failures: [] });
      expect([...quorum.missing, ...quorum.silent]).toContain(`${name}-c`);
      const first = await quote(true, { need: 'first' });
      expect(first.isComplete).toBe(true);
      const { replies, missing, silent } = first;
      const everybody = [...replies.map(({ actor }) => actor), ...missing, ...silent].sort();
      expect(everybody).toEqual(['a', 'b', 'c', 'd'].map((each) => `${name}-${each}`));
      const late = await quote(true, { timeout: '700ms' });
      expect(late).toMatchObject({ isComplete: false, replies: [a, b], missing: [`${name}-c`] });
    },
  },
  {
    behaviour:
      'a route chooses the least loaded of several actors, or always the same one for a key',
    async run(stage) {
      const name = uniqueActor();
      class Work extends Message(`${name}.work`, z.object({ id: z.string() }), { key: 'id' }) {}
      const app = await stage.app([RoutesActor]);
      const [actors, routes] = [app.get(Actors), app.get(Routes)];
      const names = [`${name}-a`, `${name}-b`, `${name}-c`];
      const match = { type: `${name}.work` };
      const choose = async (id: string) =>
        (await actors.publish(new Work({ id }))).receivers.join();
      await routes.put(name, { order: 1, match, to: [{ oneOf: names, by: 'load' }] });
      const chosen: string[] = [];
      for (let n = 0; n < 9; n++) chosen.push(await choose(`${n}`));
      for (const each of names) expect(chosen.filter((one) => one === each)).toHaveLength(3);
      await routes.put(name, { order: 1, match, to: [{ oneOf: names, by: 'hash' }] });
      const byKey = new Map<string, string>();
      for (let n = 0; n < 20; n++) byKey.set(`${n}`, await choose(`${n}`));
      for (const [key, actor] of byKey) expect(await choose(key)).toBe(actor);
      expect(new Set(byKey.values()).size).toBeGreaterThan(1);
      await routes.remove(name);
    },
  },
  {
    behaviour: 'who has started has subscribed, whatever other processes remember',
    shared: true,
    async run(stage) {
      const name = uniqueActor();
      class Placed extends Message(`${name}.placed`, order) {}
      class Do extends Message(`${name}-one.do`, z.object({})) {}
      @Actor()
      class One {
        @Handle(Do) do(): void {}
        @On(Placed) placed(): void {}
      }
      @Actor()
      class OneOfNow {
        @Handle(Do) do(): void {}
      }
      const api = await stage.app([]);
      const publish = async () =>
        (await api.get(Actors).publish(new Placed({ amount: 1 }))).receivers;
      expect(await publish()).toEqual([]);
      const worker = await stage.app([One]);
      expect(await publish()).toEqual([`${name}-one`]);
      // Down, or killed: what is published waits for it.
      await worker.close();
      expect(await publish()).toEqual([`${name}-one`]);
      // Gone for good.
      const routes = api.get(Routes);
      const subscriptions = [{ type: `${name}.placed` }];
      const own = { actor: `${name}-one`, subscriptions };
      expect(await routes.subscriber(`${name}-one`)).toEqual(own);
      const ofThis = async () =>
        (await routes.subscribers()).filter(({ actor }) => actor.startsWith(name));
      expect(await ofThis()).toEqual([own]);
      await routes.unsubscribe(`${name}-one`);
      expect([await routes.subscriber(`${name}-one`), await ofThis()]).toEqual([undefined, []]);
      expect(await publish()).toEqual([]);
      // Back, and then deployed anew without that handler.
      await (await stage.app([One])).close();
      expect(await publish()).toEqual([`${name}-one`]);
      await stage.app([OneOfNow]);
      expect(await publish()).toEqual([]);
    },
  },
  {
    behaviour:
      'subscribers that come, go and are deployed anew during a flood miss and double nothing',
    shared: true,
    async run(stage) {
      const name = uniqueActor();
      class Tick extends Message(`${name}.tick`, z.object({ n: z.number() })) {}
      const heard: number[] = [];
      const deploy = (isSubscribed: boolean) => {
        @Actor({ name: `${name}-log` })
        class Log {
          @On(Tick, { routed: !isSubscribed }) tick({ n }: Tick): void {
            heard.push(n);
          }
        }
        return stage.app([Log]);
      };
      const api = await stage.app([]);
      const flood = new Flood((n) => api.get(Actors).publish(new Tick({ n })));
      try {
        const first = await deploy(true);
        const from = flood.n + 1;
        await flood.passes(20);
        // Deployed anew: once over the old one, once after it.
        const second = await deploy(true);
        await first.close();
        await flood.passes(20);
        await second.close();
        const third = await deploy(true);
        await flood.passes(20);
        const to = flood.n;
        await deploy(false);
        await third.close();
        const after = flood.n;
        await flood.passes(20);
        await flood.stop();

        const missed = () => {
          const all = new Set(heard);
          const due = Array.from({ length: to - from }, (_, index) => from + index);
          return due.filter((n) => !all.has(n));
        };
        await eventually(() => missed().length === 0).catch(() => undefined);
        expect(missed()).toEqual([]);
        expect(heard).toHaveLength(new Set(heard).size);
        // When the deployment has started it is no subscriber any more, but of what was being published then.
        expect(Math.max(...heard)).toBeLessThanOrEqual(after);
      } finally {
        await flood.stop();
      }
    },
  },
  {
    behaviour: 'each event follows one version of the routes, however they are edited meanwhile',
    async run(stage) {
      const name = uniqueActor();
      class Tick extends Message(`${name}.tick`, z.object({ n: z.number() })) {}
      const seen = new Map<number, string[]>();
      const receiver = (actor: string) => {
        @Actor({ name: `${name}-${actor}` })
        class Receives {
          @On(Tick, { routed: true }) tick({ n }: Tick, { headers }: Turn): void {
            seen.set(n, [...(seen.get(n) ?? []), headers['version'] ?? '']);
          }
        }
        return Receives;
      };
      const app = await stage.app([receiver('a'), receiver('b'), RoutesActor]);
      const to = [`${name}-a`, `${name}-b`];
      const put = (version: number) =>
        app.get(Routes).put(name, {
          order: 1,
          match: { type: `${name}.tick` },
          to: version % 2 === 0 ? to : to.toReversed(),
          set: { headers: { version: `${version}` } },
        });
      await put(0);
      const flood = new Flood((n) => app.get(Actors).publish(new Tick({ n })));
      try {
        for (let version = 1; version <= 5; version++) {
          await put(version);
          await flood.passes(3);
        }
      } finally {
        await flood.stop();
      }
      const isOver = () =>
        seen.size === flood.n && [...seen.values()].every((each) => each.length === 2);
      await eventually(isOver);
      for (const [first, second] of seen.values()) expect(first).toBe(second);
      expect(new Set([...seen.values()].flat()).size).toBeGreaterThan(2);
      await app.get(Routes).remove(name);
    },
  },
];
