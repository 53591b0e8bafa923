import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Delivery, Engine } from '../../libs/messaging/src/engine.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { done, type Context } from './context.js';
import { expectCounts, ids } from './expect.js';
import { gate, type Gate } from './gate.js';

export const flowCases: Case[] = [
  {
    promise: 'no more turns start in a time than the rate limit allows, over all consumers',
    async run(context) {
      const engine = await context.engine();
      await expectLimited(context, engine, engine);
    },
  },
  {
    promise: 'no more turns start in a time than the rate limit allows, over all processes',
    needs: 'shared',
    async run(context) {
      await expectLimited(context, await context.engine(), await context.engine());
    },
  },
  {
    promise: 'a consumer limited to none takes nothing, while others of its actor do',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const idle = await context.consume(engine);
      idle.consumer.limit(0);
      const busy = await context.consume(engine);
      for (let n = 0; n < 30; n++) await engine.send([context.envelope()]);
      await eventually(async () => (await engine.counts(actor)).done === 30);
      expect(ids(idle.deliveries)).toEqual([]);
      await busy.consumer.stop(0);
      const late = [context.envelope(), context.envelope()];
      await engine.send(late);
      await expectCounts(context, engine, { done: 30, waiting: 2 });
      idle.consumer.limit(1);
      await eventually(async () => (await engine.counts(actor)).done === 32);
      expect(ids(idle.deliveries)).toEqual(ids(late));
      for (const delivery of idle.deliveries)
        expect(delivery).toMatchObject({ attempt: 1, history: [], crashes: 0 });
    },
  },
  {
    promise: 'a limit changes how many turns run at the same time, and running ones go on',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const held: Gate[] = [];
      let [running, most] = [0, 0];
      const { consumer, deliveries } = await context.consume(
        engine,
        async () => {
          most = Math.max(most, ++running);
          const turn = gate();
          held.push(turn);
          await turn.opened;
          running--;
          return done();
        },
        { concurrency: 3 },
      );
      await engine.send(Array.from({ length: 30 }, () => context.envelope()));
      await eventually(() => running === 3);
      // Half open: nothing, then one to try.
      consumer.limit(0);
      held.splice(0).forEach((turn) => turn.open());
      await eventually(async () => (await engine.counts(actor)).done === 3);
      expect(deliveries).toHaveLength(3);
      most = 0;
      consumer.limit(1);
      for (let n = 4; n <= 8; n++) {
        await eventually(() => deliveries.length === n);
        held.splice(0).forEach((turn) => turn.open());
      }
      await eventually(() => deliveries.length === 9);
      expect(most).toBe(1);
      consumer.limit(4);
      // A store may look for more only when a turn has ended.
      held.splice(0).forEach((turn) => turn.open());
      await eventually(() => running === 4);
      consumer.limit(2);
      expect(running).toBe(4);
      for (const { stop } of deliveries) expect(stop.aborted).toBe(false);
      held.splice(0).forEach((turn) => turn.open());
      await eventually(() => running === 2);
      most = 0;
      const opening = setInterval(() => held.splice(0).forEach((turn) => turn.open()), 1);
      await eventually(async () => (await engine.counts(actor)).done === 30);
      clearInterval(opening);
      expect(most).toBeLessThanOrEqual(2);
      expect(deliveries).toHaveLength(30);
    },
  },
  {
    promise: 'a consumer limited to none stops as fast as any, and so does one at its rate limit',
    async run(context) {
      const engine = await context.engine();
      const idle = await context.consume(engine);
      idle.consumer.limit(0);
      const rateLimit = { max: 1, per: 60_000 };
      const slow = await context.consume(engine, done, { actor: context.other, rateLimit });
      await engine.send([1, 2].map(() => context.envelope({ actor: context.other })));
      await eventually(async () => (await engine.counts(context.other)).done === 1);
      await engine.send([context.envelope()]);
      const start = performance.now();
      await Promise.all([idle.consumer.stop(30_000), slow.consumer.stop(30_000)]);
      expect(performance.now() - start).toBeLessThan(15_000);
      await expectCounts(context, engine, { waiting: 1 });
      expect(slow.deliveries).toHaveLength(1);
    },
  },
  {
    promise: 'a message handed back for later uses no attempt, and does not come before its time',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const delay = 300;
      const seen = new Set<string>();
      const { deliveries } = await context.consume(engine, ({ envelope }) => {
        const isNew = !seen.has(envelope.id);
        seen.add(envelope.id);
        return isNew && envelope.data['later'] ? { kind: 'release', delay } : done();
      });
      const later = context.envelope({ data: { later: true } });
      await engine.send([later, context.envelope()]);
      await eventually(async () => (await engine.counts(actor)).done === 2);
      expect(ids(deliveries)).toEqual([later.id, ids(deliveries)[1], later.id]);
      const [first, , again] = deliveries;
      expect(again?.startedAt).toBeGreaterThanOrEqual((first?.startedAt ?? Infinity) + delay);
      // As if it had not been given out: a deadline still counts.
      expect(again).toMatchObject({
        envelope: later,
        attempt: 1,
        crashes: 0,
        history: [],
        isFirst: true,
      });
      expect((await engine.find(later.id, [actor]))?.history).toEqual([]);
    },
  },
  {
    promise: 'a message handed back for much later is a delayed one until then',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const { deliveries } = await context.consume(engine, () => ({
        kind: 'release',
        delay: 60_000,
      }));
      await engine.send([context.named(context.id('later'))]);
      await eventually(async () => (await engine.counts(actor)).delayed === 1);
      await expectCounts(context, engine, { delayed: 1 });
      expect(await engine.find(context.id('later'), [actor])).toMatchObject({
        state: 'delayed',
        history: [],
      });
      expect(deliveries).toHaveLength(1);
    },
  },
  {
    promise: 'a message handed back many times is still at its first attempt',
    async run(context) {
      const engine = await context.engine();
      let left = 70;
      const { deliveries } = await context.consume(engine, () =>
        left-- > 0 ? { kind: 'release', ...(left % 2 && { delay: 1 }) } : done(),
      );
      await engine.send([context.envelope()]);
      await eventually(async () => (await engine.counts(context.actor)).done === 1, {
        timeout: 20_000,
      });
      expect(new Set(deliveries.map(({ attempt }) => attempt))).toEqual(new Set([1]));
      expect(deliveries.at(-1)).toMatchObject({ history: [], crashes: 0, isFirst: false });
    },
  },
  {
    promise:
      'what has waited for long is served like better lanes, behind what stands there already',
    waits: true,
    async run(context) {
      const engine = await context.engine();
      const now = Date.now();
      const old = (ms: number, priority: number) =>
        context.envelope({ sentAt: now - ms, priority, data: { was: `${ms} ${priority}` } });
      // Of one priority the older one was stored first.
      const sent = [
        ...[old(2_000, 10), old(0, 10)],
        ...[old(22_000, 100), old(12_000, 100)],
        ...[old(12_000, 1_000), old(0, 1_000)],
        ...[old(22_000, 5_000), old(12_000, 500)],
      ];
      await engine.send(sent);
      // Taken so that nothing is served until it was looked for what waits long.
      const blocked = gate();
      const order: unknown[] = [];
      const turn = async ({ envelope }: Delivery) => {
        if (envelope.data['was'] === undefined) await blocked.opened;
        else order.push(envelope.data['was']);
        return done();
      };
      await engine.send([context.envelope({ priority: 1 })]);
      await context.consume(engine, turn, { aging: 10_000 });
      // It is looked for every second.
      await delay(1_500);
      blocked.open();
      await eventually(() => order.length === sent.length);
      expect(order).toEqual([
        ...['2000 10', '0 10', '22000 100', '22000 5000'],
        ...['12000 100', '12000 500', '12000 1000', '0 1000'],
      ]);
    },
  },
  {
    promise: 'turns that are reserved for urgent messages are taken by no others',
    async run(context) {
      const engine = await context.engine();
      const blocked = gate();
      let [lows, most] = [0, 0];
      const turn = async ({ envelope }: Delivery) => {
        if (envelope.priority <= 10) return done();
        most = Math.max(most, ++lows);
        await blocked.opened;
        lows--;
        return done();
      };
      const others = [1_000, 11, 100, 11].map((priority) => context.envelope({ priority }));
      await engine.send(others);
      const { deliveries } = await context.consume(engine, turn, { concurrency: 3, reserved: 1 });
      await eventually(() => lows >= 2);
      // Sent while the others wait: at once, of a key, delayed; more than one, so that each end could bring one of the others.
      const urgent = [10, 1, 10, 5].map((priority) => context.envelope({ priority }));
      const keyed = [1, 2].map(() => context.envelope({ priority: 10, key: 'k' }));
      const due = Date.now() + 50;
      await engine.send([...urgent, ...keyed, context.envelope({ priority: 10, dueAt: due })]);
      await eventually(async () => lows > 2 || (await engine.counts(context.actor)).done === 7);
      expect(lows).toBe(2);
      blocked.open();
      await eventually(async () => (await engine.counts(context.actor)).done === 11);
      expect(most).toBe(2);
      expect(deliveries).toHaveLength(11);
    },
  },
  {
    promise:
      'reserved turns of several consumers are taken by no others, however old, for whatever urgent ones come',
    async run(context) {
      const engine = await context.engine();
      const blocked = gate();
      let lows = 0;
      const turn = async ({ envelope }: Delivery) => {
        if (envelope.data['low'] === undefined) return done();
        lows++;
        await blocked.opened;
        return done();
      };
      const sentAt = Date.now() - 1_000_000;
      const low = () => context.envelope({ priority: 1_000, sentAt, data: { low: true } });
      await engine.send(Array.from({ length: 12 }, low));
      const options = { concurrency: 4, reserved: 2, aging: 10_000 };
      for (let n = 0; n < 3; n++) await context.consume(engine, turn, options);
      await eventually(() => lows >= 6);
      // What has waited for long is looked for every second.
      await delay(1_100);
      for (let n = 0; n < 15; n++) {
        const dueAt = Date.now() + 20;
        await engine.send([
          context.envelope({ priority: 10 }),
          context.envelope({ priority: 5, key: 'k', dueAt }),
          context.envelope({ priority: 5, key: 'k', dueAt }),
        ]);
        await delay(10);
      }
      await eventually(async () => lows > 6 || (await engine.counts(context.actor)).done === 45);
      expect(lows).toBe(6);
      blocked.open();
      await eventually(async () => (await engine.counts(context.actor)).done === 57);
    },
  },
  {
    promise: 'urgent messages have all turns, and of a worker with one turn others have it too',
    async run(context) {
      const engine = await context.engine();
      const blocked = gate();
      let running = 0;
      const turn = async () => {
        running++;
        await blocked.opened;
        running--;
        return done();
      };
      await engine.send([1, 10, 10].map((priority) => context.envelope({ priority })));
      const { consumer } = await context.consume(engine, turn, { concurrency: 3, reserved: 2 });
      await eventually(() => running === 3);
      consumer.limit(1);
      blocked.open();
      await engine.send([context.envelope({ priority: 1_000 })]);
      await eventually(async () => (await engine.counts(context.actor)).done === 4);
      expect(running).toBe(0);
    },
  },
  {
    promise: 'without aging a message keeps its priority, however long it waits',
    async run(context) {
      const engine = await context.engine();
      const sentAt = Date.now() - 10_000_000;
      const low = context.envelope({ sentAt, priority: 1_000 });
      const high = context.envelope({ priority: 10 });
      await engine.send([low, high]);
      const { deliveries } = await context.consume(engine);
      await eventually(() => deliveries.length === 2);
      expect(ids(deliveries)).toEqual([high.id, low.id]);
    },
  },
];

/** Twelve messages, three in 400 ms: the last one cannot start before the fourth period. */
async function expectLimited(context: Context, one: Engine, two: Engine): Promise<void> {
  const rateLimit = { max: 3, per: 400 };
  await one.send(Array.from({ length: 12 }, () => context.envelope()));
  const start = performance.now();
  const first = await context.consume(one, done, { concurrency: 4, rateLimit });
  const second = await context.consume(two, done, { concurrency: 4, rateLimit });
  const all = () => [...first.deliveries, ...second.deliveries];
  await eventually(() => all().length >= 12, { interval: 5, timeout: 20_000 });
  expect(performance.now() - start).toBeGreaterThanOrEqual(3 * rateLimit.per - 5);
  await eventually(async () => (await one.counts(context.actor)).done === 12);
  expect(new Set(ids(all())).size).toBe(12);
  for (const delivery of all()) expect(delivery).toMatchObject({ attempt: 1, history: [] });
}
