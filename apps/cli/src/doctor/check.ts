/** A mistake that was found. */
export interface Finding {
  /** Stable: what scripts and docs go by. */
  readonly id: string;
  /** An error keeps messages from being handled, or loses some; a warning is told in time. */
  readonly severity: 'error' | 'warning';
  readonly found: string;
  /** More of it, for who wants all: shown with `--json`. */
  readonly details?: readonly string[];
  /** What to do. */
  readonly fix: string;
}

/** One usual mistake: whether it is there, as the facts tell. */
export interface Check<F> {
  readonly id: string;
  readonly severity: Finding['severity'];
  /** What was found; undefined when nothing is wrong. */
  readonly find: (facts: F) => string | undefined;
  /** More of what was found. */
  readonly details?: (facts: F) => readonly string[];
  readonly fix: string;
}

export function examine<F>(checks: readonly Check<F>[], facts: F): Finding[] {
  return checks.flatMap(({ id, severity, find, details, fix }) => {
    const found = find(facts);
    if (found === undefined) return [];
    return [{ id, severity, found, ...(details && { details: details(facts) }), fix }];
  });
}

/** What is the case when something is. */
export function when(is: unknown, found: string): string | undefined {
  return is ? found : undefined;
}
