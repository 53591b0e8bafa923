import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventsOf, groupBy } from './checks/check.js';
import { recoveries } from './checks/promises.js';
import type { History } from './history.js';

/** Where reports, and the ledgers of runs that failed, are. */
export const REPORTS = process.env['FAULTS_REPORTS'] ?? path.join(tmpdir(), 'callsheet-faults');

export type Figures = Record<string, number | string>;

export interface Reported {
  name: string;
  seed: number;
  seconds: number;
  history: History;
  verdicts: readonly (readonly [string, readonly string[]])[];
  figures: Figures;
}

/** Writes the figures of a run to a file and to the console, when all is well too: a run that did little should be seen. */
export function report({ name, seed, seconds, history, verdicts, figures }: Reported): void {
  const faults = [...groupBy(eventsOf(history, 'fault'), (fault) => fault.name)];
  const starts = eventsOf(history, 'start');
  const waits = recoveries(history);
  const all: Figures = {
    seed,
    seconds,
    ...Object.fromEntries(faults.map(([fault, each]) => [fault, each.length])),
    sent: eventsOf(history, 'intent').length,
    committed: history.remains.commits.length,
    dead: history.remains.dead.length,
    'begun again': starts.length - new Set(starts.map(({ id }) => id)).size,
    ...(waits.length > 0 && { 'recovery p100 ms': Math.round(waits.at(-1)! / 1_000) }),
    ...figures,
    violations: verdicts.reduce((sum, [, found]) => sum + found.length, 0),
  };
  mkdirSync(REPORTS, { recursive: true });
  const file = path.join(REPORTS, `${name.replaceAll(/\W+/g, '-')}.json`);
  writeFileSync(
    file,
    JSON.stringify({ name, ...all, found: Object.fromEntries(verdicts) }, null, 2),
  );
  const line = Object.entries(all).map(([title, value]) => `${title} ${value}`);
  console.log(`${name}: ${line.join(', ')}`);
}
