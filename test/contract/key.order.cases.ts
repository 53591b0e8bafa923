import { expect } from 'vitest';
import type { Envelope } from '../../libs/messaging/src/envelope.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { dead, done, doneWith, quarantine, release, retry, type Context } from './context.js';
import { expectCounts, field, ids, reaches } from './expect.js';
import { gate } from './gate.js';

export const keyOrderCases: Case[] = [
  {
    promise: 'messages of one key come one at a time, in the order stored, whatever their priority',
    async run(context) {
      const engine = await context.engine();
      let [running, most] = [0, 0];
      const { deliveries } = await context.consume(
        engine,
        async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 1));
          running--;
          return done();
        },
        { concurrency: 8 },
      );
      const priorities = [100, 1, 50, 1_000, 1, 2, 100, 7];
      const sent = Array.from({ length: 40 }, (_, n) =>
        context.envelope({ key: 'k', priority: priorities[n % 8], data: { n } }),
      );
      await engine.send(sent.slice(0, 15));
      for (const each of sent.slice(15, 25)) await engine.send([each]);
      await engine.send(sent.slice(25));
      await eventually(async () => (await engine.counts(context.actor)).done === 40);
      expect(ids(deliveries)).toEqual(ids(sent));
      expect(most).toBe(1);
    },
  },
  {
    promise: 'later messages of a key wait while its first is retried or handed back',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const { deliveries } = await context.consume(
        engine,
        (delivery) => {
          const turns = deliveries.filter(({ envelope }) => envelope.id === delivery.envelope.id);
          const outcome = [retry(30), release(20), release(), retry(0)][turns.length - 1];
          return outcome?.(delivery) ?? done();
        },
        { concurrency: 4 },
      );
      const sent = Array.from({ length: 6 }, (_, n) => context.envelope({ key: 'k', data: { n } }));
      await engine.send(sent);
      await eventually(async () => (await engine.counts(actor)).done === 6);
      expect(field(deliveries, 'n')).toEqual(sent.flatMap((_, n) => [n, n, n, n, n]));
      expect(deliveries.slice(0, 5).map(({ attempt }) => attempt)).toEqual([1, 2, 2, 2, 3]);
    },
  },
  {
    promise: 'a message behind another of its key is parked, and counted with those that wait',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      await context.consume(engine, (delivery) =>
        delivery.envelope.key === 'slow' ? retry(60_000)(delivery) : done(),
      );
      const slow = Array.from({ length: 3 }, () => context.envelope({ key: 'slow' }));
      await engine.send(slow);
      await reaches(context, engine, ids(slow)[0]!, 'delayed');
      for (const id of ids(slow).slice(1)) await reaches(context, engine, id, 'parked');
      await expectCounts(context, engine, { delayed: 1, waiting: 2 });
      // Others are not held up by it.
      const others = ['a', 'b', undefined].map((key) => context.envelope(key ? { key } : {}));
      await engine.send(others);
      for (const { id } of others) await reaches(context, engine, id, 'done');
      expect((await engine.find(ids(slow)[1]!, [actor]))?.envelope).toEqual(slow[1]);
    },
  },
  {
    promise: 'a key whose message died goes on with the next',
    async run(context) {
      const engine = await context.engine();
      const { deliveries } = await context.consume(engine, (delivery) =>
        delivery.envelope.data['n'] === 2 ? done() : dead(delivery),
      );
      await engine.send([0, 1, 2].map((n) => context.envelope({ key: 'k', data: { n } })));
      await eventually(async () => (await engine.counts(context.actor)).done === 1);
      expect(field(deliveries, 'n')).toEqual([0, 1, 2]);
      await expectCounts(context, engine, { dead: 2, done: 1 });
    },
  },
  {
    promise: 'a message that is not due does not hold its key up, and takes its turn when it is',
    async run(context) {
      const engine = await context.engine();
      const held = gate();
      const { deliveries } = await context.consume(
        engine,
        async ({ envelope: { data } }) => {
          if (data['n'] === 'held') await held.opened;
          return done();
        },
        { concurrency: 4 },
      );
      const dueAt = Date.now() + 300;
      const timer = context.envelope({ key: 'k', dueAt, data: { n: 'timer' } });
      const far = context.envelope({ key: 'k', dueAt: Date.now() + 60_000, data: { n: 'far' } });
      const rest = ['first', 'held'].map((n) => context.envelope({ key: 'k', data: { n } }));
      await engine.send([far, timer, ...rest]);
      await reaches(context, engine, timer.id, 'parked');
      expect((await engine.find(far.id, [context.actor]))?.state).toBe('delayed');
      await eventually(() => deliveries.length === 2);
      expect(field(deliveries, 'n')).toEqual(['first', 'held']);
      held.open();
      await reaches(context, engine, timer.id, 'done');
      expect(field(deliveries, 'n')).toEqual(['first', 'held', 'timer']);
      expect(deliveries[2]?.startedAt).toBeGreaterThanOrEqual(dueAt);
    },
  },
  {
    promise: 'what a turn sends to its own key comes after what waits there',
    async run(context) {
      const engine = await context.engine();
      const { deliveries } = await context.consume(engine, ({ envelope: { data } }) =>
        data['n'] === 0
          ? doneWith({
              sends: [3, 4].map((n) => context.envelope({ key: 'k', priority: 1, data: { n } })),
            })
          : done(),
      );
      await engine.send([0, 1, 2].map((n) => context.envelope({ key: 'k', data: { n } })));
      await eventually(async () => (await engine.counts(context.actor)).done === 5);
      expect(field(deliveries, 'n')).toEqual([0, 1, 2, 3, 4]);
    },
  },
  {
    promise: 'keys, and messages without one, come by priority',
    async run(context) {
      const engine = await context.engine();
      const rows: [key: string | undefined, priority: number, name: string][] = [
        ['normal', 100, 'n1'],
        [undefined, 50, 'alone'],
        ['urgent', 10, 'u1'],
        ['normal', 100, 'n2'],
        [undefined, 1, 'first'],
        ['urgent', 10, 'u2'],
      ];
      await engine.send(
        rows.map(([key, priority, name]) =>
          context.envelope({ ...(key && { key }), priority, data: { name } }),
        ),
      );
      const { deliveries } = await context.consume(engine);
      await eventually(() => deliveries.length === 6);
      expect(field(deliveries, 'name')).toEqual(['first', 'u1', 'u2', 'alone', 'n1', 'n2']);
    },
  },
  {
    promise: 'cancelling messages of a key leaves the others in order',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const held = gate();
      const { deliveries } = await context.consume(
        engine,
        async (delivery) => {
          const { data } = delivery.envelope;
          if (data['n'] === 0) await held.opened;
          return data['n'] === 3 ? retry(60_000)(delivery) : done();
        },
        { concurrency: 4 },
      );
      const sent = Array.from({ length: 7 }, (_, n) => context.envelope({ key: 'k', data: { n } }));
      await engine.send(sent);
      await eventually(() => deliveries.length === 1);
      for (const n of [2, 6]) {
        expect(await engine.cancel(sent[n]!.id, [actor])).toBe('cancelled');
        expect((await engine.find(sent[n]!.id, [actor]))?.state).toBe('cancelled');
      }
      held.open();
      // The head, between two attempts.
      await reaches(context, engine, sent[3]!.id, 'delayed');
      expect(await engine.cancel(sent[3]!.id, [actor])).toBe('cancelled');
      await eventually(async () => (await engine.counts(actor)).done === 7);
      expect(field(deliveries, 'n')).toEqual([0, 1, 3, 4, 5]);
    },
  },
  {
    promise: 'dead letters of a key that are redriven come in their old order',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const held = gate();
      let broken = true;
      const { deliveries } = await context.consume(
        engine,
        async (delivery) => {
          if (delivery.envelope.data['n'] === 'held') await held.opened;
          else if (broken) return dead(delivery);
          return done();
        },
        { concurrency: 4 },
      );
      const sent = [0, 1, 2, 3].map((n) => context.envelope({ key: 'k', data: { n } }));
      await engine.send(sent);
      await eventually(async () => (await engine.counts(actor)).dead === 4);
      broken = false;
      await engine.send([context.envelope({ key: 'k', data: { n: 'held' } })]);
      await eventually(() => deliveries.length === 5);
      for (const n of [2, 0, 3, 1]) expect(await engine.redrive(sent[n]!.id, [actor])).toBe(true);
      await expectCounts(context, engine, { active: 1, waiting: 4 });
      held.open();
      await eventually(async () => (await engine.counts(actor)).done === 5);
      expect(field(deliveries, 'n').slice(5)).toEqual([0, 1, 2, 3]);
    },
  },
  {
    promise:
      'the first of a key gives way to redriven messages that died before it, unless it has begun',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const dying = await context.consume(engine, (delivery) =>
        delivery.attempt === 1 && delivery.isFirst ? dead(delivery) : retry(60_000)(delivery),
      );
      const sent = [1, 2, 3, 4].map((n) => context.envelope({ key: 'k', data: { n } }));
      await engine.send(sent);
      await eventually(async () => (await engine.counts(actor)).dead === 4);
      await dying.consumer.stop(0);
      for (const n of [2, 0, 1]) expect(await engine.redrive(sent[n]!.id, [actor])).toBe(true);
      expect((await engine.find(sent[0]!.id, [actor]))?.state).toBe('waiting');
      for (const n of [1, 2]) {
        expect((await engine.find(sent[n]!.id, [actor]))?.state).toBe('parked');
      }
      const { deliveries, consumer } = await context.consume(engine);
      await eventually(async () => (await engine.counts(actor)).done === 3);
      expect(field(deliveries, 'n')).toEqual([1, 2, 3]);
      await consumer.stop(0);

      // One that waits for its second attempt stays the first.
      const again = [5, 6].map((n) => context.envelope({ key: 'l', data: { n } }));
      const { consumer: last } = await context.consume(engine, (delivery) =>
        delivery.isFirst ? dead(delivery) : retry(60_000)(delivery),
      );
      await engine.send(again);
      await eventually(async () => (await engine.counts(actor)).dead === 3);
      await engine.redrive(again[1]!.id, [actor]);
      await reaches(context, engine, again[1]!.id, 'delayed');
      await engine.redrive(again[0]!.id, [actor]);
      expect((await engine.find(again[0]!.id, [actor]))?.state).toBe('parked');
      await last.stop(0);
    },
  },
  ...[1, 2, 3].map((seed): Case => ({
    promise: `keys keep their order, and one turn at a time, whatever happens (seed ${seed})`,
    async run(context) {
      await keepOrder(context, seed);
    },
  })),
];

