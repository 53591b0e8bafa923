/** A mistake that was found. */
export interface Finding {
  /** Stable: what scripts and docs go by. */
  readonly id: string;
  /** An error keeps messages from being handled, or loses some; a warning is told in time. */
  readonly severity: 'error' | 'warning';
  readonly found: string;
  /** What to do. */
  readonly fix: string;
}

/** One usual mistake: whether it is there, as the facts tell. */
export interface Check<F> {
  readonly id: string;
  readonly severity: Finding['severity'];
  /** What was found; undefined when nothing is wrong. */
  readonly find: (facts: F) => string | undefined;
  readonly fix: string;
}

export function examine<F>(checks: readonly Check<F>[], facts: F): Finding[] {
  return checks.flatMap(({ id, severity, find, fix }) => {
    const found = find(facts);
    return found === undefined ? [] : [{ id, severity, found, fix }];
  });
}

/** What is the case when something is. */
export function when(is: unknown, found: string): string | undefined {
  return is ? found : undefined;
}
