import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest.first.js';

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    // These suites mostly wait for servers: two cores have time for four of them, if a test may wait its turn.
    maxWorkers: 4,
    // What waits beside each other within a file still has to start processes.
    maxConcurrency: 3,
    sequence: { sequencer: LongestFirst },
    // Ends what the tests of a file have started.
    setupFiles: ['test/support/each.file.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // One load of Nest for all: a fresh one for each of the many small files took a third of their time.
          isolate: false,
          testTimeout: 20_000,
          include: [
            '{apps,libs}/*/src/**/*.spec.ts',
            'test/{support,lint,rules,chat}/**/*.spec.ts',
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'contract',
          include: ['test/{contract,model}/**/*.spec.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'examples',
          include: ['test/examples/**/*.spec.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          // After the others, two files at a time with those of faults: their processes must start in time.
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          globalSetup: './scripts/build.mjs',
          include: ['test/e2e/**/*.spec.ts'],
          testTimeout: 90_000,
          hookTimeout: 90_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          globalSetup: './test/faults/setup.mjs',
          include: ['test/faults/**/*.spec.ts'],
          testTimeout: 90_000,
          hookTimeout: 90_000,
        },
      },
    ],
  },
});