/** Many keys, several consumers, random outcomes. */
async function keepOrder(context: Context, seed: number): Promise<void> {
  const engine = await context.engine();
  const random = seeded(seed);
  const keys = Array.from({ length: 12 }, (_, n) => `key ${n}`);
  const each = 12;
  const started = new Map<string, number[]>(keys.map((key) => [key, []]));
  const busy = new Set<string>();
  const overlaps: string[] = [];
  const consumers = await Promise.all(
    [4, 3, 1].map((concurrency) =>
      context.consume(
        engine,
        async (delivery) => {
          const { key = '', data } = delivery.envelope;
          if (busy.has(key)) overlaps.push(key);
          busy.add(key);
          started.get(key)?.push(Number(data['n']));
          const [wait, choice, delay] = [random() * 4, random(), Math.floor(random() * 15)];
          await new Promise((resolve) => setTimeout(resolve, wait));
          busy.delete(key);
          if (choice < 0.15) return retry(delay)(delivery);
          if (choice < 0.3) return release(delay || undefined)();
          if (choice < 0.4) return dead(delivery);
          if (choice < 0.45) return quarantine(delivery);
          return done();
        },
        { concurrency },
      ),
    ),
  );
  const left = new Map(keys.map((key) => [key, 0]));
  for (;;) {
    const batch: Envelope[] = [];
    for (const [key, n] of left) {
      const some = Math.min(each - n, Math.floor(random() * 4));
      for (let i = 0; i < some; i++) batch.push(context.envelope({ key, data: { n: n + i } }));
      left.set(key, n + some);
    }
    await engine.send(batch);
    if ([...left.values()].every((n) => n === each)) break;
    await new Promise((resolve) => setTimeout(resolve, random() * 5));
  }
  await eventually(
    async () => {
      for (const { key } of await engine.quarantined(context.actor))
        await engine.release(context.actor, key);
      const { done: handled, dead: lost } = await engine.counts(context.actor);
      return handled + lost === keys.length * each;
    },
    { timeout: 20_000 },
  );
  expect(overlaps).toEqual([]);
  for (const [key, order] of started) {
    const once = order.filter((n, index) => n !== order[index - 1]);
    expect(once, key).toEqual(Array.from({ length: each }, (_, n) => n));
  }
  const used = consumers.filter(({ deliveries }) => deliveries.length > 0);
  expect(used).toHaveLength(consumers.length);
}

/** Numbers from 0 to 1 that are the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
