import { OptionError } from '@callsheet/messaging';
import { nextOccurrence } from './occurrences.js';
import type { CheckedRule } from './rule.js';
import { ruleText } from './rule.text.js';
import { warningsOf } from './warnings.js';
import { zoneOf } from './zone.js';

const MAX_COUNT = 100;

/** An occurrence as people read it. */
export interface PreviewedOccurrence {
  /** UTC, ISO text. */
  readonly at: string;
  /** The wall time in the zone of the rule with its offset: `2027-03-14 03:00:00 -04:00`. */
  readonly local: string;
}

/** What a rule will do. */
export interface RulePreview {
  /** The rule as one English sentence. */
  readonly text: string;
  /** The next occurrences, nominal; `limit` ends them. */
  readonly occurrences: readonly PreviewedOccurrence[];
  /** What may surprise, one sentence each. */
  readonly warnings: readonly string[];
}

/** Options of {@link previewRule}. */
export interface PreviewOptions {
  /** Occurrences after this time, ms since 1970. Default: now. */
  from?: number;
  /** How many occurrences, 1 to 100. Default 10. */
  count?: number;
}

/**
 * Shows what a rule will do before anything runs by it.
 *
 * @throws OptionError for a count that is not 1 to 100
 */
export function previewRule(rule: CheckedRule, options: PreviewOptions = {}): RulePreview {
  const { from = Date.now(), count = 10 } = options;
  if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
    throw new OptionError('count', 'must be a whole number from 1 to 100');
  }
  const occurrences: PreviewedOccurrence[] = [];
  let at = nextOccurrence(rule, from);
  while (at !== undefined && occurrences.length < Math.min(count, rule.limit ?? count)) {
    occurrences.push({ at: new Date(at).toISOString(), local: localText(at, rule.tz) });
    at = nextOccurrence(rule, at);
  }
  return { text: ruleText(rule), occurrences, warnings: warningsOf(rule, from) };
}

/** The wall time of a zone at an instant, with its offset: `2027-03-14 03:00:00 -04:00`. */
export function localText(instant: number, tz: string): string {
  const offset = zoneOf(tz).offset(instant);
  const minutes = Math.abs(Math.round(offset / 60_000));
  const sign = offset < 0 ? '-' : '+';
  const two = (value: number) => String(value).padStart(2, '0');
  const wall = new Date(instant + offset).toISOString().slice(0, 19).replace('T', ' ');
  return `${wall} ${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
