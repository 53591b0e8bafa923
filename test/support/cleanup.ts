import { afterAll } from 'vitest';

const steps: (() => unknown)[] = [];

/**
 * Runs `step` after the suites of the importing file, last registered first: whatever a test leaves behind (a server, a
 * process, a folder) ends with its file. A step must be harmless when its work is already done.
 */
export function atEnd(step: () => unknown): void {
  steps.push(step);
}

// Vitest loads this module anew for each test file, so the hook belongs to that file. A step that fails must not keep
// the others from running: a leaked server would outlive the run.
afterAll(async () => {
  const failures: unknown[] = [];
  for (const step of steps.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'cleaning up after the tests failed');
}, 60_000);
