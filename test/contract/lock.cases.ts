import type { IQueueBackend } from 'bullmq';
import { expect } from 'vitest';
import { LockLostError } from '../../libs/messaging/src/messaging.errors.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { cancelled, deadWith, doneWith, release, retry, type Consumed } from './context.js';
import { expectAbsent, expectCounts, ids, reaches } from './expect.js';
import { gate } from './gate.js';

export const lockCases: Case[] = [
  {
    promise: 'a turn that has lost its message to another process stores nothing, however it ends',
    waits: true,
    needs: 'shared',
    async run(context) {
      const [one, two] = [await context.engine(), await context.engine()];
      const { actor, other } = context;
      const messages = Array.from({ length: 5 }, (_, n) => context.envelope({ data: { n } }));
      const next = messages.map(() => context.envelope({ data: { n: 'next' } }));
      const lost = messages.map(() => context.envelope({ actor: other }));
      const [late, inTime] = [gate(), gate()];
      let taken = 0;
      const isNext = (data: { n?: unknown }): boolean => data['n'] === 'next';
      const good = doneWith({ reply: { data: 'in time' } });

      const first = await context.consume(
        one,
        async (delivery) => {
          const { data } = delivery.envelope;
          if (isNext(data)) {
            taken++;
            await inTime.opened;
            return good;
          }
          // Given back to the process that lost it: that is a turn like any other.
          if (!delivery.isFirst) return good;
          await late.opened;
          const n = Number(data['n']);
          const sends = lost.slice(n, n + 1);
          const answers = [
            () => doneWith({ sends, reply: { data: 'too late' } }),
            deadWith(sends),
            retry(0),
            release(60_000),
            cancelled,
          ];
          return answers[n]!(delivery);
        },
        { concurrency: 5 },
      );
      await one.send(messages);
      await eventually(() => first.deliveries.length === 5);
      const thaw = freeze(first);
      const second = await context.consume(
        two,
        async () => {
          await inTime.opened;
          return good;
        },
        { concurrency: 5 },
      );
      await eventually(() => new Set(ids(second.deliveries)).size === 5, { timeout: 25_000 });
      expect(second.deliveries[0]).toMatchObject({ attempt: 1, history: [], isFirst: false });
      expect(second.deliveries[0]?.crashes).toBeGreaterThanOrEqual(1);
      thaw();
      await eventually(() => {
        for (const { stop } of first.deliveries.slice(0, 5))
          expect(stop.reason).toBeInstanceOf(LockLostError);
      });
      late.open();
      // The first process takes others only when it has tried to commit each of those it has lost.
      await one.send(next);
      await eventually(() => taken === next.length);
      await expectAbsent(one, other, lost);
      inTime.open();
      for (const { id } of messages) {
        const record = await reaches(context, two, id, 'done');
        expect(record).toMatchObject({ history: [], reply: { data: 'in time' } });
      }
      await eventually(async () => (await one.counts(actor)).done === 10);
      await expectCounts(context, one, { done: 10 });
      await expectAbsent(one, other, lost);
    },
  },
  {
    promise: 'a message whose process froze after it was cancelled says so when it comes again',
    waits: true,
    needs: 'shared',
    async run(context) {
      const [one, two] = [await context.engine(), await context.engine()];
      const held = gate();
      const first = await context.consume(one, async () => {
        await held.opened;
        return cancelled();
      });
      const sent = context.envelope();
      await one.send([sent]);
      await eventually(() => first.deliveries.length === 1);
      const thaw = freeze(first);
      expect(await two.cancel(sent.id, [context.actor])).toBe('cancelling');
      const second = await context.consume(two, cancelled);
      await eventually(() => second.deliveries.length > 0, { timeout: 25_000 });
      expect(second.deliveries[0]).toMatchObject({ isCancelled: true, attempt: 1 });
      await reaches(context, two, sent.id, 'cancelled');
      thaw();
      held.open();
    },
  },
  {
    promise: 'a turn that has lost its message notes no trial, and what it noted before stays',
    waits: true,
    needs: 'shared',
    async run(context) {
      const [one, two] = [await context.engine(), await context.engine()];
      const held = gate();
      const first = await context.consume(one, async (delivery) => {
        await delivery.noteTrial({ crashes: 0, deaths: 0 });
        await held.opened;
        return release()();
      });
      const sent = context.envelope();
      await one.send([sent]);
      await eventually(() => first.deliveries.length === 1);
      const thaw = freeze(first);
      const second = await context.consume(two, async (delivery) => {
        if (second.deliveries.length === 2) return retry(0)(delivery);
        if (second.deliveries.length > 2) return doneWith({});
        const lost = first.deliveries[0]!.noteTrial({ crashes: 9, deaths: 9 });
        await expect(lost).rejects.toThrow(LockLostError);
        return release()();
      });
      await reaches(context, two, sent.id, 'done');
      const trials = second.deliveries.map(({ crashes, trial }) => [crashes > 0, trial]);
      expect(trials).toEqual([
        [true, { crashes: 0, deaths: 0 }],
        [true, { crashes: 0, deaths: 0 }],
        [true, { crashes: 0, deaths: 0 }],
      ]);
      thaw();
      held.open();
    },
  },
];

/**
 * Keeps a consumer from renewing its locks, as if its process were frozen, until what this answers is called. Another
 * consumer gets its messages when the locks have expired; then it renews, and hears that it has lost them.
 */
function freeze({ consumer }: Consumed): () => void {
  const { backend } = consumer as unknown as { backend: Pick<IQueueBackend, 'extendLocks'> };
  const thaws = gate();
  const renew = backend.extendLocks.bind(backend);
  backend.extendLocks = async (...args) => {
    await thaws.opened;
    return renew(...args);
  };
  return () => thaws.open();
}
