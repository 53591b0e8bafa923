import { expect } from 'vitest';
import type { Delivery } from '../../libs/messaging/src/engine.js';
import { StoppingError } from '../../libs/messaging/src/messaging.errors.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { dead, done, release, retry } from './context.js';
import { aborted } from './gate.js';
import { expectCounts, reaches } from './expect.js';

export const lifecycleCases: Case[] = [
  {
    promise:
      'a trial is noted until another is, over failed attempts and hand-backs, which it has survived, and no redrive',
    async run(context) {
      const engine = await context.engine();
      const [one, two, three] = [
        { crashes: 1, deaths: 0 },
        { crashes: 4, deaths: 2 },
        { crashes: 5, deaths: 3 },
      ];
      const steps = [
        async (delivery: Delivery) => {
          await delivery.noteTrial({ crashes: 9, deaths: 9 });
          await delivery.noteTrial(one);
          return retry(0)(delivery);
        },
        async (delivery: Delivery) => {
          await delivery.noteTrial(two);
          return release()();
        },
        async (delivery: Delivery) => {
          await delivery.noteTrial(three);
          return release(1)();
        },
        () => release(1)(),
        retry(1),
        dead,
        done,
      ];
      let step = 0;
      const { deliveries } = await context.consume(engine, (delivery) => steps[step++]!(delivery));
      const sent = context.envelope({ key: 'k' });
      await engine.send([sent]);
      const letter = await reaches(context, engine, sent.id, 'dead');
      expect(letter.history).toHaveLength(3);
      expect(await engine.redrive(sent.id, [context.actor])).toBe(true);
      await reaches(context, engine, sent.id, 'done');
      const trials = deliveries.map(({ trial }) => trial);
      const [first, second, third] = [one, two, three].map((each) => ({
        ...each,
        hasSurvived: true,
      }));
      expect(trials).toEqual([undefined, first, second, third, third, third, undefined]);
    },
  },
  {
    promise: 'a stopping consumer lets running turns end and takes no more',
    async run(context) {
      const engine = await context.engine();
      let finish = (): void => undefined;
      const { consumer, deliveries } = await context.consume(engine, async () => {
        await new Promise<void>((resolve) => (finish = resolve));
        return done();
      });
      await engine.send([context.envelope(), context.envelope()]);
      await eventually(() => deliveries.length === 1);
      const stopped = consumer.stop(10_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
      finish();
      await stopped;
      await expectCounts(context, engine, { done: 1, waiting: 1 });
      expect(deliveries[0]?.stop.aborted).toBe(false);
    },
  },
  {
    promise: 'after the grace the signal aborts and the message goes back, with no attempt used',
    async run(context) {
      const engine = await context.engine();
      const sent = context.envelope();
      await engine.send([sent]);
      const { consumer, deliveries } = await context.consume(engine, async ({ stop }) => {
        await aborted(stop.signal);
        return { kind: 'release' };
      });
      await eventually(() => deliveries.length === 1);
      await consumer.stop(50);
      expect(deliveries[0]?.stop.reason).toBeInstanceOf(StoppingError);
      await expectCounts(context, engine, { waiting: 1 });
      const next = await context.consume(engine);
      await eventually(() => next.deliveries.length === 1);
      expect(next.deliveries[0]).toMatchObject({
        envelope: sent,
        attempt: 1,
        history: [],
        crashes: 0,
      });
      await eventually(async () => (await engine.counts(context.actor)).done === 1);
    },
  },
  {
    promise:
      'a process that froze for longer than the lock does not start a message that it is still working on',
    needs: 'bullmq',
    async run(context) {
      const engine = await context.engine({ lockDuration: 600 });
      let [running, most] = [0, 0];
      const { deliveries } = await context.consume(
        engine,
        async () => {
          most = Math.max(most, ++running);
          // Frozen past the lock, then at work for several locks more.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
          await new Promise((resolve) => setTimeout(resolve, 3_000));
          running--;
          return done();
        },
        { concurrency: 5 },
      );
      await engine.send([context.envelope()]);
      await eventually(async () => (await engine.counts(context.actor)).done === 1, {
        timeout: 20_000,
      });
      expect([most, deliveries.length]).toEqual([1, 1]);
    },
  },
  {
    promise: 'what waits is still there after the engine is closed and opened again',
    needs: 'bullmq',
    async run(context) {
      const engine = await context.engine();
      const sent = context.envelope({ data: { kept: true } });
      await engine.send([sent]);
      await engine.close();
      const again = await context.engine();
      expect(await again.find(sent.id, [context.actor])).toMatchObject({
        envelope: sent,
        state: 'waiting',
      });
    },
  },
  {
    promise: 'an open engine answers, a closed one does not, and closing twice is harmless',
    async run(context) {
      const engine = await context.engine();
      await engine.ping();
      expect(['power-safe', 'process-safe', 'memory']).toContain(engine.store.durability);
      expect(engine.store.name).not.toBe('');
      await engine.close();
      await expect(engine.ping()).rejects.toThrow(/closed|ended|end on the pool|not open/i);
      await engine.close();
    },
  },
];
