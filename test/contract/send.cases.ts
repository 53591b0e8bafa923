import { expect } from 'vitest';
import { IdempotencyConflictError } from '../../libs/messaging/src/messaging.errors.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { dead, done, retry } from './context.js';
import { expectCounts, ids, reaches } from './expect.js';

export const sendCases: Case[] = [
  {
    promise: 'a message arrives as it was sent',
    async run(context) {
      const engine = await context.engine();
      const sent = context.envelope({
        version: 3,
        data: {
          text: 'żółć 🎬 "quoted" \\ \n',
          list: [1, 2.5, -0.001, null, true, [], {}],
          nested: { deep: { '': 'x' } },
        },
        headers: { traceparent: '00-abc' },
        deadline: Date.now() + 60_000,
        retry: { attempts: 2, delay: 5 },
        priority: 7,
      });
      await engine.send([sent]);
      const { deliveries } = await context.consume(engine);
      await eventually(() => deliveries.length === 1);
      expect(deliveries[0]?.envelope).toEqual(sent);
      expect(deliveries[0]).toMatchObject({ attempt: 1, history: [], crashes: 0 });
    },
  },
  {
    promise: 'what a message says beside its data arrives as it was sent, and is read so too',
    async run(context) {
      const engine = await context.engine();
      const id = context.envelope().id;
      const sent = context.envelope({
        data: { when: '2026-01-01T00:00:00.000Z', n: '12' },
        types: { values: { when: ['Date'], n: ['bigint'] } },
        correlationId: id,
        causationId: 'a sender’s own',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        tracestate: 'vendor=a,other=b',
        tenant: 'żółć "1"',
        replyTo: id,
      });
      await engine.send([sent]);
      expect((await engine.find(sent.id, [context.actor]))?.envelope).toEqual(sent);
      const { deliveries } = await context.consume(engine, (delivery) =>
        delivery.attempt === 1 ? retry(1)(delivery) : dead(delivery),
      );
      await eventually(() => deliveries.length === 2);
      for (const delivery of deliveries) expect(delivery.envelope).toEqual(sent);
      expect(deliveries[0]).toMatchObject({ isCancelled: false, isFirst: true });
      expect(deliveries[0]?.state).toBeUndefined();
      await eventually(async () => (await engine.counts(context.actor)).dead === 1);
      expect((await engine.find(sent.id, [context.actor]))?.envelope).toEqual(sent);
    },
  },
  {
    promise: 'higher priorities are served first, equal ones first in, first out',
    async run(context) {
      const engine = await context.engine();
      const priorities = [100, 1, 1000, 100, 1, 2_097_152, 10, 100, 10];
      const sent = priorities.map((priority) => context.envelope({ priority }));
      await engine.send(sent.slice(0, 4));
      for (const each of sent.slice(4)) await engine.send([each]);
      const { deliveries } = await context.consume(engine);
      await eventually(() => deliveries.length === sent.length);
      const expected = sent
        .map((envelope, index) => ({ envelope, index }))
        .sort((a, b) => a.envelope.priority - b.envelope.priority || a.index - b.index);
      expect(ids(deliveries)).toEqual(ids(expected));
    },
  },
  {
    promise: 'a batch is stored whole, in its order',
    async run(context) {
      const engine = await context.engine();
      const sent = Array.from({ length: 300 }, (_, n) => context.envelope({ data: { n } }));
      await engine.send(sent);
      await expectCounts(context, engine, { waiting: 300 });
      const { deliveries } = await context.consume(engine);
      await eventually(() => deliveries.length === 300, { timeout: 20_000 });
      expect(deliveries.map(({ envelope }) => envelope.data['n'])).toEqual(sent.map((_, n) => n));
    },
  },
  {
    promise: 'a batch with one refused message stores none',
    async run(context) {
      const engine = await context.engine();
      await engine.send([context.named('taken', 'one body')]);
      const batch = [
        context.envelope(),
        context.named('new'),
        context.named('taken', 'another body'),
        context.envelope(),
      ];
      await expect(engine.send(batch)).rejects.toThrow(IdempotencyConflictError);
      await expect(engine.send(batch)).rejects.toMatchObject({ id: 'taken' });
      await expectCounts(context, engine, { waiting: 1 });
      // The id of the batch that failed is not used up.
      await engine.send([context.named('new', 'yet another body')]);
      await expectCounts(context, engine, { waiting: 2 });
    },
  },
  {
    promise: 'the same id and body again changes nothing, in whatever state the message is',
    async run(context) {
      const engine = await context.engine();
      const waiting = context.named(`${context.actor}-waiting`);
      const delayed = context.named(`${context.actor}-delayed`, 'same', {
        dueAt: Date.now() + 60_000,
      });
      await engine.send([waiting, delayed, waiting]);
      await engine.send([waiting]);
      await engine.send([delayed]);
      await expectCounts(context, engine, { waiting: 1, delayed: 1 });
      const { deliveries } = await context.consume(engine);
      await eventually(() => deliveries.length === 1);
      await eventually(async () => (await engine.counts(context.actor)).done === 1);
      await engine.send([waiting]);
      await engine.send([context.envelope()]);
      await eventually(() => deliveries.length === 2);
      expect(deliveries.filter(({ envelope }) => envelope.id === waiting.id)).toHaveLength(1);
    },
  },
  {
    promise: 'an id is remembered after its message is no longer kept',
    waits: true,
    async run(context) {
      const engine = await context.engine({ keepDone: { count: 1 } });
      const { deliveries } = await context.consume(engine);
      await engine.send([context.named('first')]);
      await eventually(() => deliveries.length === 1);
      for (let n = 2; n <= 4; n++) {
        await engine.send([context.envelope()]);
        await eventually(() => deliveries.length === n);
      }
      await eventually(async () => (await engine.find('first', [context.actor])) === undefined);
      await engine.send([context.named('first')]);
      await expect(engine.send([context.named('first', 'other')])).rejects.toThrow(
        IdempotencyConflictError,
      );
      await engine.send([context.envelope()]);
      await eventually(() => deliveries.length === 5);
      expect(ids(deliveries).filter((id) => id === 'first')).toHaveLength(1);
    },
  },
  {
    promise: 'an id is remembered as long as its message is kept, even beyond the window',
    async run(context) {
      const engine = await context.engine({ idempotencyWindow: 50 });
      const late = context.named('late', 'same', { dueAt: Date.now() + 60_000 });
      await engine.send([late]);
      await new Promise((resolve) => setTimeout(resolve, 80));
      await engine.send([late]);
      await expect(engine.send([context.named('late', 'other')])).rejects.toThrow(
        IdempotencyConflictError,
      );
      await expectCounts(context, engine, { delayed: 1 });
    },
  },
  {
    promise:
      'a message that a client sends again, because it got no reply, is stored once, also when it has died',
    async run(context) {
      const engine = await context.engine();
      const sent = context.envelope();
      await engine.send([sent]);
      await engine.send([sent]);
      await expectCounts(context, engine, { waiting: 1 });
      await context.consume(engine, dead);
      await eventually(async () => (await engine.counts(context.actor)).dead === 1);
      await engine.send([sent]);
      await expectCounts(context, engine, { dead: 1 });
    },
  },
  {
    promise: 'of many concurrent sends of one id one is stored, and one body wins',
    async run(context) {
      const engine = await context.engine();
      const sends = Array.from({ length: 20 }, (_, n) =>
        engine.send([context.named('raced', `body ${n % 2}`)]),
      );
      const results = await Promise.allSettled(sends);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
      await expectCounts(context, engine, { waiting: 1 });
    },
  },
  {
    promise: 'overlapping batches of chosen ids do not block each other',
    async run(context) {
      const engine = await context.engine();
      const names = Array.from({ length: 40 }, (_, n) => `${context.actor}-${n}`);
      const batches = [
        names,
        [...names].reverse(),
        names.slice(10),
        [...names.slice(0, 30)].reverse(),
      ];
      await Promise.all(batches.map((batch) => engine.send(batch.map((id) => context.named(id)))));
      await expectCounts(context, engine, { waiting: 40 });
    },
  },
  {
    promise: "an id that names a store's own record harms nothing",
    async run(context) {
      const engine = await context.engine();
      const names = [
        'meta',
        'delayed',
        'wait',
        'id',
        'repeat',
        'a:b:c',
        '__proto__',
        "'; drop table job; --",
        '12',
        '0:1',
        '💣',
      ];
      await engine.send(names.map((id) => context.named(id)));
      const { deliveries } = await context.consume(engine);
      await eventually(() => deliveries.length === names.length);
      expect(ids(deliveries)).toEqual(names);
      for (const id of names)
        expect((await engine.find(id, [context.actor]))?.envelope.id).toBe(id);
    },
  },
  {
    promise: 'a message is not given out before its due time, then soon',
    async run(context) {
      const engine = await context.engine();
      const { deliveries } = await context.consume(engine);
      const dueAt = Date.now() + 400;
      await engine.send([context.envelope({ dueAt, data: { late: true } }), context.envelope()]);
      await eventually(() => deliveries.length === 1);
      expect(deliveries[0]?.envelope.data).toEqual({});
      expect((await engine.counts(context.actor)).delayed).toBe(1);
      await eventually(() => deliveries.length === 2);
      expect(deliveries[1]?.startedAt).toBeGreaterThanOrEqual(dueAt);
    },
  },
  {
    promise: 'an actor may be named as something that a store keeps',
    async run(context) {
      const engine = await context.engine();
      for (const actor of ['sent', 'bindings', 'inbox', 'cancelled', 'mailbox', 'state']) {
        const sent = context.named(context.id(actor), 'same', { actor, key: 'k' });
        await engine.send([sent]);
        await engine.send([sent]);
        expect(await engine.counts(actor)).toMatchObject({ waiting: 1 });
        const { deliveries } = await context.consume(engine, done, { actor });
        await reaches({ actor }, engine, sent.id, 'done');
        expect(ids(deliveries)).toEqual([sent.id]);
      }
    },
  },
];
