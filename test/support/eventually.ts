import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Milliseconds after which it gives up, even if a check is still pending. Default 10 000. */
  timeout?: number;
  /** Milliseconds between two checks. Default 25. */
  interval?: number;
}

/** A check whose value is sometimes `undefined` would pass on "not found", as if it were an assertion: return `null` instead. */
type NotUndefined<T> = undefined extends T ? (void extends T ? unknown : never) : unknown;

/**
 * Repeats `check` until it holds: until it returns something truthy, or returns nothing and does not throw (assertions).
 *
 * @returns what the check returned
 * @throws the error of the last check
 */
export async function eventually<T>(
  check: (() => T | Promise<T>) & NotUndefined<T>,
  { timeout = 10_000, interval = 25 }: EventuallyOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeout;
  let last: unknown;
  for (;;) {
    try {
      const value = await within(deadline - performance.now(), check, last);
      if (value || value === undefined) return value;
      last = new Error(`eventually: the check returned ${String(value)} until the end`);
    } catch (error) {
      last = error;
    }
    if (performance.now() + interval >= deadline) throw last;
    await delay(interval);
  }
}

async function within<T>(
  ms: number,
  check: () => T | Promise<T>,
  previous: unknown,
): Promise<Awaited<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error('eventually: the check did not settle in time', { cause: previous });
    timer = setTimeout(() => reject(error), ms);
  });
  try {
    return await Promise.race([check(), late]);
  } finally {
    clearTimeout(timer);
  }
}
