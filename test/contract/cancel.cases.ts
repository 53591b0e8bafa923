import { expect } from 'vitest';
import type { Outcome } from '../../libs/messaging/src/engine.js';
import {
  CancelledError,
  IdempotencyConflictError,
} from '../../libs/messaging/src/messaging.errors.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { cancelled, cancelledWith, dead, done, release, retry } from './context.js';
import { deliveriesOf, expectAbsent, expectCounts, ids, reaches } from './expect.js';
import { aborted, gate } from './gate.js';

export const cancelCases: Case[] = [
  {
    promise:
      'a message that waits, or is not due, ends at once when it is cancelled, and never starts',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const waiting = context.envelope();
      const later = context.named(context.id('later'), 'same', { dueAt: Date.now() + 300 });
      const others = [context.envelope(), context.envelope({ dueAt: Date.now() + 600 })];
      await engine.send([waiting, later, ...others]);
      for (const { id } of [waiting, later]) {
        expect(await engine.cancel(id, [actor])).toBe('cancelled');
        expect(await engine.find(id, [actor])).toMatchObject({ state: 'cancelled', history: [] });
      }
      expect((await engine.find(waiting.id, [actor]))?.finishedAt).toBeGreaterThan(0);
      expect((await engine.find(context.id('later'), [actor]))?.envelope).toEqual(later);
      const { deliveries } = await context.consume(engine);
      await eventually(async () => (await engine.counts(actor)).done === 4);
      await expectCounts(context, engine, { done: 4 });
      expect(ids(deliveries)).toEqual(ids(others));
    },
  },
  {
    promise: 'a message that no turn has begun is withdrawn, and any other stays as it is',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const opened = gate();
      const stops: boolean[] = [];
      const sent = {
        done: context.envelope({ key: 'a', data: { n: 'done' } }),
        tried: context.envelope({ data: { n: 'tried' } }),
        active: context.envelope({ key: 'b', data: { n: 'active' } }),
        parked: context.envelope({ key: 'b', data: { n: 'parked' } }),
        later: context.named(context.id('later'), 'same', { key: 'b', dueAt: Date.now() + 60_000 }),
      };
      const { deliveries } = await context.consume(engine, async (delivery) => {
        const { n } = delivery.envelope.data as { n: string };
        if (n === 'tried') return retry(60_000)(delivery);
        if (n === 'active') await opened.opened;
        stops.push(delivery.stop.signal.aborted);
        return done();
      });
      await engine.send(Object.values(sent));
      await reaches(context, engine, sent.done.id, 'done');
      await reaches(context, engine, sent.tried.id, 'delayed');
      await reaches(context, engine, sent.active.id, 'active');
      for (const { id } of [sent.done, sent.tried, sent.active]) {
        expect(await engine.withdraw(id, [actor])).toBe(false);
      }
      expect(await engine.withdraw('nobody', [actor])).toBe(false);
      for (const { id } of [sent.parked, sent.later]) {
        expect(await engine.withdraw(id, [actor])).toBe(true);
        expect(await engine.find(id, [actor])).toMatchObject({ state: 'cancelled', history: [] });
        expect(await engine.withdraw(id, [actor])).toBe(false);
      }
      opened.open();
      await reaches(context, engine, sent.active.id, 'done');
      expect(stops).toEqual([false, false]);
      expect((await engine.find(sent.tried.id, [actor]))?.state).toBe('delayed');
      expect(deliveries).toHaveLength(3);
    },
  },
  {
    promise:
      'a message that failed and is due again later is cancelled, and remembers its failures',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const { deliveries } = await context.consume(engine, retry(60_000));
      const sent = context.envelope();
      await engine.send([sent]);
      await reaches(context, engine, sent.id, 'delayed');
      expect(await engine.cancel(sent.id, [actor])).toBe('cancelled');
      const record = await reaches(context, engine, sent.id, 'cancelled');
      expect(record).toMatchObject({ history: [{ attempt: 1, error: { message: 'failure 1' } }] });
      await expectCounts(context, engine, { done: 1 });
      expect(deliveries).toHaveLength(1);
    },
  },
  {
    promise: 'a message in work is told that it is cancelled, and can end as such',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const reasons: unknown[] = [];
      const { deliveries } = await context.consume(engine, async ({ stop }) => {
        reasons.push(await aborted(stop.signal));
        return cancelled();
      });
      const sent = context.named(context.id('told'), 'same');
      await engine.send([sent]);
      await eventually(() => deliveries.length === 1);
      expect(deliveries[0]?.isCancelled).toBe(false);
      expect(await engine.cancel(context.id('told'), [actor])).toBe('cancelling');
      await reaches(context, engine, context.id('told'), 'cancelled');
      expect(reasons[0]).toBeInstanceOf(CancelledError);
      expect(reasons[0]).toMatchObject({ id: context.id('told') });
      await expectCounts(context, engine, { done: 1 });
      const record = await engine.find(context.id('told'), [actor]);
      expect(record).toMatchObject({ envelope: sent, history: [] });
      expect(record?.reply).toBeUndefined();
      expect(record?.finishedAt).toBeGreaterThanOrEqual(record?.startedAt ?? Infinity);
      expect(deliveries).toHaveLength(1);
    },
  },
  {
    promise: 'a message in work in another process is told that it is cancelled',
    needs: 'shared',
    async run(context) {
      const [one, two] = [await context.engine(), await context.engine()];
      const reasons: unknown[] = [];
      const { deliveries } = await context.consume(one, async ({ stop }) => {
        reasons.push(await aborted(stop.signal));
        return cancelled();
      });
      for (const n of [1, 2, 3]) {
        const sent = context.envelope();
        await two.send([sent]);
        await eventually(() => deliveries.length === n);
        expect(await two.cancel(sent.id, [context.actor])).toBe('cancelling');
        await reaches(context, two, sent.id, 'cancelled');
        expect(reasons[n - 1]).toBeInstanceOf(CancelledError);
      }
    },
  },
  {
    promise: 'a cancelled turn that goes on may end otherwise, and others are left alone',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const held = gate();
      const { deliveries } = await context.consume(
        engine,
        async (delivery) => {
          await held.opened;
          return delivery.envelope.data['dies'] ? dead(delivery) : done();
        },
        { concurrency: 3 },
      );
      const [stubborn, dying, other] = [false, true, false].map((dies) =>
        context.envelope({ data: { dies } }),
      );
      await engine.send([stubborn!, dying!, other!]);
      await eventually(() => deliveries.length === 3);
      for (const each of [stubborn!, dying!, dying!])
        expect(await engine.cancel(each.id, [actor])).toBe('cancelling');
      const stopOf = (id: string) => deliveriesOf(deliveries, { id })[0]?.stop;
      await eventually(() => [dying!, stubborn!].every(({ id }) => stopOf(id)?.aborted === true));
      expect(stopOf(other!.id)?.aborted).toBe(false);
      held.open();
      await reaches(context, engine, stubborn!.id, 'done');
      await reaches(context, engine, dying!.id, 'dead');
      await reaches(context, engine, other!.id, 'done');
      await expectCounts(context, engine, { done: 2, dead: 1 });
      // Who redrives it wants it handled.
      expect(await engine.redrive(dying!.id, [actor])).toBe(true);
      await eventually(() => deliveries.length === 4);
      expect(deliveries[3]).toMatchObject({ isCancelled: false, isFirst: false });
      expect(deliveries[3]?.stop.aborted).toBe(false);
      await reaches(context, engine, dying!.id, 'dead');
    },
  },
  {
    promise: 'a message that comes again after it was cancelled in work says so',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const outcomes: Record<string, (delivery: Parameters<typeof dead>[0]) => Outcome> = {
        [context.id('retried')]: retry(10),
        [context.id('released')]: release(),
        [context.id('postponed')]: release(10),
      };
      const begun = new Set<string>();
      const { deliveries } = await context.consume(
        engine,
        async (delivery) => {
          const { id } = delivery.envelope;
          if (begun.has(id)) return delivery.isCancelled ? cancelled() : done();
          begun.add(id);
          await aborted(delivery.stop.signal);
          return outcomes[delivery.envelope.id]?.(delivery) ?? done();
        },
        { concurrency: 3 },
      );
      const names = Object.keys(outcomes);
      await engine.send(names.map((id) => context.named(id)));
      await eventually(() => deliveries.length === 3);
      for (const id of names) expect(await engine.cancel(id, [actor])).toBe('cancelling');
      await eventually(async () => (await engine.counts(actor)).done === 3);
      for (const id of names) {
        expect((await engine.find(id, [actor]))?.state).toBe('cancelled');
        const flags = deliveriesOf(deliveries, { id }).map(({ isCancelled }) => isCancelled);
        expect(flags).toEqual([false, true]);
      }
      await expectCounts(context, engine, { done: 3 });
    },
  },
  {
    promise: 'what has ended cannot be cancelled, and what is not there neither',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      await context.consume(engine, (delivery) =>
        delivery.envelope.id === context.id('dead') ? dead(delivery) : done(),
      );
      await engine.send([context.named(context.id('done')), context.named(context.id('dead'))]);
      await reaches(context, engine, context.id('done'), 'done');
      await reaches(context, engine, context.id('dead'), 'dead');
      const gone = context.envelope({ actor: other });
      await engine.send([gone]);
      expect(await engine.cancel(gone.id, [actor])).toBe('unknown');
      expect(await engine.cancel(gone.id, [actor, other])).toBe('cancelled');
      expect(await engine.cancel(gone.id, [actor, other])).toBe('ended');
      expect(await engine.cancel(context.id('done'), [actor])).toBe('ended');
      expect(await engine.cancel(context.id('dead'), [actor])).toBe('ended');
      expect(await engine.cancel(context.id('unknown'), [actor])).toBe('unknown');
      await expectCounts(context, engine, { done: 1, dead: 1 });
    },
  },
  {
    promise: 'a cancelled message is no turn that finished, no dead letter, and its id stays taken',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const { deliveries } = await context.consume(engine);
      const handled = [context.envelope(), context.envelope()];
      await engine.send(handled);
      await eventually(async () => (await engine.counts(actor)).done === 2);
      const later = Array.from({ length: 5 }, (_, n) =>
        context.named(context.id(`later ${n}`), 'same', { dueAt: Date.now() + 60_000 }),
      );
      await engine.send(later);
      for (const { id } of later) expect(await engine.cancel(id, [actor])).toBe('cancelled');
      expect(await engine.finished(actor, 2)).toHaveLength(2);
      expect(await engine.finished(actor, 10)).toHaveLength(2);
      expect(await engine.deadLetters([actor], { limit: 10 })).toEqual([]);
      expect(await engine.redrive(context.id('later 0'), [actor])).toBe(false);
      await engine.send(later);
      await expect(engine.send([context.named(context.id('later 1'), 'other')])).rejects.toThrow(
        IdempotencyConflictError,
      );
      await expectCounts(context, engine, { done: 7 });
      expect(deliveries).toHaveLength(2);
    },
  },
  {
    promise: 'cancelled messages are kept like handled ones, no more than asked for',
    waits: true,
    async run(context) {
      const engine = await context.engine({ keepDone: { count: 3 } });
      const { actor } = context;
      const later = Array.from({ length: 8 }, () =>
        context.envelope({ dueAt: Date.now() + 60_000 }),
      );
      await engine.send(later);
      for (const { id } of later) expect(await engine.cancel(id, [actor])).toBe('cancelled');
      const { deliveries } = await context.consume(engine);
      const handled = context.envelope();
      await engine.send([handled]);
      await eventually(() => deliveries.length === 1);
      await eventually(async () => (await engine.counts(actor)).done === 3, { timeout: 15_000 });
      expect((await engine.find(handled.id, [actor]))?.state).toBe('done');
      expect((await engine.find(later[7]!.id, [actor]))?.state).toBe('cancelled');
      expect(await engine.find(later[0]!.id, [actor])).toBeUndefined();
    },
  },
  {
    promise: 'what a cancelling says is what becomes of the message, also while messages are taken',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const messages = Array.from({ length: 90 }, (_, n) =>
        context.envelope({ data: { quick: n % 3 === 0 } }),
      );
      const { deliveries } = await context.consume(
        engine,
        async ({ stop, envelope }) => {
          // Who is told nothing never ends.
          if (!envelope.data['quick']) await aborted(stop.signal);
          return stop.aborted ? cancelled() : done();
        },
        { concurrency: 4 },
      );
      await engine.send(messages);
      await eventually(() => deliveries.length > 3, { interval: 1 });
      const answers = await Promise.all(messages.map(({ id }) => engine.cancel(id, [actor])));
      await eventually(async () => (await engine.counts(actor)).done === messages.length);
      const taken = new Set(ids(deliveries));
      for (const [n, { id }] of messages.entries()) {
        const record = await engine.find(id, [actor]);
        if (answers[n] === 'cancelled') {
          expect(record?.state).toBe('cancelled');
          expect(taken.has(id)).toBe(false);
        } else {
          expect(taken.has(id)).toBe(true);
          expect(answers[n]).toMatch(/^(cancelling|ended)$/);
          if (answers[n] === 'ended') expect(record?.state).toBe('done');
        }
      }
      expect(deliveries).toHaveLength(taken.size);
    },
  },
  {
    promise: 'a message cancelled in work and what its turn sends are there at the same moment',
    async run(context) {
      const engine = await context.engine();
      const { actor, other } = context;
      const messages = Array.from({ length: 10 }, (_, n) =>
        context.envelope({ data: { n }, ...(n % 2 && { key: 'k' }) }),
      );
      const told = messages.map(() => context.envelope({ actor: other, key: 'w' }));
      await context.consume(engine, ({ envelope }) =>
        cancelledWith([told[Number(envelope.data['n'])]!]),
      );
      const torn: string[] = [];
      for (const [n, message] of messages.entries()) {
        await engine.send([message]);
        await eventually(
          async () => {
            const before = await engine.find(told[n]!.id, [other]);
            const record = await engine.find(message.id, [actor]);
            const after = await engine.find(told[n]!.id, [other]);
            const isEnded = record?.state === 'cancelled';
            if (before && !isEnded) torn.push(`sent, but ${record?.state}`);
            if (isEnded && !after) torn.push('cancelled, but not sent');
            return isEnded;
          },
          { interval: 1 },
        );
      }
      expect(torn).toEqual([]);
      const { deliveries } = await context.consume(engine, done, { actor: other });
      await eventually(() => deliveries.length === 10);
      expect(ids(deliveries)).toEqual(ids(told));
    },
  },
  {
    promise:
      'a cancelled message whose sends are refused stores none of them, and is given out again',
    waits: true,
    async run(context) {
      const engine = await context.engine();
      const to = { actor: context.other };
      await engine.send([context.named(context.id('taken'), 'one body', to)]);
      const lost = context.envelope(to);
      let turns = 0;
      await context.consume(engine, () =>
        ++turns === 1
          ? cancelledWith([lost, context.named(context.id('taken'), 'another body', to)])
          : cancelled(),
      );
      const message = context.envelope();
      await engine.send([message]);
      await reaches(context, engine, message.id, 'cancelled');
      await expectAbsent(engine, context.other, [lost]);
      expect(turns).toBe(2);
    },
  },
];
