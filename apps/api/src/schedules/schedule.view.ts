import type { ScheduleRecord } from '@callsheet/messaging';
import { z } from 'zod';
import { schemas } from '../schema.registry.js';

/** A schedule as the API shows it. */
export const scheduleView = z
  .object({
    id: z.string().describe('`<actor>.<name>`'),
    actor: z.string(),
    cron: z.string(),
    tz: z.string().describe('IANA zone in which cron is read'),
    next: z.iso.datetime().optional().describe('next nominal time, in UTC'),
  })
  .register(schemas, { id: 'Schedule' });
export type ScheduleView = z.infer<typeof scheduleView>;

/** All schedules, by id. */
export const scheduleList = z
  .object({ items: z.array(scheduleView) })
  .register(schemas, { id: 'ScheduleList' });
export type ScheduleList = z.infer<typeof scheduleList>;

/** What is known of a schedule, as the API shows it. */
export function toScheduleView({ id, actor, cron, tz, next }: ScheduleRecord): ScheduleView {
  return {
    id,
    actor,
    cron,
    tz,
    next: next === undefined ? undefined : new Date(next).toISOString(),
  };
}
