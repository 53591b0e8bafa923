/** How much one evaluation of a filter may do. A step takes some ten nanoseconds, up to a microsecond in a regex. */
const MOST_STEPS = 500_000;

/** Of the evaluation that runs: it is synchronous, so there is one at most. Outside of one nothing is counted. */
let left = Infinity;

/**
 * Runs an evaluation.
 *
 * @throws Error when it has charged more than its steps, whatever it made of that
 */
export function withinBudget<T>(run: () => T): T {
  const { stackTraceLimit } = Error;
  left = MOST_STEPS;
  // Of a field that is missing the library makes an error, most of whose time would go into a stack that nobody reads.
  Error.stackTraceLimit = 0;
  try {
    const result = run();
    charge(0);
    return result;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    left = Infinity;
  }
}

/** Takes steps of the evaluation that runs. @throws Error when it has none left */
export function charge(steps: number): void {
  left -= steps;
  if (left < 0) throw new Error(`takes more than ${MOST_STEPS} steps`);
}
