import { z } from 'zod';
import { schemas } from '../schema.registry.js';

/** What is answered to a trigger. */
export const triggered = z
  .object({
    id: z.string().describe('of the schedule'),
    state: z
      .enum(['started', 'buffered'])
      .describe('buffered: it starts when the runs in work have ended'),
    run: z.string().optional().describe('id of the message that runs it, when it has started'),
  })
  .register(schemas, { id: 'ScheduleTriggered' });
export type Triggered = z.output<typeof triggered>;

/** What is answered to a backfill. */
export const backfilled = z
  .object({
    id: z.string().describe('of the schedule'),
    state: z
      .enum(['begun', 'known', 'counted'])
      .describe('known: it was asked for before; counted: a dry run'),
    count: z.int().describe('occurrences in the range'),
  })
  .register(schemas, { id: 'ScheduleBackfilled' });
export type Backfilled = z.output<typeof backfilled>;
