// Declaring
export {
  At,
  Cron,
  Every,
  Interval,
  type DeclareOptions,
  type InjectedOptions,
  type NestScheduleOptions,
} from './schedule.decorators.js';
export { ScheduledRun, type PreviousRun } from './scheduled.run.js';

// Rules and policies
export {
  checkRule,
  localText,
  nextOccurrence,
  occurrencesBetween,
  previewRule,
  previousOccurrence,
  ruleText,
  tzdataProblems,
  type Calendar,
  type CheckedRule,
  type DstRule,
  type PreviewedOccurrence,
  type PreviewOptions,
  type RulePreview,
  type ScheduleRule,
  type Weekday,
} from './rule/index.js';
export {
  OVERLAPS,
  type CatchUp,
  type CheckedPolicies,
  type Overlap,
  type SchedulePolicies,
} from './policies.js';

// Making and watching
export {
  Schedules,
  type Backfill,
  type BackfillOptions,
  type ScheduleChange,
  type ScheduleListOptions,
  type TriggerOptions,
} from './schedules.js';
export {
  checkedScheduleId,
  checkSchedule,
  type ScheduleInput,
  type ScheduleNotes,
} from './schedule.input.js';
export { type ScheduleRecord } from './schedule.record.js';
export { type HistoryEntry } from './schedule.history.js';
export { type OccurrenceOutcome, type RunOutcome } from './schedule.journal.js';
export { type RunReason } from './schedule.state.js';
export { type Started } from './schedule.js';
export { ScheduleTroubled, type TroubleKind } from './schedule.trouble.js';

// Setting up
export { SCHEDULER_ACTORS, SchedulerModule } from './scheduler.module.js';
export { type SchedulerOptions } from './scheduler.options.js';
export { Deployments, type PlannedChange } from './deployments.js';

// Errors
export {
  DeclaredScheduleError,
  ScheduleChangedError,
  ScheduleExistsError,
  TooManyBackfillsError,
} from './scheduler.errors.js';

// Testing
export { testRun, type TestRunOptions } from './scheduled.run.js';
