import {
  OptionError,
  sealMessage,
  toPriority,
  type MessageInstance,
  type Priority,
} from '@callsheet/messaging';
import {
  checkPolicies,
  POLICIES,
  type CheckedPolicies,
  type SchedulePolicies,
} from './policies.js';
import { checkRule, RULE_OPTIONS, type CheckedRule, type ScheduleRule } from './rule/index.js';
import type { Definition } from './schedule.state.js';

/** What people say about a schedule, besides when it runs and what. */
export interface ScheduleNotes {
  /** Lane or number of the messages it sends. Default 'normal'. */
  priority?: Priority;
  /** At most 20, of 1 to 64 letters, digits and `._:-` each. */
  tags?: readonly string[];
  /** At most 500 characters. */
  description?: string;
}

/** A schedule: when it runs, what each run is, and how. */
export interface ScheduleInput extends ScheduleRule, SchedulePolicies, ScheduleNotes {
  /** Each run sends it. */
  message: MessageInstance;
}

const NOTES = ['priority', 'tags', 'description'] as const satisfies (keyof ScheduleNotes)[];
const RULE = new Set<string>(RULE_OPTIONS);
const KNOWN = new Set<string>([...RULE_OPTIONS, ...POLICIES, ...NOTES]);
const TAG = /^[A-Za-z0-9._:-]{1,64}$/;
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** @throws OptionError for what cannot be the id of a schedule */
export function checkedScheduleId(id: unknown, path = 'id'): string {
  if (typeof id === 'string' && ID.test(id)) return id;
  throw new OptionError(
    path,
    'must be 1 to 100 letters, digits and ._- beginning with a letter or digit',
  );
}

/**
 * Checks all of a schedule but its message.
 *
 * @throws OptionError
 */
export function checkSchedule(
  id: string,
  options: Omit<ScheduleInput, 'message'>,
): { rule: CheckedRule; policies: CheckedPolicies } {
  return toTiming(checkedScheduleId(id), options, '');
}

/**
 * What a user writes becomes the definition of a schedule.
 *
 * @throws OptionError
 */
export function toDefinition(id: string, input: ScheduleInput): Definition {
  if (typeof input !== 'object' || input === null) {
    throw new OptionError('schedule', 'must be an object');
  }
  const { message, ...options } = input;
  return { ...toTiming(id, options, ''), message: sealMessage(message) };
}

/** All of a definition but its message. @param path what has these options, in errors; '' for nothing @throws OptionError */
export function toTiming(
  id: string,
  options: Omit<ScheduleInput, 'message'>,
  path: string,
): Omit<Definition, 'message'> {
  const prefix = path && `${path}.`;
  for (const option of Object.keys(options)) {
    if (!KNOWN.has(option)) throw new OptionError(`${prefix}${option}`, 'is not an option');
  }
  const { priority, tags = [], description } = options;
  const rule = Object.fromEntries(Object.entries(options).filter(([name]) => RULE.has(name)));
  return {
    rule: checkRule(rule, path, id),
    policies: checkPolicies(options, prefix),
    ...(priority !== undefined && { priority: toPriority(priority, `${prefix}priority`) }),
    tags: toTags(tags, `${prefix}tags`),
    ...(description !== undefined && {
      description: toDescription(description, `${prefix}description`),
    }),
  };
}

function toTags(tags: readonly string[], path: string): string[] {
  if (!Array.isArray(tags) || tags.length > 20) {
    throw new OptionError(path, 'must be a list of at most 20 tags');
  }
  const bad = tags.find((tag) => typeof tag !== 'string' || !TAG.test(tag)) as unknown;
  if (bad === undefined) return [...new Set(tags as string[])];
  throw new OptionError(path, 'must be of 1 to 64 letters, digits and ._:- each');
}

function toDescription(description: string, path: string): string {
  if (typeof description === 'string' && description.length <= 500) return description;
  throw new OptionError(path, 'must be text of at most 500 characters');
}
