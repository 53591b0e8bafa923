// Declaring
export { Cron, type CronOptions } from './cron.decorator.js';

// Setting up and looking inside
export { SchedulerModule } from './scheduler.module.js';
export { Schedules } from './schedules.js';

// When a schedule runs
export type { Calendar, CheckedRule, DstRule, ScheduleRule, Weekday } from './rule/rule.js';
export { checkRule } from './rule/check.js';
export {
  countBetween,
  nextOccurrence,
  occurrencesBetween,
  previousOccurrence,
} from './rule/occurrences.js';
export { dueTime } from './rule/due.js';
export {
  previewRule,
  type PreviewedOccurrence,
  type PreviewOptions,
  type RulePreview,
} from './rule/preview.js';
export { tzdataProblems } from './rule/tzdata.js';
