/** Occurrences as instants, ms since 1970-01-01T00:00Z. What they answer depends on nothing but the argument. */
export interface Instants {
  /** The first one after `instant`. */
  next(instant: number): number | undefined;
  /** The last one before `instant`. */
  previous(instant: number): number | undefined;
}

/** All that at least one of the parts has. */
export function union(parts: readonly Instants[]): Instants {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  return {
    next: (instant) =>
      best(
        parts.map((part) => part.next(instant)),
        Math.min,
      ),
    previous: (instant) =>
      best(
        parts.map((part) => part.previous(instant)),
        Math.max,
      ),
  };
}

/** Those of a sorted list. */
export function listed(instants: readonly number[]): Instants {
  return {
    next: (instant) => instants.find((at) => at > instant),
    previous: (instant) => instants.findLast((at) => at < instant),
  };
}

/** One every `every` ms, one of them at `base`. */
export function repeated(every: number, base: number): Instants {
  return {
    next: (instant) => base + (Math.floor((instant - base) / every) + 1) * every,
    previous: (instant) => base + (Math.ceil((instant - base) / every) - 1) * every,
  };
}

function best(
  found: readonly (number | undefined)[],
  choose: (...of: number[]) => number,
): number | undefined {
  const some = found.filter((instant) => instant !== undefined);
  return some.length > 0 ? choose(...some) : undefined;
}
