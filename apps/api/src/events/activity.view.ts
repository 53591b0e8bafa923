import { z } from 'zod';
import { schemas } from '../schema.registry.js';
import type { ActivitySeries, Figures } from './activity.series.js';

/** The query of the series. */
export const activityQuery = z.strictObject({
  actor: z.string().optional(),
  minutes: z
    .string()
    .regex(/^([1-9]|[1-5]\d|60)$/, 'must be a whole number from 1 to 60')
    .transform(Number)
    .optional(),
});
export type ActivityQuery = z.output<typeof activityQuery>;

const latencies = z.array(z.int().nullable());
const figures = z.object({
  throughput: z.array(z.number()).describe('T = N / t: messages handled per second'),
  failed: z.array(z.int()).describe('attempts that failed, the last ones of dead letters included'),
  dead: z.array(z.int()).describe('messages given up'),
  sent: z.array(z.int()).describe('messages sent'),
  p50: latencies.describe('L = t - t0 in milliseconds, within 5 %; null: nothing was handled'),
  p95: latencies,
  p99: latencies,
});

/** What was done over time: in each list one value for each step. */
export const activityView = z
  .object({
    since: z.iso
      .datetime()
      .describe('when this process began to look: what was before is not here'),
    from: z.iso.datetime().describe('when the first step begins'),
    step: z.number().describe('seconds'),
    steps: z.int().describe('how many there are, all of them over'),
    total: figures.describe('of all actors'),
    actors: z
      .array(figures.extend({ actor: z.string() }))
      .describe('those with whom something happened, by name; at most 100 of a step'),
  })
  .register(schemas, { id: 'Activity' });
export type ActivityView = z.infer<typeof activityView>;

/** @param step seconds */
export function toActivityView(
  series: ActivitySeries,
  step: number,
  { minutes = 15, actor }: ActivityQuery,
): ActivityView {
  const { from, total, actors } = series.read(minutes, actor);
  return {
    since: new Date(series.since).toISOString(),
    from: new Date(from).toISOString(),
    step,
    steps: total.length,
    total: columnsOf(total, step),
    actors: [...actors].map(([name, steps]) => ({ actor: name, ...columnsOf(steps, step) })),
  };
}

function columnsOf(steps: readonly (Figures | undefined)[], seconds: number) {
  const counts = (name: 'failed' | 'dead' | 'sent') => steps.map((each) => each?.[name] ?? 0);
  const latency = (name: 'p50' | 'p95' | 'p99') =>
    steps.map((each) => each?.latency?.[name] ?? null);
  return {
    throughput: steps.map((each) => Math.round(((each?.done ?? 0) / seconds) * 100) / 100),
    ...{ failed: counts('failed'), dead: counts('dead'), sent: counts('sent') },
    ...{ p50: latency('p50'), p95: latency('p95'), p99: latency('p99') },
  };
}
