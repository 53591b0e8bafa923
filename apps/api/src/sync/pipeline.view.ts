import type { PipelineEntry, PipelineRecord } from '@callsheet/sync';
import { z } from 'zod';
import { pageNext, pageQuery } from '../page.js';
import { schemas } from '../schema.registry.js';

const time = z.iso.datetime();
const counts = {
  rows: z.int().describe('rows that were pushed'),
  bad: z.int().describe('rows that became dead letters'),
  pages: z.int(),
  errors: z.int().describe('failed attempts at pages'),
};
const run = { id: z.string(), reason: z.enum(['scheduled', 'manual', 'notified', 'backfill']) };
const error = z.object({ name: z.string(), message: z.string() });
const outcome = z
  .enum(['done', 'failed', 'stopped'])
  .describe(
    'failed: its page was given up. stopped: the pipeline was reset, or its page cancelled',
  );

/** A pipeline, as it is now. */
export const pipelineView = z
  .object({
    name: z.string(),
    state: z
      .enum(['idle', 'running', 'retrying', 'failed', 'paused'])
      .describe('failed: the next run begins at the same cursor'),
    cursor: z.unknown().describe('where its next page begins: JSON that its source understands'),
    ...counts,
    syncedTo: time.optional().describe('up to when its source has been read completely'),
    lag: z.int().optional().describe('milliseconds since then'),
    rate: z
      .number()
      .optional()
      .describe('rows a second, over the last 20 pages of the run in work or the last one'),
    every: z.string().optional(),
    cron: z.string().optional(),
    tz: z.string().optional(),
    run: z
      .object({
        ...run,
        ...counts,
        startedAt: time,
        page: z.string().describe('id of the message that is its next page'),
      })
      .optional()
      .describe('the run in work'),
    last: z
      .object({
        ...run,
        ...counts,
        outcome,
        startedAt: time,
        finishedAt: time,
        error: error.optional(),
      })
      .optional()
      .describe('the run that ended last'),
    waiting: z.int().describe('runs that begin when that in work has ended'),
    pause: z.object({ at: time, reason: z.string() }).optional(),
    failure: z
      .object({ attempts: z.int(), name: z.string(), message: z.string(), at: time })
      .optional()
      .describe('why its page is tried again, or was given up'),
  })
  .register(schemas, { id: 'Pipeline' });
export type PipelineView = z.output<typeof pipelineView>;

/** A page of pipelines, by name. */
export const pipelineList = z
  .object({
    items: z.array(pipelineView),
    next: pageNext,
  })
  .register(schemas, { id: 'Pipelines' });
export type PipelineList = z.output<typeof pipelineList>;

/** The query of a list of pipelines. */
export const pipelineQuery = pageQuery.extend({
  troubled: z.literal('true').optional(),
});
export type PipelineQuery = z.output<typeof pipelineQuery>;

/** A page of what happened to a pipeline, newest first. */
export const pipelineHistory = z
  .object({
    items: z.array(
      z.discriminatedUnion('kind', [
        z.object({
          kind: z.literal('run').describe('a run has ended'),
          at: time,
          ...run,
          ...counts,
          outcome,
          startedAt: time,
          finishedAt: time,
          error: error.optional(),
        }),
        z.object({
          kind: z.literal('note').describe('something else happened'),
          at: time,
          what: z.enum(['paused', 'resumed', 'reset']),
          detail: z.string().optional().describe('the reason of a pause, the cursor of a reset'),
        }),
      ]),
    ),
    next: pageNext,
  })
  .register(schemas, { id: 'PipelineHistory' });
export type PipelineHistory = z.output<typeof pipelineHistory>;

/** What is answered to whoever asks for a run. */
export const pipelineRun = z
  .object({
    id: z.string().describe('of the pipeline'),
    state: z
      .enum(['started', 'running', 'queued'])
      .describe(
        'running: one is in work, or waits, that reads whatever is there by now; queued: it waits for another',
      ),
    run: z.string().describe('id of that run'),
  })
  .register(schemas, { id: 'PipelineRun' });
export type PipelineRun = z.output<typeof pipelineRun>;

export function toPipelineView(record: PipelineRecord): PipelineView {
  const { syncedTo, run: current, last, pause, failure, ...rest } = record;
  return {
    ...rest,
    syncedTo: syncedTo?.toISOString(),
    run: current && { ...current, startedAt: current.startedAt.toISOString() },
    last: last && {
      ...last,
      startedAt: last.startedAt.toISOString(),
      finishedAt: last.finishedAt.toISOString(),
    },
    pause: pause && { ...pause, at: pause.at.toISOString() },
    failure: failure && { ...failure, at: failure.at.toISOString() },
  };
}

export function toHistoryView(entry: PipelineEntry): PipelineHistory['items'][number] {
  const { cursor: _, ...rest } = entry;
  const at = rest.at.toISOString();
  if (rest.kind === 'note') return { ...rest, at };
  return {
    ...rest,
    at,
    startedAt: rest.startedAt.toISOString(),
    finishedAt: rest.finishedAt.toISOString(),
  };
}
