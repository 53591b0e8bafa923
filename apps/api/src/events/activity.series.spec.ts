import type { ActorActivity, Clock } from '@callsheet/messaging';
import { expect, it } from 'vitest';
import { ActivitySeries } from './activity.series.js';
import { EventSettings } from './event.settings.js';

const START = 1_000_000_000_000;

/** A series whose time a test makes. */
function staged() {
  const world = { now: START };
  const clock = { now: () => world.now } as Clock;
  const series = new ActivitySeries(new EventSettings(), clock);
  const add = (actor: string, counts: Partial<ActorActivity> = {}) =>
    series.add({ actor, done: 1, failed: 0, dead: 0, sent: 0, latencies: [[30, 1]], ...counts });
  const done = (minutes: number, actor?: string) => {
    const { total, actors } = series.read(minutes, actor);
    const counts = (steps: typeof total) => steps.map((step) => step?.done ?? 0);
    return {
      total: counts(total),
      ...Object.fromEntries([...actors].map(([name, steps]) => [name, counts(steps)])),
    };
  };
  return { world, series, add, done };
}

it('has the steps that are over since it began, with a total', () => {
  const { world, series, add, done } = staged();
  add('mail');
  add('mail', { failed: 2 });
  add('bank');
  expect(done(1)).toEqual({ total: [] });
  world.now += 10_000;
  expect(series.read(1)).toMatchObject({ from: START, total: [{ done: 3, failed: 2 }] });
  world.now += 20_000;
  add('bank');
  world.now += 10_000;
  expect(done(1)).toEqual({ total: [3, 0, 0, 1], mail: [2, 0, 0, 0], bank: [1, 0, 0, 1] });
  expect(done(1, 'mail')).toEqual({ total: [3, 0, 0, 1], mail: [2, 0, 0, 0] });
  world.now += 50_000;
  expect(done(1)).toEqual({ total: [1, 0, 0, 0, 0, 0], bank: [1, 0, 0, 0, 0, 0] });
});

it('forgets what is older than an hour, and keeps a hundred actors of a step', () => {
  const { world, series, add, done } = staged();
  for (let n = 0; n < 150; n++) add(`actor-${n}`);
  world.now += 10_000;
  expect(Object.keys(done(60))).toHaveLength(101);
  expect(done(60).total).toEqual([150]);
  world.now += 2 * 3_600_000;
  const { total, actors } = series.read(60);
  expect([total.length, actors.size]).toEqual([360, 0]);
  const { kept } = series as unknown as { kept: Map<number, unknown> };
  expect(kept.size).toBe(0);
});

it('goes on when its clock is set back, and never has less than nothing', () => {
  const { world, series, add, done } = staged();
  world.now += 100_000;
  add('mail', { done: -2 });
  world.now -= 60_000;
  add('mail', { done: 1 });
  world.now += 70_000;
  expect(done(1).total.at(-1)).toBe(0);
  expect(series.read(1).total).toHaveLength(6);
});
