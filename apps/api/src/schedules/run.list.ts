import type { HistoryEntry } from '@callsheet/scheduler';
import { z } from 'zod';
import { pageNext } from '../page.js';
import { schemas } from '../schema.registry.js';
import { reason, runOutcome } from './schedule.view.js';

const time = z.iso.datetime();
const at = time.describe('when it happened');

const occurrence = z.object({
  kind: z.literal('occurrence').describe('a decision about an occurrence, or several'),
  at,
  nominal: time,
  until: time.optional().describe('the last of several that the same was decided about'),
  count: z.int().describe('how many they are'),
  outcome: z
    .enum(['fired', 'late', 'skipped', 'coalesced', 'missed', 'paused', 'backfilled', 'triggered'])
    .describe(
      'fired, late, backfilled, triggered: it runs. skipped: a run was in work. coalesced: a later one runs in its place. missed: nothing was there when it was due',
    ),
  run: z.string().optional().describe('id of the message that runs it'),
  reason: reason.optional(),
});

const end = z.object({
  kind: z.literal('end').describe('a run has ended'),
  at,
  run: z.string(),
  nominal: time,
  outcome: runOutcome,
  startedAt: time.optional().describe('start of the last attempt'),
  drift: z.int().optional().describe('milliseconds from the nominal time to startedAt'),
  attempts: z.int().optional(),
  error: z.object({ name: z.string(), message: z.string() }).optional(),
});

const note = z.object({
  kind: z.literal('note').describe('something else happened'),
  at,
  what: z.enum(['created', 'changed', 'paused', 'resumed', 'healed', 'broken']),
  detail: z.string().optional(),
});

/** A page of what has become of the occurrences of a schedule, newest first. */
export const runList = z
  .object({
    items: z.array(z.discriminatedUnion('kind', [occurrence, end, note])),
    next: pageNext,
  })
  .register(schemas, { id: 'ScheduleRuns' });
export type RunList = z.output<typeof runList>;

export function toRunView(entry: HistoryEntry): RunList['items'][number] {
  const happened = entry.at.toISOString();
  switch (entry.kind) {
    case 'occurrence': {
      const { kind, nominal, until, count, outcome, run, reason: why } = entry;
      return {
        kind,
        at: happened,
        nominal: nominal.toISOString(),
        until: until?.toISOString(),
        count,
        outcome,
        run,
        reason: why,
      };
    }
    case 'end': {
      const { kind, run, nominal, outcome, startedAt, drift, attempts, error } = entry;
      return {
        kind,
        at: happened,
        run,
        nominal: nominal.toISOString(),
        outcome,
        startedAt: startedAt?.toISOString(),
        drift,
        attempts,
        error,
      };
    }
    case 'note':
      return {
        kind: 'note',
        at: happened,
        what: entry.what as z.output<typeof note>['what'],
        detail: entry.detail,
      };
  }
}
