import { expect } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { done } from './context.js';

export const scheduleCases: Case[] = [
  {
    promise: 'each occurrence of a schedule is one message with its nominal time',
    async run(context) {
      const engine = await context.engine();
      const id = `${context.actor}.tick` as const;
      const spec = { id, actor: context.actor, cron: '* * * * * *', tz: 'UTC', priority: 100 };
      const { deliveries } = await context.consume(engine, done, { concurrency: 3 });
      await engine.putSchedule(spec);
      await engine.putSchedule(spec);
      await eventually(() => deliveries.length >= 3, { timeout: 15_000 });
      const nominal = deliveries.slice(0, 3).map(({ occurrence = 0 }) => occurrence);
      expect(nominal.map((time) => time % 1_000)).toEqual([0, 0, 0]);
      expect(nominal).toEqual([0, 1, 2].map((n) => (nominal[0] ?? 0) + n * 1_000));
      expect(deliveries[0]?.envelope.type).toBe(id);
      for (const { startedAt, occurrence = 0 } of deliveries)
        expect(startedAt).toBeGreaterThanOrEqual(occurrence);
    },
  },
  {
    promise: 'two engines that declare one schedule do not double its occurrences',
    needs: 'shared',
    async run(context) {
      const [one, two] = [await context.engine(), await context.engine()];
      const spec = {
        id: `${context.actor}.tick` as const,
        actor: context.actor,
        cron: '* * * * * *',
        tz: 'UTC',
        priority: 100,
      };
      await Promise.all([one.putSchedule(spec), two.putSchedule(spec)]);
      const yearly = Array.from({ length: 10 }, (_, n) => ({
        ...spec,
        id: `${context.actor}.yearly${n}` as const,
        cron: '0 0 1 1 *',
      }));
      for (const each of yearly) await Promise.all([one.putSchedule(each), two.putSchedule(each)]);
      const first = await context.consume(one, done, { concurrency: 2 });
      const second = await context.consume(two, done, { concurrency: 2 });
      const all = (): number[] =>
        [...first.deliveries, ...second.deliveries].map(({ occurrence = 0 }) => occurrence);
      await eventually(() => all().length >= 3, { timeout: 15_000 });
      expect(new Set(all()).size).toBe(all().length);
      expect(await one.schedules([context.actor])).toHaveLength(1 + yearly.length);
    },
  },
  {
    promise: 'a schedule goes on when an occurrence of it is cancelled',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const id = `${actor}.tick` as const;
      await engine.putSchedule({ id, actor, cron: '* * * * * *', tz: 'UTC', priority: 100 });
      const [{ next } = { next: 0 }] = await engine.schedules([actor]);
      // A store that makes occurrences only when they are due does not know this one yet.
      const cancellation = await engine.cancel(`repeat:${id}:${next}`, [actor]);
      expect(['cancelled', 'unknown']).toContain(cancellation);
      const { deliveries } = await context.consume(engine);
      await eventually(() => deliveries.length >= 2, { timeout: 15_000 });
      const told = deliveries.map(({ occurrence, isCancelled }) => isCancelled && occurrence);
      expect(told.filter(Boolean)).toEqual(cancellation === 'cancelled' ? [next] : []);
      const [last] = await engine.schedules([actor]);
      expect(last?.next).toBeGreaterThan(next ?? Infinity);
    },
  },
  {
    promise: 'schedules are listed with their next time, and change when declared otherwise',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const spec = {
        id: `${actor}.report` as const,
        actor,
        cron: '0 7 * * 1-5',
        tz: 'Europe/Madrid',
        priority: 100,
      };
      await engine.putSchedule(spec);
      const [before] = await engine.schedules([actor]);
      expect(before).toMatchObject(spec);
      expect(before?.next).toBeGreaterThan(Date.now());
      await engine.putSchedule({ ...spec, cron: '30 8 * * *' });
      const after = await engine.schedules([actor]);
      expect(after).toHaveLength(1);
      expect(after[0]).toMatchObject({ cron: '30 8 * * *' });
      expect(await engine.schedules(['another'])).toEqual([]);
    },
  },
];
