import type { ScheduleInput } from '@callsheet/scheduler';
import { z } from 'zod';
import { schemas } from '../schema.registry.js';
import { telling } from '../messages/telling.js';
import { overlap, scheduleFields } from './schedule.fields.js';
import { scheduleStatus } from './schedule.view.js';

const { type, data, version } = telling.shape;
const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** The message that each run is. */
const scheduledMessage = z
  .strictObject({ type, data, version })
  .register(schemas, { id: 'ScheduledMessage' });
export type ScheduledMessage = z.output<typeof scheduledMessage>;

/** The body that makes a schedule. */
export const scheduleBody = z
  .strictObject({
    id: z.string().describe('1 to 100 letters, digits and ._-'),
    message: scheduledMessage,
    ...scheduleFields,
  })
  .register(schemas, { id: 'ScheduleBody' });
export type ScheduleBody = z.output<typeof scheduleBody>;

const shown = z.unknown().optional().describe('as it is shown; changes nothing');

/** The body that makes or changes a schedule. What was shown of one can be sent back, whole. */
export const schedulePut = scheduleBody
  .partial({ id: true })
  .extend(
    Object.fromEntries(Object.keys(scheduleStatus).map((name) => [name, shown])) as Record<
      keyof typeof scheduleStatus,
      typeof shown
    >,
  )
  .register(schemas, { id: 'SchedulePut' });
export type SchedulePut = z.output<typeof schedulePut>;

/** The body of a preview. */
export const schedulePreview = scheduleBody
  .partial({ id: true, message: true })
  .extend({
    from: time.optional().describe('occurrences after this; default now'),
    count: z.number().optional().describe('1 to 100; default 10'),
  })
  .register(schemas, { id: 'SchedulePreview' });
export type SchedulePreview = z.output<typeof schedulePreview>;

/** The body of a pause. */
export const pauseBody = z
  .strictObject({
    reason: z.string().describe('1 to 500 characters'),
    until: time.optional().describe('when it goes on by itself; default when it is resumed'),
  })
  .register(schemas, { id: 'SchedulePause' });
export type PauseBody = z.output<typeof pauseBody>;

/** The body of a trigger; there need not be one. */
export const triggerBody = z
  .strictObject({ overlap: overlap.optional().describe("in place of the schedule's own") })
  .optional()
  .register(schemas, { id: 'ScheduleTrigger' });
export type TriggerBody = z.output<typeof triggerBody>;

/** The body of a backfill. */
export const backfillBody = z
  .strictObject({
    from: time.describe('occurrences after it'),
    to: time.describe('up to it, itself included; not in the future'),
    parallel: z.boolean().optional().describe('side by side; default false, one after the other'),
    id: z
      .string()
      .optional()
      .describe('the same again changes nothing; also as header Idempotency-Key; default from/to'),
    dryRun: z.boolean().optional().describe('only counts'),
  })
  .register(schemas, { id: 'ScheduleBackfill' });
export type BackfillBody = z.output<typeof backfillBody>;

/** What of a body is a rule, policies and notes. */
export function optionsOf(body: SchedulePut | SchedulePreview): Omit<ScheduleInput, 'message'> {
  const names = Object.keys(scheduleFields) as (keyof typeof scheduleFields)[];
  return Object.fromEntries(
    names.filter((name) => body[name] !== undefined).map((name) => [name, body[name]]),
  ) as Omit<ScheduleInput, 'message'>;
}
