import type { Queue } from 'bullmq';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { DeadLetterPlace } from '../../libs/messaging/src/engine.js';
import type { Case } from './case.js';
import { dead, done, retry } from './context.js';
import { expectCounts, ids } from './expect.js';

/** Where retention looks now and then, on an embedded store of a busy machine. */
const SLOW = { timeout: 25_000 };

export const lookupCases: Case[] = [
  {
    promise: 'a message is found in each of its states, an unknown one is not',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const now = context.envelope();
      const later = context.named('later', 'same', { dueAt: Date.now() + 60_000 });
      await engine.send([now, later]);
      expect(await engine.find(now.id, [actor])).toEqual({
        storageId: now.id,
        envelope: now,
        state: 'waiting',
        history: [],
        redrives: 0,
      });
      expect(await engine.find('later', [actor])).toMatchObject({
        envelope: later,
        state: 'delayed',
      });
      let finish = (): void => undefined;
      const { deliveries } = await context.consume(engine, async () => {
        await new Promise<void>((resolve) => (finish = resolve));
        return done();
      });
      await eventually(() => deliveries.length === 1);
      expect((await engine.find(now.id, [actor]))?.state).toBe('active');
      finish();
      await eventually(async () => (await engine.find(now.id, [actor]))?.state === 'done');
      const handled = await engine.find(now.id, [actor]);
      expect(handled?.startedAt).toBeGreaterThanOrEqual(now.sentAt);
      expect(handled?.finishedAt).toBeGreaterThanOrEqual(handled?.startedAt ?? Infinity);
      expect(await engine.find('unknown', [actor])).toBeUndefined();
      expect(await engine.find(now.id, ['another'])).toBeUndefined();
    },
  },
  {
    promise:
      'a message has the nominal time that its sender gave it, and who is to be told of its end',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const notify = { type: `${actor}.ended`, key: 'k' } as const;
      const [past, plain] = [context.envelope({ occurrence: 60_000, notify }), context.envelope()];
      const { deliveries } = await context.consume(engine, (delivery) =>
        delivery.isFirst ? retry(1)(delivery) : done(),
      );
      await engine.send([past, plain]);
      await eventually(async () => (await engine.counts(actor)).done === 2);
      for (const { envelope, occurrence } of deliveries) {
        expect(occurrence).toBe(envelope.id === past.id ? 60_000 : undefined);
        expect(envelope.notify).toEqual(envelope.id === past.id ? notify : undefined);
      }
      expect((await engine.find(past.id, [actor]))?.envelope).toEqual(past);
      // How long it waited is counted from when it was sent.
      for (const { readyAt } of await engine.finished(actor, 2)) {
        expect(readyAt).toBeGreaterThanOrEqual(past.sentAt);
      }
    },
  },
  {
    promise: 'finished turns come newest first with the times that latency is made of',
    async run(context) {
      const engine = await context.engine();
      const { deliveries } = await context.consume(engine);
      const delayed = context.envelope({ dueAt: Date.now() + 100 });
      await engine.send([context.envelope(), context.envelope(), delayed]);
      await eventually(async () => (await engine.counts(context.actor)).done === 3);
      const turns = await engine.finished(context.actor, 2);
      expect(turns).toHaveLength(2);
      expect(turns[0]?.readyAt).toBe(delayed.dueAt);
      expect(turns[0]?.startedAt).toBe(deliveries[2]?.startedAt);
      for (const { readyAt, startedAt, finishedAt } of turns) {
        expect(startedAt).toBeGreaterThanOrEqual(readyAt);
        expect(finishedAt).toBeGreaterThanOrEqual(startedAt);
      }
    },
  },
  {
    promise: 'no more handled messages are kept than asked for, give or take a tenth',
    waits: true,
    async run(context) {
      const engine = await context.engine({ keepDone: { count: 5 } });
      const { deliveries } = await context.consume(engine);
      await engine.send(Array.from({ length: 12 }, () => context.envelope()));
      await eventually(() => deliveries.length === 12, SLOW);
      // Those at work end, and what is too much is dropped.
      await eventually(async () => {
        const { active, done } = await engine.counts(context.actor);
        return active === 0 && done === 5;
      }, SLOW);
    },
  },
  {
    promise: 'handled messages are not kept longer than asked for, few as they are',
    waits: true,
    async run(context) {
      const engine = await context.engine({ keepDone: { age: '1s', count: 1_000 } });
      const { deliveries } = await context.consume(engine);
      await engine.send([context.envelope()]);
      await eventually(async () => (await engine.counts(context.actor)).done === 1);
      // BullMQ on Redis looks when the next one is handled, the others by the clock.
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await engine.send([context.envelope()]);
      await eventually(() => deliveries.length === 2);
      await eventually(async () => (await engine.counts(context.actor)).done <= 1, {
        timeout: 15_000,
      });
    },
  },
  {
    promise: 'dead letters are listed newest first, page by page, over several actors',
    async run(context) {
      const engine = await context.engine();
      const other = `${context.actor}x`;
      await context.consume(engine, dead);
      const consumer = await engine.consume(other, { concurrency: 1 }, async (delivery) =>
        dead(delivery),
      );
      const sent = [];
      for (let n = 0; n < 5; n++) {
        const actor = n % 2 ? other : context.actor;
        const envelope = context.envelope({ actor, type: `${actor}.do` });
        await engine.send([envelope]);
        await eventually(async () => (await engine.find(envelope.id, [actor]))?.state === 'dead');
        await new Promise((resolve) => setTimeout(resolve, 5));
        sent.unshift(envelope.id);
      }
      const seen: string[] = [];
      for (let after: DeadLetterPlace | undefined; ;) {
        const page = await engine.deadLetters([context.actor, other], {
          limit: 2,
          ...(after && { after }),
        });
        expect(page.length).toBeLessThanOrEqual(2);
        seen.push(...ids(page));
        const last = page.at(-1);
        if (!last) break;
        after = { finishedAt: last.finishedAt ?? 0, storageId: last.storageId };
      }
      expect(seen).toEqual(sent);
      await consumer.stop(0);
    },
  },
  {
    promise: 'a job that a plain BullMQ producer adds is a message too',
    needs: 'bullmq',
    async run(context) {
      const engine = await context.engine();
      const { deliveries } = await context.consume(engine);
      const queue = engine.queue?.(context.actor) as Queue;
      await queue.add(`${context.actor}.do`, { from: 'elsewhere' }, { priority: 2 });
      await eventually(() => deliveries.length === 1);
      expect(deliveries[0]?.envelope).toMatchObject({
        type: `${context.actor}.do`,
        data: { from: 'elsewhere' },
        priority: 2,
        version: 1,
      });
    },
  },
  {
    promise: "a plain producer's job that died is found and redriven by its own id",
    needs: 'bullmq',
    async run(context) {
      const engine = await context.engine();
      let broken = true;
      await context.consume(engine, (delivery) => (broken ? dead(delivery) : done()));
      const queue = engine.queue?.(context.actor) as Queue;
      const job = await queue.add(`${context.actor}.do`, {});
      const id = job.id ?? '';
      await eventually(async () => (await engine.counts(context.actor)).dead === 1);
      broken = false;
      expect(await engine.find(id, [context.actor])).toMatchObject({ state: 'dead' });
      expect(await engine.redrive(id, [context.actor])).toBe(true);
      await eventually(async () => (await engine.counts(context.actor)).done === 1);
    },
  },
  {
    promise: 'retrying all dead letters ends, although they die again',
    needs: 'bullmq',
    async run(context) {
      const engine = await context.engine();
      const { deliveries } = await context.consume(engine, dead, { concurrency: 5 });
      await engine.send(Array.from({ length: 150 }, () => context.envelope()));
      await eventually(async () => (await engine.counts(context.actor)).dead === 150);
      const letters = engine.queue?.(`${context.actor}.dead`) as Queue;
      await letters.retryJobs({ state: 'failed' });
      await eventually(() => deliveries.length === 300);
      await eventually(async () => (await engine.counts(context.actor)).dead === 150);
      expect(deliveries).toHaveLength(300);
    },
  },
  {
    promise: 'the longest wait of a message that could be handled is known, whatever its priority',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      expect(await engine.oldest(actor)).toBeUndefined();
      const now = Date.now();
      const sent = [
        context.envelope({ sentAt: now - 2_000, priority: 10 }),
        context.envelope({ sentAt: now - 5_000, priority: 1_000 }),
        context.envelope({ sentAt: now - 4_000, priority: 1_000 }),
        context.envelope({ sentAt: now - 9_000, priority: 100, dueAt: now + 60_000 }),
      ];
      for (const each of sent) await engine.send([each]);
      expect(await engine.oldest(actor)).toBe(now - 5_000);
      await engine.cancel(sent[1]?.id ?? '', [actor]);
      expect(await engine.oldest(actor)).toBe(now - 4_000);
      await context.consume(engine);
      await eventually(async () => (await engine.counts(actor)).waiting === 0);
      expect(await engine.oldest(actor)).toBeUndefined();
    },
  },
  {
    promise: "the dashboard's retry button redrives a dead letter, one or all",
    needs: 'bullmq',
    async run(context) {
      const engine = await context.engine();
      let broken = true;
      await context.consume(engine, (delivery) => (broken ? dead(delivery) : done()));
      await engine.send([context.envelope(), context.envelope(), context.envelope()]);
      await eventually(async () => (await engine.counts(context.actor)).dead === 3);
      broken = false;
      const letters = engine.queue?.(`${context.actor}.dead`) as Queue;
      const [job] = await letters.getFailed();
      expect(job?.failedReason).toBe('failure 1');
      await job?.retry();
      await eventually(async () => (await engine.counts(context.actor)).done === 1);
      await letters.retryJobs();
      await eventually(async () => (await engine.counts(context.actor)).done === 3);
      await expectCounts(context, engine, { done: 3 });
      expect(await letters.getJobCounts()).toMatchObject({ waiting: 0, failed: 0, prioritized: 0 });
    },
  },
];
