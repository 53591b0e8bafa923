import { OVERLAPS } from '@callsheet/scheduler';
import { z } from 'zod';
import { duration } from '../duration.js';
import { schemas } from '../schema.registry.js';

const texts = z.union([z.string(), z.array(z.string())]);
const time = z
  .string()
  .describe('ISO 8601 with Z or an offset, or a local time of tz such as 2026-12-24T18:00');

const calendar = z
  .strictObject({
    days: z
      .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
      .optional()
      .describe('with hours, both must hold'),
    hours: texts.optional().describe('09:00-17:30; the first minute belongs to it, the last not'),
    dates: texts.optional().describe('2026-12-24, 12-25 or 2026-12-24/2027-01-02'),
    ics: z.string().optional().describe('text of an iCalendar file'),
  })
  .register(schemas, { id: 'Calendar' });
const calendars = z.union([calendar, z.array(calendar)]);

export const overlap = z.enum(OVERLAPS);

/**
 * What is said of a schedule beside its id and its message, by who makes it and by who shows it. It says which fields there
 * are and of which kind; their values are checked by the scheduler, in one place for every way to make one.
 */
export const scheduleFields = {
  cron: texts
    .optional()
    .describe('a pattern of five fields or six (second first), or several; one of four kinds'),
  every: duration.optional().describe("milliseconds, or a string such as '10m'; one of four kinds"),
  at: texts.optional().describe('a time or several, as start; one of four kinds'),
  rrule: z.string().optional().describe('RFC 5545; one of four kinds'),
  phase: duration.optional().describe('with every: how much later than aligned'),
  tz: z.string().optional().describe('IANA name or offset in which times are read; default UTC'),
  dst: z
    .enum(['once', 'skip', 'shift', 'each'])
    .optional()
    .describe('what happens when the clocks change; default once'),
  start: time.optional(),
  end: time.optional(),
  limit: z.number().optional().describe('how many occurrences there are'),
  include: calendars.optional().describe('only occurrences that one of these has'),
  exclude: calendars.optional().describe('no occurrence that one of these has'),
  onExcluded: z.enum(['drop', 'next-day']).optional().describe('default drop'),
  window: duration
    .optional()
    .describe('spreads schedules over it, each always by the same part; also as 10%'),
  jitter: duration.optional().describe('runs each occurrence later by up to this'),
  seed: z.string().optional().describe('what H, window and jitter are drawn from; default the id'),
  overlap: overlap
    .optional()
    .describe('what becomes of an occurrence while a run is in work; default skip'),
  catchUp: z
    .union([
      z.enum(['none', 'latest', 'all']),
      z.strictObject({ last: z.number() }),
      z.strictObject({ within: duration }),
    ])
    .optional()
    .describe('which of the occurrences run that were missed; default latest'),
  grace: duration
    .optional()
    .describe("how late one may be before catchUp decides about it; default '1m'"),
  timeout: duration.optional().describe('the longest a run may take, retries included'),
  pauseAfter: z.number().optional().describe('pauses after so many failed runs in a row'),
  priority: z
    .union([z.number(), z.string()])
    .optional()
    .describe('of the messages it sends: critical, high, normal (default), low, or a number'),
  tags: z.array(z.string()).optional().describe('at most 20'),
  description: z.string().optional().describe('at most 500 characters'),
};
