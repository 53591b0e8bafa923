import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Specs that take half a minute and more, the longest first. The last one to begin is the one that all wait for; without what
 * an earlier run has measured, as on a fresh clone, vitest begins with the largest files, and these are small.
 */
const LONGEST = [
  'test/e2e/survival.spec.ts',
  // Waits, while the one before and the one behind, side by side, would keep each other from starting their processes.
  'test/faults/scenarios/crowd.spec.ts',
  'test/e2e/ledger.spec.ts',
  'test/e2e/console.operations.spec.ts',
  'test/e2e/console.spec.ts',
  'test/e2e/start.errors.spec.ts',
  'test/e2e/console.letters.spec.ts',
  'test/contract/postgres.spec.ts',
  'test/contract/pglite.spec.ts',
  'test/model/postgres.spec.ts',
  'test/model/redis.spec.ts',
  'test/contract/redis.cluster.spec.ts',
  'test/contract/redis.spec.ts',
  'test/contract/control.spec.ts',
  'test/faults/scenarios/kills.spec.ts',
  'test/e2e/scenarios.spec.ts',
];

/** The order in which specs begin. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(name));
      return found < 0 ? LONGEST.length : found;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
