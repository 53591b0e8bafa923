import { OptionError, toMilliseconds, type Duration } from '@callsheet/messaging';
import { z } from 'zod';

/**
 * What becomes of an occurrence while a run of its schedule is in work.
 *
 * - `skip`: it does not run.
 * - `buffer-one`: it runs when those in work have ended; of several that wait the first alone, the others are skipped.
 * - `buffer-all`: it runs when those before it have ended; at most 1,000 wait, more are skipped.
 * - `cancel-other`: those in work are cancelled; it runs when they have ended.
 * - `terminate-other`: those in work are cancelled; it runs at once.
 * - `allow`: it runs beside them.
 */
export type Overlap = (typeof OVERLAPS)[number];

/** All of them. */
export const OVERLAPS = [
  'skip',
  'buffer-one',
  'buffer-all',
  'cancel-other',
  'terminate-other',
  'allow',
] as const;

/**
 * Which occurrences run that are late by more than `grace`, because nothing was there to run them when they were due.
 *
 * - `none`: none.
 * - `latest`: the last of them, which stands for all.
 * - `all`: each, in order.
 * - `{ last: n }`: the last n, 1 to 100.
 * - `{ within: '2h' }`: those that are late by no more than that.
 */
export type CatchUp = 'none' | 'latest' | 'all' | { last: number } | { within: Duration };

/** How the occurrences of a schedule become runs. */
export interface SchedulePolicies {
  /** Default 'skip'. */
  overlap?: Overlap;
  /** Default 'latest'. */
  catchUp?: CatchUp;
  /** How late an occurrence may be before `catchUp` decides about it. Default '1m'. */
  grace?: Duration;
  /** The longest a run may take, its retries included; then it is cancelled. Default: no limit. */
  timeout?: Duration;
  /** Pauses the schedule after this many runs in a row have failed, 1 to 1,000. Default: never. */
  pauseAfter?: number;
}

/** {@link Overlap}, for messages. */
export const overlaps = z.enum(OVERLAPS);

/** {@link SchedulePolicies} with all defaults set and durations in milliseconds. */
export const checkedPolicies = z.object({
  overlap: overlaps,
  catchUp: z.union([
    z.enum(['none', 'latest', 'all']),
    z.strictObject({ last: z.number() }),
    z.strictObject({ within: z.number() }),
  ]),
  grace: z.number(),
  timeout: z.number().optional(),
  pauseAfter: z.number().optional(),
});
export type CheckedPolicies = z.infer<typeof checkedPolicies>;

/** The options of {@link SchedulePolicies}. */
export const POLICIES: readonly (keyof SchedulePolicies)[] = [
  'overlap',
  'catchUp',
  'grace',
  'timeout',
  'pauseAfter',
];

/** The most occurrences that `{ last: n }` runs. */
export const MOST_LAST = 100;

/**
 * Checks policies, and sets their defaults.
 *
 * @param path prefixes the names in errors
 * @throws OptionError
 */
export function checkPolicies(given: SchedulePolicies, path: string): CheckedPolicies {
  const { timeout, pauseAfter, grace = '1m' } = given;
  return {
    overlap: toOverlap(given.overlap ?? 'skip', `${path}overlap`),
    catchUp: toCatchUp(given.catchUp ?? 'latest', `${path}catchUp`),
    grace: toMilliseconds(grace, `${path}grace`),
    ...(timeout !== undefined && { timeout: longer(timeout, `${path}timeout`) }),
    ...(pauseAfter !== undefined && {
      pauseAfter: whole(pauseAfter, 1_000, `${path}pauseAfter`),
    }),
  };
}

/** @throws OptionError */
export function toOverlap(given: Overlap, path: string): Overlap {
  const found = overlaps.safeParse(given);
  if (found.success) return found.data;
  throw new OptionError(path, `must be one of ${OVERLAPS.join(', ')}`);
}

function toCatchUp(given: CatchUp, path: string): CheckedPolicies['catchUp'] {
  if (given === 'none' || given === 'latest' || given === 'all') return given;
  const [name, ...more] = Object.keys(Object(given) as object);
  if (more.length === 0 && typeof given === 'object') {
    if (name === 'last' && 'last' in given) {
      return { last: whole(given.last, MOST_LAST, `${path}.last`) };
    }
    if (name === 'within' && 'within' in given) {
      return { within: toMilliseconds(given.within, `${path}.within`) };
    }
  }
  throw new OptionError(path, 'must be none, latest, all, { last: n } or { within: duration }');
}

function longer(duration: Duration, path: string): number {
  const value = toMilliseconds(duration, path);
  if (value === 0) throw new OptionError(path, 'must be longer than 0');
  return value;
}

function whole(value: number, most: number, path: string): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw new OptionError(path, `must be a whole number from 1 to ${most}`);
}
