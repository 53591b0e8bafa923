import { Actor, DeadLetters, Handle, Keys, Message } from '@callsheet/messaging';
import { messages, Pipeline, Pipelines, SyncModule, type Page, type Pull } from '@callsheet/sync';
import type { Type } from '@nestjs/common';
import { expect } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { uniqueActor, type ModelCase, type Stage } from './stage.js';

const SOON = { timeout: 20_000 };
const imports = { imports: [SyncModule] };

/** A pipeline of numbers to an actor. What `world` says can be changed by the case. */
function numbers(count: number) {
  const name = uniqueActor();
  const taker = uniqueActor();
  const world = {
    rows: Array.from({ length: count }, (_, n): unknown => ({ n })),
    cursors: [] as unknown[],
    taken: [] as number[],
    atWork: 0,
    most: 0,
    beforePush: async (_page: Page, _by: object): Promise<void> => undefined,
  };
  const row = z.object({ n: z.number() });
  class Take extends Message(`${taker}.take`, row) {}
  @Actor({ concurrency: 1 })
  class Taker {
    @Handle(Take) take({ n }: Take): void {
      world.taken.push(n);
    }
  }
  @Pipeline({ name, page: 3, schema: row, retry: { attempts: 3, delay: 20, jitter: 0 } })
  class Numbers {
    pull(cursor: number | null, { limit, until }: Pull) {
      world.cursors.push(cursor);
      world.most = Math.max(world.most, ++world.atWork);
      const end = Number(until ?? world.rows.length);
      const from = cursor ?? 0;
      const rows = world.rows.slice(from, Math.min(end, from + limit));
      return { rows, cursor: from + rows.length, more: from + rows.length < end };
    }
    async push(rows: z.infer<typeof row>[], page: Page): Promise<void> {
      try {
        for (const { n } of rows) await page.tell(new Take({ n }));
        await world.beforePush(page, this);
      } finally {
        world.atWork--;
      }
    }
  }
  return { name, world, Numbers, Taker, Take };
}

async function started(
  { Numbers, Taker, name }: { name: string; Numbers: Type; Taker: Type },
  stage: Stage,
) {
  const app = await stage.app([Numbers, Taker], { shutdownGrace: '200ms' }, imports);
  const pipelines = app.get(Pipelines);
  await eventually(async () => (await pipelines.get(name)) !== undefined, SOON);
  const reaches = (expected: object) =>
    eventually(async () => expect(await pipelines.get(name)).toMatchObject(expected), SOON);
  return { app, pipelines, reaches };
}

