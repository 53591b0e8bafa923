import { Actor, DeadLetters, Handle, Message } from '@callsheet/messaging';
import { explore, TestCallsheet } from '@callsheet/messaging/testing';
import { setImmediate as nextTick } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startPipeline } from '../../../test/support/pipeline.stage.js';
import {
  Pipeline,
  PipelinePausedError,
  Pipelines,
  SyncModule,
  type Page,
  type Pull,
} from './index.js';
import { messagesOf } from './pipeline.messages.js';

const row = z.object({ n: z.number().int() });
type Row = z.infer<typeof row>;

class Take extends Message('taker.take', row) {}

@Actor()
class Taker {
  @Handle(Take) take(): void {}
}

/** A source of numbers: what is told of it changes in the tests. */
class Source {
  rows: unknown[] = [];
  fails = 0;
  failsAt: number | undefined;
  readonly pulls: { cursor: unknown; until: unknown }[] = [];
  readonly pushed: number[] = [];

  static of(count: number): Source {
    const source = new Source();
    source.rows = Array.from({ length: count }, (_, n) => ({ n }));
    return source;
  }
}

@Pipeline({ name: 'numbers', every: '1h', page: 3, schema: row, retry: { attempts: 3, jitter: 0 } })
class Numbers {
  constructor(private readonly source: Source) {}

  pull(cursor: number | null, { limit, until }: Pull) {
    this.source.pulls.push({ cursor, until });
    if (this.source.fails-- > 0) throw new Error('the source is away');
    const from = cursor ?? 0;
    if (from === this.source.failsAt) throw new Error('the source ends here');
    const end = Math.min((until as number | undefined) ?? Infinity, from + limit);
    const rows = this.source.rows.slice(from, end);
    const next = from + rows.length;
    return { rows, cursor: next, more: next < ((until as number) ?? this.source.rows.length) };
  }

  async push(rows: Row[], page: Page) {
    for (const { n } of rows) {
      if (n === 13) page.reject({ n }, 'is unlucky');
      else if (n === 14) page.reject({ n: '\0' }, `\0${'x'.repeat(998)}\u{1F600}`);
      else {
        this.source.pushed.push(n);
        await page.tell(new Take({ n }), { id: `take-${page.id}-${n}` });
      }
    }
  }
}

