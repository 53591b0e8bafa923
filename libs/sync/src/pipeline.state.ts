import { z } from 'zod';

// Times are epoch milliseconds.

/** Why a run began: its schedule, somebody who asked, a source that has something new, or a part that is to be read again. */
export const RUN_REASONS = ['scheduled', 'manual', 'notified', 'backfill'] as const;
export type RunReason = (typeof RUN_REASONS)[number];

/** A run that is to be: pages until the source has no more. */
const wantedRun = z.object({
  id: z.string(),
  reason: z.enum(RUN_REASONS),
  /** Of a backfill, where it begins. It has a cursor of its own. */
  from: z.json().optional(),
  /** Of a backfill, where it ends, as its source understands. */
  until: z.json().optional(),
});
export type WantedRun = z.infer<typeof wantedRun>;

const counts = {
  rows: z.number().default(0),
  bad: z.number().default(0),
  pages: z.number().default(0),
  /** Failed attempts at pages. */
  errors: z.number().default(0),
};

const run = wantedRun.extend({
  ...counts,
  startedAt: z.number(),
  /** Id of the message that is its next page. Another one, an old page that was redriven say, does nothing. */
  page: z.string(),
});
export type Run = z.infer<typeof run>;

/** How runs end: at the end of the source, for good, or because the pipeline was reset or its page cancelled. */
const RUN_OUTCOMES = ['done', 'failed', 'stopped'] as const;

const endedRun = run.omit({ page: true }).extend({
  outcome: z.enum(RUN_OUTCOMES),
  finishedAt: z.number(),
  error: z.object({ name: z.string(), message: z.string() }).optional(),
});
export type EndedRun = z.infer<typeof endedRun>;

/** The state of a pipeline. */
export const pipelineState = z.object({
  /** Where the next page begins: what was committed last. */
  cursor: z.json().default(null),
  /** Up to when its source has been read completely. */
  syncedTo: z.number().optional(),
  run: run.optional(),
  /** Runs that begin when that one has ended. */
  waiting: z.array(wantedRun).default([]),
  pause: z.object({ at: z.number(), reason: z.string() }).optional(),
  /** Since the pipeline exists. */
  totals: z.object(counts).prefault({}),
  /** The pages committed last, for the rate. */
  recent: z.array(z.object({ at: z.number(), ms: z.number(), rows: z.number() })).default([]),
  last: endedRun.optional(),
});
export type PipelineState = z.infer<typeof pipelineState>;