export const syncCases: ModelCase[] = [
  {
    behaviour: 'a pipeline reads page by page, and what a page sends is committed with its cursor',
    async run(stage) {
      const pipeline = numbers(7);
      const { name, world } = pipeline;
      const { app, pipelines, reaches } = await started(pipeline, stage);
      let stored: unknown;
      world.beforePush = async (page) => {
        // What was committed when the second page is at work.
        if (page.outcome.cursor === 6) stored = await pipelines.get(name);
      };
      expect(await pipelines.run(name)).toMatchObject({ outcome: 'started' });
      await reaches({ state: 'idle', rows: 7, bad: 0, pages: 3, cursor: 7 });
      expect(stored).toMatchObject({ state: 'running', cursor: 3, rows: 3, pages: 1 });
      await eventually(() => world.taken.length === 7);
      expect(world.taken).toEqual([0, 1, 2, 3, 4, 5, 6]);
      const found = await pipelines.list({ limit: 1_000 });
      expect(found.map((each) => each.name)).toContain(name);
      expect(await app.get(Keys).journal(name, name)).toMatchObject([{ row: { rows: 7 } }]);
    },
  },
  {
    behaviour: 'a page that fails leaves nothing, is tried again, and given up at its end',
    async run(stage) {
      const pipeline = numbers(5);
      const { name, world } = pipeline;
      const { app, pipelines, reaches } = await started(pipeline, stage);
      world.beforePush = async ({ attempt, outcome }) => {
        if (attempt === 1 && outcome.cursor === 3) throw new Error('once');
        if (outcome.cursor === 5) throw new Error('for ever');
      };
      await pipelines.run(name);
      await reaches({ state: 'failed', cursor: 3, errors: 1, failure: { attempts: 3 } });
      expect(world.cursors).toEqual([null, null, 3, 3, 3]);
      expect(world.taken).toEqual([0, 1, 2]);
      world.beforePush = async () => undefined;
      const letters = await app.get(DeadLetters).list({ actor: name });
      expect(letters).toMatchObject([{ reason: 'exhausted' }]);
      await pipelines.run(name);
      await reaches({ state: 'idle', cursor: 5, errors: 4, last: { outcome: 'done' } });
      await eventually(() => world.taken.length === 5);
      expect(world.taken).toEqual([0, 1, 2, 3, 4]);
    },
  },
  {
    behaviour: 'bad rows become dead letters and do not stop their page; mended they are pushed',
    async run(stage) {
      const pipeline = numbers(4);
      const { name, world } = pipeline;
      world.rows[1] = { n: 'one' };
      const { app, pipelines, reaches } = await started(pipeline, stage);
      await pipelines.run(name);
      await reaches({ state: 'idle', cursor: 4, rows: 3, bad: 1 });
      const letters = app.get(DeadLetters);
      await eventually(async () => (await letters.list({ actor: name })).length === 1, SOON);
      const [letter] = await letters.list({ actor: name });
      const { id, data } = letter!.envelope;
      expect(data).toMatchObject({ row: { n: 'one' } });
      await letters.redrive(id, { ...data, row: { n: 1 } });
      await reaches({ rows: 4 });
      await eventually(() => world.taken.length === 4);
      expect(world.taken).toEqual([0, 2, 3, 1]);
    },
  },
  {
    behaviour:
      'a row whose message was sent with another body is a dead letter, and its page goes on',
    async run(stage) {
      const { name, world, Taker, Take } = numbers(0);
      const rows = [{ id: 'a', n: 1 }];
      @Pipeline({ name, page: 10, retry: { attempts: 3, delay: 20, jitter: 0 } })
      class Sends {
        readonly to = messages<{ id: string; n: number }>({
          message: ({ n }) => new Take({ n }),
          send: ({ id }) => ({ id: `${name}-${id}` }),
        });
        pull(cursor: number | null) {
          const from = cursor ?? 0;
          return { rows: rows.slice(from), cursor: rows.length, more: false };
        }
      }
      const pipeline = { name, world, Taker, Take, Numbers: Sends };
      const { app, pipelines, reaches } = await started(pipeline, stage);
      await pipelines.run(name);
      await reaches({ state: 'idle', rows: 1 });
      rows.push({ id: 'a', n: 2 }, { id: 'b', n: 3 }, { id: 'a', n: 1 });
      await pipelines.run(name);
      await reaches({ state: 'idle', rows: 3, bad: 1, errors: 1, cursor: 4 });
      const letters = app.get(DeadLetters);
      await eventually(async () => (await letters.list({ actor: name })).length === 1, SOON);
      const [letter] = await letters.list({ actor: name });
      expect(letter?.envelope.data).toMatchObject({ row: { id: 'a', n: 2 } });
      await eventually(() => world.taken.length === 2);
      expect(world.taken).toEqual([1, 3]);
    },
  },
  {
    behaviour: 'a pipeline is paused in the middle of a run, resumed, reset and backfilled',
    async run(stage) {
      const pipeline = numbers(7);
      const { name, world } = pipeline;
      const { app, pipelines, reaches } = await started(pipeline, stage);
      let open = (): void => undefined;
      const gate = new Promise<void>((resolve) => (open = resolve));
      world.beforePush = () => gate;
      await pipelines.run(name);
      await eventually(() => world.atWork === 1);
      const pausing = pipelines.pause(name, 'enough');
      const depth = async () => (await app.get(Keys).list(name))[0]?.depth;
      await eventually(async () => (await depth()) === 2);
      open();
      expect(await pausing).toBe(true);
      await reaches({ state: 'paused', pages: 1, cursor: 3 });
      await expect(pipelines.run(name)).rejects.toThrow('is paused');
      expect(await pipelines.resume(name)).toBe(true);
      await reaches({ state: 'idle', cursor: 7, rows: 7, last: { outcome: 'done', rows: 7 } });
      await pipelines.backfill(name, { from: 2, until: 4 });
      await reaches({ cursor: 7, rows: 9, last: { reason: 'backfill' } });
      expect(await pipelines.reset(name, 6)).toBe(true);
      await pipelines.run(name);
      await reaches({ state: 'idle', cursor: 7, rows: 10 });
      await eventually(() => world.taken.length === 10);
      expect(world.taken).toEqual([0, 1, 2, 3, 4, 5, 6, 2, 3, 6]);
    },
  },
  {
    behaviour: 'a page is read by one process at a time, and repeated when that process is no more',
    shared: true,
    async run(stage) {
      const pipeline = numbers(30);
      const { name, world } = pipeline;
      const both = [await started(pipeline, stage), await started(pipeline, stage)];
      let holder: object | undefined;
      world.beforePush = async ({ signal }, by) => {
        if (holder || world.cursors.length < 3) return;
        holder = by;
        // Stays at work until its process stops.
        await new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
      };
      await both[0]!.pipelines.run(name);
      await eventually(() => holder !== undefined);
      const isHolder = ({ app }: (typeof both)[0]) => app.get(pipeline.Numbers) === holder;
      await both.find(isHolder)!.app.close();
      const other = both.find((each) => !isHolder(each))!;
      await other.reaches({ state: 'idle', rows: 30, pages: 10, errors: 0 });
      expect(world.most).toBe(1);
      await eventually(() => world.taken.length === 30);
      // Two processes take them.
      expect(world.taken.toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 30 }, (_, n) => n),
      );
    },
  },
];
