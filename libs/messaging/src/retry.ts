import { toMilliseconds, type Duration } from './duration.js';
import { OptionError } from './messaging.errors.js';

/** Computes the wait before the next attempt. @param attempt number of the attempt that failed, from 1 */
export type Backoff = (attempt: number, error: unknown) => Duration;

/** What a sender may change of the retry policy of an actor: what can travel. */
export interface RetryOptions {
  /** Starts in all, the first included: 1 to 100. Default 5. */
  attempts?: number;
  /** Wait before the second attempt. Default '1s'. */
  delay?: Duration;
  /** Growth of the wait from attempt to attempt, 1 (fixed) to 10. Default 2. */
  factor?: number;
  /** The longest wait, before jitter. Default '5m'. */
  max?: Duration;
  /** Random part of each wait, 0 to 1: 0.2 spreads a 10 s wait over 8 to 12 s. Default 0.2. */
  jitter?: number;
}

/**
 * How often and how soon a failed message is tried again: exponential back-off, `delay * factor^(n-1)`, capped, with jitter.
 * `factor: 1` makes it fixed; a function in place of `delay` computes each wait itself, and is capped and jittered too.
 */
export interface ActorRetryOptions extends Omit<RetryOptions, 'delay'> {
  /** Wait before the second attempt, or a function of the failed attempt and its error. Default '1s'. */
  delay?: Duration | Backoff;
}

/** {@link RetryOptions} with all defaults set and durations in milliseconds. */
export interface RetryPolicy {
  attempts: number;
  delay: number;
  factor: number;
  max: number;
  jitter: number;
}

/** {@link ActorRetryOptions}, checked. */
export interface ActorRetryPolicy extends Partial<RetryPolicy> {
  backoff?: Backoff;
}

export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 5,
  delay: 1_000,
  factor: 2,
  max: 300_000,
  jitter: 0.2,
};

const FIELDS = new Set(Object.keys(DEFAULT_RETRY));

/** Checks what a sender gives; fields not given are left out. Throws OptionError naming the field. */
export function toRetryPolicy(options: RetryOptions, path: string): Partial<RetryPolicy> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new OptionError(path, 'must be an object');
  }
  for (const field of Object.keys(options)) {
    if (!FIELDS.has(field)) throw new OptionError(`${path}.${field}`, 'is not an option');
  }
  const { attempts, factor, jitter } = options;
  const policy: Partial<RetryPolicy> = {};
  if (attempts !== undefined) policy.attempts = within(attempts, 1, 100, `${path}.attempts`, true);
  if (factor !== undefined) policy.factor = within(factor, 1, 10, `${path}.factor`);
  if (jitter !== undefined) policy.jitter = within(jitter, 0, 1, `${path}.jitter`);
  if (options.delay !== undefined) policy.delay = toMilliseconds(options.delay, `${path}.delay`);
  if (options.max !== undefined) policy.max = toMilliseconds(options.max, `${path}.max`);
  return policy;
}

/** As {@link toRetryPolicy}, for what an actor declares. */
export function toActorRetryPolicy(options: ActorRetryOptions, path: string): ActorRetryPolicy {
  if (typeof options?.delay !== 'function') return toRetryPolicy(options as RetryOptions, path);
  const { delay: backoff, ...rest } = options;
  return { ...toRetryPolicy(rest, path), backoff };
}

/**
 * Milliseconds to wait after failure number `attempt` (from 1).
 *
 * @param random a number in [0, 1); the place in the jitter's range
 * @param own computes the wait in place of `delay` and `factor`
 * @throws OptionError when `own` answers what is no duration
 */
export function retryDelay(
  policy: RetryPolicy,
  attempt: number,
  random = Math.random(),
  own?: () => Duration,
): number {
  const wanted = own
    ? toMilliseconds(own(), 'retry.delay(...)')
    : policy.delay * policy.factor ** (attempt - 1);
  return Math.round(Math.min(wanted, policy.max) * (1 + policy.jitter * (2 * random - 1)));
}

function within(value: number, from: number, to: number, path: string, whole = false): number {
  const isNumber = typeof value === 'number';
  if (!isNumber || !(value >= from && value <= to) || (whole && !Number.isInteger(value))) {
    throw new OptionError(
      path,
      `must be a ${whole ? 'whole ' : ''}number from ${from} to ${to}, got ${isNumber ? value : typeof value}`,
    );
  }
  return value;
}