describe('a pipeline', () => {
  let t: TestCallsheet;
  const begin = async (source: Source) => {
    const providers = [Numbers, Taker, { provide: Source, useValue: source }];
    t = await TestCallsheet.create({ imports: [SyncModule], providers });
    await t.drain();
    return t.get(Pipelines);
  };
  const seen = async () => (await t.get(Pipelines).get('numbers'))!;
  afterEach(() => t.close());

  it('reads page by page until there is no more, each a turn', async () => {
    const source = Source.of(7);
    const pipelines = await begin(source);
    expect(await seen()).toMatchObject({ state: 'idle', cursor: null, every: '1h', rows: 0 });
    expect(await pipelines.run('numbers')).toMatchObject({ outcome: 'started' });
    await t.drain();
    expect(source.pulls.map(({ cursor }) => cursor)).toEqual([null, 3, 6]);
    expect(t.sent(Take).map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(await seen()).toMatchObject({
      ...{ state: 'idle', cursor: 7, rows: 7, bad: 0, pages: 3, errors: 0, lag: 0 },
      last: { reason: 'manual', outcome: 'done', rows: 7, pages: 3 },
    });
    expect((await seen()).rate).toBeGreaterThan(0);
    await t.advance('10m');
    expect((await seen()).lag).toBe(600_000);
    expect(await pipelines.list()).toMatchObject([{ name: 'numbers' }]);
  });

  it('runs on its schedule, and begins where it ended', async () => {
    const source = Source.of(2);
    await begin(source);
    await t.advance('1h');
    expect(await seen()).toMatchObject({ cursor: 2, last: { reason: 'scheduled' } });
    source.rows.push({ n: 2 }, { n: 3 });
    await t.advance('1h');
    expect(source.pushed).toEqual([0, 1, 2, 3]);
    await t.advance('1h');
    // The runs that found nothing are not worth a line.
    expect(await t.get(Pipelines).history('numbers')).toHaveLength(2);
  });

  it('makes dead letters of bad rows, and pushes those that are redriven mended', async () => {
    const source = Source.of(4);
    source.rows[1] = { n: 'one' };
    source.rows[2] = { n: 13 };
    const pipelines = await begin(source);
    await pipelines.run('numbers');
    await t.drain();
    expect(source.pushed).toEqual([0, 3]);
    expect(await seen()).toMatchObject({ rows: 2, bad: 2, cursor: 4, state: 'idle' });
    const letters = t.dead.map(({ envelope, history }) => [
      envelope.type,
      (envelope.data as { row: unknown }).row,
      history[0]?.error.code,
      history[0]?.error.message,
    ]);
    expect(letters).toEqual([
      ['numbers.row', { n: 'one' }, 'bad_row', expect.stringMatching(/^n: /)],
      ['numbers.row', { n: 13 }, 'bad_row', 'is unlucky'],
    ]);
    const { id, data } = t.dead[0]!.envelope;
    await t.get(DeadLetters).redrive(id, { ...data, row: { n: 1 } });
    await t.drain();
    expect(source.pushed).toEqual([0, 3, 1]);
    expect(await t.redrive()).toBe(1);
    await t.drain();
    // Still unlucky.
    expect(t.dead).toMatchObject([{ envelope: { data: { row: { n: 13 } } } }]);
    expect(await seen()).toMatchObject({ rows: 3 });
  });

  it('keeps bad rows whose text, or what is said of them, no store would keep', async () => {
    const source = Source.of(1);
    source.rows.push({ n: 14 }, { n: 'a\0b' }, { n: 1 });
    const pipelines = await begin(source);
    await pipelines.run('numbers');
    await t.drain();
    expect(await seen()).toMatchObject({ state: 'idle', rows: 2, bad: 2, errors: 0 });
    expect(t.dead.map(({ envelope }) => envelope.data)).toMatchObject([
      { row: '{"n":"a\\u0000b"}' },
      { row: '{"n":"\\u0000"}', error: `${'x'.repeat(998)}\uFFFD` },
    ]);
  });

  it('tries a page again, and the run has failed when it was given up; the next begins there', async () => {
    const source = Source.of(5);
    const pipelines = await begin(source);
    source.fails = 1;
    await pipelines.run('numbers');
    await t.drain();
    expect(await seen()).toMatchObject({
      ...{ state: 'retrying', cursor: null, errors: 0 },
      failure: { attempts: 1, message: 'the source is away' },
    });
    const troubled = async () =>
      (await pipelines.list({ troubled: true })).map(({ state }) => state);
    expect(await troubled()).toEqual(['retrying']);
    await t.advance('1m');
    expect(await seen()).toMatchObject({ state: 'idle', cursor: 5, errors: 1, rows: 5 });
    expect(await troubled()).toEqual([]);

    source.rows.push({ n: 5 });
    source.fails = 3;
    await pipelines.run('numbers');
    await t.advance('1m');
    expect(await seen()).toMatchObject({ state: 'failed', cursor: 5, failure: { attempts: 3 } });
    expect(await troubled()).toEqual(['failed']);
    expect(t.dead).toMatchObject([{ envelope: { type: 'numbers.page' }, reason: 'exhausted' }]);

    expect(await pipelines.run('numbers')).toMatchObject({ outcome: 'started' });
    await t.drain();
    expect(source.pushed).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await seen()).toMatchObject({ state: 'idle', cursor: 6, errors: 4 });
    expect(await pipelines.history('numbers')).toMatchObject([
      { outcome: 'done', rows: 1 },
      { outcome: 'failed', error: { message: 'the source is away' }, errors: 3 },
      { outcome: 'done', rows: 5, errors: 1 },
    ]);
    // Its run is over: redriven now, the old page does nothing.
    await t.redrive();
    await t.drain();
    expect(source.pushed).toHaveLength(6);
  });

  it('goes on with its run when the page that was given up is redriven', async () => {
    const source = Source.of(5);
    const pipelines = await begin(source);
    source.fails = 3;
    await pipelines.run('numbers');
    await t.advance('1m');
    expect(await t.redrive()).toBe(1);
    await t.drain();
    expect(source.pushed).toEqual([0, 1, 2, 3, 4]);
    expect(await seen()).toMatchObject({ state: 'idle', last: { outcome: 'done' } });
  });

  it('pauses also while a page waits for another attempt, and goes on there', async () => {
    const source = Source.of(5);
    const pipelines = await begin(source);
    source.fails = 1;
    await pipelines.run('numbers');
    await t.drain();
    expect(await pipelines.pause('numbers', 'the source moves')).toBe(true);
    await t.advance('10m');
    expect(source.pushed).toEqual([]);
    expect(await seen()).toMatchObject({ state: 'paused', pause: { reason: 'the source moves' } });
    await expect(pipelines.run('numbers')).rejects.toThrow(PipelinePausedError);
    expect(await pipelines.resume('numbers')).toBe(true);
    await t.drain();
    expect(source.pushed).toEqual([0, 1, 2, 3, 4]);
    expect(await pipelines.resume('numbers')).toBe(false);
    const notes = (await pipelines.history('numbers')).map((each) =>
      each.kind === 'note' ? each.what : each.outcome,
    );
    expect(notes).toEqual(['done', 'resumed', 'paused']);
  });

  it('resets: what is in work is over, and it begins at another cursor', async () => {
    const source = Source.of(5);
    const pipelines = await begin(source);
    source.fails = 1;
    await pipelines.run('numbers');
    await t.drain();
    expect(await pipelines.reset('numbers', 4)).toBe(true);
    await t.advance('1m');
    expect(source.pushed).toEqual([]);
    expect(await seen()).toMatchObject({ state: 'idle', cursor: 4, last: { outcome: 'stopped' } });
    await pipelines.run('numbers');
    await t.drain();
    expect(source.pushed).toEqual([4]);
    await pipelines.reset('numbers');
    expect(await seen()).toMatchObject({ cursor: null });
  });

  it('backfills beside its cursor, when the run in work has ended', async () => {
    const source = Source.of(6);
    const pipelines = await begin(source);
    source.fails = 1;
    await pipelines.run('numbers');
    await t.drain();
    const other = pipelines.run('numbers');
    await t.advance('1m');
    expect(await other).toMatchObject({ outcome: 'running' });
    const asked = { id: 'again' };
    const first = await pipelines.backfill('numbers', { from: 1, until: 3 }, asked);
    expect(first).toMatchObject({ outcome: 'started' });
    expect(await pipelines.backfill('numbers', { from: 1, until: 3 }, asked)).toEqual(first);
    await t.drain();
    expect(source.pushed).toEqual([0, 1, 2, 3, 4, 5, 1, 2]);
    expect(await seen()).toMatchObject({ cursor: 6, last: { reason: 'backfill', rows: 2 } });
  });

  it('begins what waits when the run in work has failed, though nobody asks again', async () => {
    const source = Source.of(6);
    const pipelines = await begin(source);
    // The first page is there, the second is given up.
    source.failsAt = 3;
    const { StartRun } = messagesOf('numbers');
    const order = { key: 'numbers', reason: 'backfill' as const };
    const asked = [0, 4].map((from) => t.actors.ask(new StartRun({ ...order, from })));
    await t.advance('10m');
    expect((await Promise.all(asked)).map(({ outcome }) => outcome)).toEqual(['started', 'queued']);
    expect(source.pushed).toEqual([0, 1, 2, 4, 5]);
    expect(await pipelines.history('numbers')).toMatchObject([
      { outcome: 'done', rows: 2 },
      { outcome: 'failed', rows: 3, error: { message: 'the source ends here' } },
    ]);
  });

  it('lets ten runs wait, and says so', async () => {
    const pipelines = await begin(Source.of(1));
    const { StartRun } = messagesOf('numbers');
    const order = { key: 'numbers', reason: 'backfill' as const };
    const asked = Array.from({ length: 12 }, () => t.actors.ask(new StartRun(order)));
    const outcomes = (await Promise.all(asked)).map(({ outcome }) => outcome);
    expect(outcomes.filter((each) => each === 'queued')).toHaveLength(10);
    expect(outcomes.at(-1)).toBe('full');
    expect(await pipelines.run('nobody')).toBeUndefined();
  });

  it('is taken off the list when nobody has it any more', async () => {
    const pipelines = await begin(Source.of(1));
    expect(await pipelines.remove('numbers')).toBe(true);
    expect(await pipelines.list()).toEqual([]);
    expect(await pipelines.remove('numbers')).toBe(false);
  });
});

