import { localText, previewRule, type CheckedRule } from '@callsheet/scheduler';
import { z } from 'zod';
import { schemas } from '../schema.registry.js';
import { scheduleView, type ScheduleView } from './schedule.view.js';

const occurrence = z.object({
  at: z.iso.datetime().describe('in UTC'),
  local: z.string().describe('the wall time of tz with its offset: 2027-03-14 03:00:00 -04:00'),
});

const preview = {
  occurrences: z.array(occurrence).describe('the next, nominal'),
  warnings: z.array(z.string()).describe('what may surprise, one sentence each'),
};

/** What a rule will do. */
export const previewView = z
  .object({ text: z.string().describe('the rule as a sentence'), ...preview })
  .register(schemas, { id: 'Preview' });
export type PreviewView = z.output<typeof previewView>;

/** A schedule that was made or changed, and what it will do. */
export const storedSchedule = scheduleView
  .extend({
    outcome: z.enum(['created', 'changed', 'unchanged']),
    ...preview,
  })
  .register(schemas, { id: 'StoredSchedule' });
export type StoredSchedule = z.output<typeof storedSchedule>;

/** The next occurrences of a schedule. */
export const nextView = z
  .object({ occurrences: preview.occurrences })
  .register(schemas, { id: 'ScheduleNext' });
export type NextView = z.output<typeof nextView>;

/** The query of the next occurrences. */
export const nextQuery = z.strictObject({
  count: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'must be a whole number from 1 to 100')
    .transform(Number)
    .optional(),
});
export type NextQuery = z.output<typeof nextQuery>;

export function toPreviewView(
  rule: CheckedRule,
  options: { from: number; count?: number },
): PreviewView {
  const { text, occurrences, warnings } = previewRule(rule, options);
  return { text, occurrences: [...occurrences], warnings: [...warnings] };
}

/** @param times the next of them */
export function toStoredSchedule(
  view: ScheduleView,
  outcome: StoredSchedule['outcome'],
  rule: CheckedRule,
  times: readonly Date[],
  now: number,
): StoredSchedule {
  const { warnings } = previewRule(rule, { from: now, count: 1 });
  return { ...view, outcome, ...toNextView(times, rule.tz), warnings: [...warnings] };
}

export function toNextView(times: readonly Date[], tz: string): NextView {
  return {
    occurrences: times.map((at) => ({
      at: at.toISOString(),
      local: localText(at.getTime(), tz),
    })),
  };
}
