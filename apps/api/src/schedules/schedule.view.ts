import { ruleText, type ScheduleRecord } from '@callsheet/scheduler';
import { z } from 'zod';
import { pageCursor, pageLimit, pageNext } from '../page.js';
import { schemas } from '../schema.registry.js';
import { scheduleFields } from './schedule.fields.js';

const time = z.iso.datetime();
const error = z.object({ name: z.string(), message: z.string() });
export const reason = z.enum(['scheduled', 'catch-up', 'manual', 'backfill']);
export const runOutcome = z.enum([
  'succeeded',
  'failed',
  'cancelled',
  'terminated',
  'timed-out',
  'unknown',
]);
const state = z.enum(['active', 'paused', 'finished', 'broken']);

/** The query of a list of schedules. */
export const scheduleQuery = z.strictObject({
  tag: z.string().max(64).optional(),
  q: z.string().min(1).max(200).optional(),
  state: state.optional(),
  troubled: z.literal('true').optional(),
  limit: pageLimit,
  cursor: pageCursor,
});
export type ScheduleQuery = z.output<typeof scheduleQuery>;

/** What is shown of a schedule and cannot be said of it. */
export const scheduleStatus = {
  text: z.string().describe('its rule as a sentence'),
  owner: z
    .string()
    .optional()
    .describe('the actor in whose code it is declared; absent: it was made here'),
  state: state.describe(
    'finished: no occurrence is left; broken: the next one cannot be computed, see problem',
  ),
  next: time.optional().describe('next nominal time'),
  last: z
    .object({
      nominal: time,
      outcome: runOutcome,
      finishedAt: time,
      error: error.optional(),
      result: z.unknown().optional().describe('what its handler answered, up to 4 KiB'),
    })
    .optional()
    .describe('the run that ended last'),
  running: z
    .array(z.object({ id: z.string(), nominal: time, reason, startedAt: time }))
    .describe('runs in work; each is the message with this id'),
  buffered: z.int().describe('occurrences that wait for a run to end'),
  failures: z.int().describe('runs that failed in a row'),
  pause: z.object({ since: time, reason: z.string(), until: time.optional() }).optional(),
  problem: z.string().optional().describe('what is wrong with it'),
  createdAt: time,
  changedAt: time,
  revision: z.int().describe('grows with every change of what can be edited; its ETag'),
};

/** A schedule as the API shows it: spelled as it is made, with what has become of it. */
export const scheduleView = z
  .object({
    id: z.string(),
    message: z.object({
      type: z.string(),
      version: z.int().describe("of the data's shape"),
      data: z
        .record(z.string(), z.unknown())
        .optional()
        .describe(
          'secrets are masked; absent when the message is not known here, so that nobody can tell what in it is secret',
        ),
    }),
    ...scheduleFields,
    ...scheduleStatus,
  })
  .register(schemas, { id: 'Schedule' });
export type ScheduleView = z.output<typeof scheduleView>;

/** A page of schedules, by id. */
export const scheduleList = z
  .object({
    items: z.array(scheduleView),
    next: pageNext,
  })
  .register(schemas, { id: 'ScheduleList' });
export type ScheduleList = z.output<typeof scheduleList>;

/** @param data of its message as it may be shown */
export function toScheduleView(
  record: ScheduleRecord,
  data: Record<string, unknown> | undefined,
): ScheduleView {
  const { id, rule, message, policies, last, running, pause } = record;
  return {
    id,
    message: { type: message.type, version: message.version, data },
    ...(spelled(id, rule) as object),
    ...policies,
    priority: record.priority,
    tags: [...record.tags],
    description: record.description,
    text: ruleText(rule),
    owner: record.owner,
    state: record.state,
    next: record.next?.toISOString(),
    last: last && {
      ...last,
      error: last.error && { ...last.error },
      nominal: last.nominal.toISOString(),
      finishedAt: last.finishedAt.toISOString(),
    },
    running: running.map((run) => ({
      ...run,
      nominal: run.nominal.toISOString(),
      startedAt: run.startedAt.toISOString(),
    })),
    buffered: record.buffered,
    failures: record.failures,
    pause: pause && {
      since: pause.since.toISOString(),
      reason: pause.reason,
      until: pause.until?.toISOString(),
    },
    problem: record.problem,
    createdAt: record.createdAt.toISOString(),
    changedAt: record.changedAt.toISOString(),
    revision: record.revision,
  };
}

/** What a pattern of six fields has before one of five that means the same. */
const SECOND_ZERO = /^0 (?=(\S+ ){4}\S+$)/;

/** A rule as somebody would write it: one pattern alone, and no seed that is the id anyway. */
function spelled(id: string, { seed, ...rule }: ScheduleRecord['rule']): Partial<ScheduleView> {
  const { cron, at, include, exclude, ...rest } = rule;
  return {
    ...rest,
    cron: alone(cron?.map((pattern) => pattern.replace(SECOND_ZERO, ''))),
    at: alone(at),
    include: alone(include) as ScheduleView['include'],
    exclude: alone(exclude) as ScheduleView['exclude'],
    ...(seed !== id && { seed }),
  };
}

function alone<T>(list: readonly T[] | undefined): T | T[] | undefined {
  return list?.length === 1 ? list[0] : list && [...list];
}
