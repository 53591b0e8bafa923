// Rules of schedules: when one runs. Everything that computes occurrences does it here.
export { checkRule, RULE_OPTIONS } from './check.js';
export { dueTime } from './due.js';
export { nextOccurrence, occurrencesBetween, previousOccurrence } from './occurrences.js';
export {
  type Calendar,
  type CheckedRule,
  type DstRule,
  type ScheduleRule,
  type Weekday,
} from './rule.js';
export {
  localText,
  previewRule,
  type PreviewedOccurrence,
  type PreviewOptions,
  type RulePreview,
} from './preview.js';
export { ruleText } from './rule.text.js';
export { tzdataProblems } from './tzdata.js';
