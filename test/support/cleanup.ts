const steps: (() => unknown)[] = [];

/**
 * Runs `step` after the suites of the file at work, last registered first: whatever a test leaves behind (a server, a process, a
 * folder) ends with its file. A step must be harmless when its work is already done.
 */
export function atEnd(step: () => unknown): void {
  steps.push(step);
}

/** Runs them. A step that fails must not keep the others from running: a leaked server would outlive the run. */
export async function cleanUp(): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'cleaning up after the tests failed');
}