it('does not push what a page that took too long has read in the end', async () => {
  const pushed: unknown[] = [];
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  @Pipeline({ name: 'slow', timeout: '20ms', retry: { attempts: 2, delay: 1, jitter: 0 } })
  class Slow {
    async pull(_: unknown, { attempt }: Pull) {
      // Does not heed its signal.
      if (attempt === 1) await gate;
      return { rows: [attempt], cursor: null, more: false };
    }
    push(rows: unknown[]): void {
      pushed.push(...rows);
    }
  }
  const stage = await startPipeline('slow', [Slow]);
  expect(await stage.sync()).toMatchObject({ state: 'idle', rows: 1, errors: 1 });
  open();
  await nextTick();
  expect(pushed).toEqual([2]);
  await stage.close();
});

it('commits a page with its cursor or not at all, wherever the process dies', async () => {
  const source = Source.of(8);
  source.rows[5] = { n: 'five' };
  const providers = [Numbers, Taker, { provide: Source, useValue: source }];
  await explore(
    { seeds: 25, crash: 'around-commit', imports: [SyncModule], providers },
    async (t) => {
      await t.drain();
      await t.get(Pipelines).run('numbers');
      await t.advance('30m');
      expect(t.sent(Take).map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 6, 7]);
      expect(t.dead).toHaveLength(1);
      expect(await t.get(Pipelines).get('numbers')).toMatchObject({ rows: 7, bad: 1, cursor: 8 });
    },
  );
});
