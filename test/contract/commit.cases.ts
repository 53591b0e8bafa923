import { expect } from 'vitest';
import type { MessageRecord } from '../../libs/messaging/src/engine.js';
import type { Envelope } from '../../libs/messaging/src/envelope.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { dead, done, release, retry } from './context.js';
import { expectCounts, ids } from './expect.js';

export const commitCases: Case[] = [
  {
    promise: 'a message that is done is not given out again',
    async run(context) {
      const engine = await context.engine();
      const { deliveries } = await context.consume(engine, done, { concurrency: 5 });
      const sent = Array.from({ length: 50 }, () => context.envelope());
      await engine.send(sent);
      await eventually(async () => (await engine.counts(context.actor)).done === 50);
      await expectCounts(context, engine, { done: 50 });
      expect(new Set(ids(deliveries))).toEqual(new Set(ids(sent)));
      expect(deliveries).toHaveLength(50);
    },
  },
  {
    promise: 'no more turns run at the same time than asked for',
    async run(context) {
      const engine = await context.engine();
      let running = 0;
      let most = 0;
      await engine.send(Array.from({ length: 20 }, () => context.envelope()));
      const { deliveries } = await context.consume(
        engine,
        async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 20));
          running--;
          return done();
        },
        { concurrency: 4 },
      );
      await eventually(() => deliveries.length === 20);
      expect(most).toBe(4);
    },
  },
  {
    promise: 'a retry comes after its delay, with the attempt counted and the failure remembered',
    async run(context) {
      const engine = await context.engine();
      const { deliveries } = await context.consume(engine, (delivery) =>
        delivery.attempt < 3 ? retry(150)(delivery) : done(),
      );
      const sent = context.envelope({ priority: 3 });
      await engine.send([sent]);
      await eventually(() => deliveries.length === 3);
      expect(deliveries.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
      const [first, second, third] = deliveries;
      expect(second?.startedAt).toBeGreaterThanOrEqual((first?.startedAt ?? 0) + 150);
      expect(third?.history).toMatchObject([
        {
          attempt: 1,
          startedAt: first?.startedAt,
          error: { name: 'Boom', message: 'failure 1', code: 'E_BOOM' },
          retry: { at: first!.startedAt + 150, left: 4 },
        },
        {
          attempt: 2,
          startedAt: second?.startedAt,
          error: { message: 'failure 2', stack: 'Boom: at line 1' },
        },
      ]);
      expect(third?.envelope).toEqual(sent);
      await eventually(async () => (await engine.find(sent.id, [context.actor]))?.state === 'done');
      expect((await engine.find(sent.id, [context.actor]))?.history).toHaveLength(2);
    },
  },
  {
    promise:
      'what waits for its next attempt began when its failed one did, what was handed back later',
    async run(context) {
      const engine = await context.engine();
      const [failing, handedBack] = [context.envelope(), context.envelope()];
      await context.consume(engine, (delivery) => {
        if (delivery.envelope.id === failing.id) return retry(60_000)(delivery);
        return delivery.attempt === 1 ? retry(20)(delivery) : release(60_000)();
      });
      await engine.send([failing, handedBack]);
      /** When it began, and when its failed attempt did. */
      const starts = async ({ id }: Envelope) => {
        const record = await engine.find(id, [context.actor]);
        expect(record).toMatchObject({ state: 'delayed', history: [{ attempt: 1 }] });
        const { startedAt, history } = record as MessageRecord;
        return [startedAt, history[0]?.startedAt];
      };
      const [began, failed] = await eventually(() => starts(failing));
      expect(began).toBe(failed);
      await eventually(async () => {
        const [last = 0, first] = await starts(handedBack);
        expect(last).toBeGreaterThan(first ?? Infinity);
      });
    },
  },
  {
    promise: 'a message given up is a dead letter with its whole history, and nowhere else',
    async run(context) {
      const engine = await context.engine();
      const { deliveries } = await context.consume(engine, (delivery) =>
        delivery.attempt < 2 ? retry(10)(delivery) : dead(delivery),
      );
      const sent = context.envelope({ data: { order: 42 }, headers: { tenant: 't1' } });
      await engine.send([sent]);
      await eventually(async () => (await engine.counts(context.actor)).dead === 1);
      await expectCounts(context, engine, { dead: 1 });
      const [letter] = await engine.deadLetters([context.actor], { limit: 10 });
      expect(letter).toMatchObject({
        envelope: sent,
        state: 'dead',
        reason: 'rejected',
        redrives: 0,
        history: [
          { attempt: 1, error: { message: 'failure 1' } },
          { attempt: 2, error: { message: 'failure 2' } },
        ],
      });
      expect(letter?.finishedAt).toBeGreaterThanOrEqual(letter?.startedAt ?? Infinity);
      expect(await engine.find(sent.id, [context.actor])).toEqual(letter);
      expect(deliveries).toHaveLength(2);
    },
  },
  {
    promise: 'history is bounded to the last fifty failures',
    async run(context) {
      const engine = await context.engine();
      await context.consume(engine, (delivery) =>
        delivery.attempt < 60 ? retry(1)(delivery) : dead(delivery),
      );
      const sent = context.envelope();
      await engine.send([sent]);
      await eventually(async () => (await engine.counts(context.actor)).dead === 1, {
        timeout: 20_000,
      });
      const letter = await engine.find(sent.id, [context.actor]);
      expect(letter?.history.map(({ attempt }) => attempt)).toEqual(
        Array.from({ length: 50 }, (_, n) => n + 11),
      );
    },
  },
  {
    promise:
      'a redriven dead letter has all attempts again, keeps its history, and goes through once',
    async run(context) {
      const engine = await context.engine();
      let broken = true;
      const { deliveries } = await context.consume(engine, (delivery) =>
        broken ? dead(delivery) : done(),
      );
      const sent = context.named('my-order', 'same', { data: { n: 1 }, priority: 5 });
      await engine.send([sent]);
      await eventually(async () => (await engine.counts(context.actor)).dead === 1);
      broken = false;
      expect(await engine.redrive('my-order', [context.actor])).toBe(true);
      expect(await engine.redrive('my-order', [context.actor])).toBe(false);
      await eventually(async () => (await engine.counts(context.actor)).done === 1);
      await expectCounts(context, engine, { done: 1 });
      expect(deliveries[1]).toMatchObject({
        envelope: sent,
        attempt: 1,
        history: [{ attempt: 1 }],
      });
      expect(await engine.find('my-order', [context.actor])).toMatchObject({
        state: 'done',
        redrives: 1,
      });
      expect(deliveries).toHaveLength(2);
    },
  },
  {
    promise: 'a first start is told from one after a retry, a hand-back or a redrive',
    async run(context) {
      const engine = await context.engine();
      let turn = retry(1);
      const { consumer, deliveries } = await context.consume(engine, (delivery) => turn(delivery));
      const sent = context.envelope();
      await engine.send([sent]);
      await eventually(() => deliveries.length >= 2);
      turn = dead;
      await eventually(async () => (await engine.counts(context.actor)).dead === 1);
      turn = () => ({ kind: 'release' });
      await engine.redrive(sent.id, [context.actor]);
      const before = deliveries.length;
      await eventually(() => deliveries.length >= before + 2);
      turn = done;
      await eventually(async () => (await engine.counts(context.actor)).done === 1);
      await consumer.stop(0);
      expect(deliveries.map(({ isFirst }) => isFirst)).toEqual(deliveries.map((_, n) => n === 0));
    },
  },
  {
    promise: 'only dead letters can be redriven',
    async run(context) {
      const engine = await context.engine();
      const waiting = context.envelope();
      await engine.send([waiting]);
      expect(await engine.redrive(waiting.id, [context.actor])).toBe(false);
      expect(await engine.redrive('unknown', [context.actor])).toBe(false);
      const { deliveries } = await context.consume(engine);
      await eventually(async () => (await engine.counts(context.actor)).done === 1);
      expect(await engine.redrive(waiting.id, [context.actor])).toBe(false);
      expect(deliveries).toHaveLength(1);
    },
  },
  {
    promise: 'two engines on one store share the messages, each handled once',
    needs: 'shared',
    async run(context) {
      const [one, two] = [await context.engine(), await context.engine()];
      const first = await context.consume(one, done, { concurrency: 2 });
      const second = await context.consume(two, done, { concurrency: 2 });
      const sent = Array.from({ length: 100 }, () => context.envelope());
      for (let n = 0; n < 100; n += 10) await one.send(sent.slice(n, n + 10));
      await eventually(async () => (await two.counts(context.actor)).done === 100);
      const all = ids([...first.deliveries, ...second.deliveries]);
      expect(all).toHaveLength(100);
      expect(new Set(all)).toEqual(new Set(ids(sent)));
    },
  },
];
