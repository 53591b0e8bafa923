import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import path from 'node:path';
import { Child } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { CHECKS, enoughFaults, type CheckName } from './checks/index.js';
import type { History, Remains } from './history.js';
import { Ledger, progressOf, readLedger, type Event } from './ledger.js';
import { Nemesis } from './nemesis.js';
import { REPORTS, report, type Figures } from './report.js';
import type { WorkerOptions } from './tally.worker.js';

/** `npm run test:faults` runs the whole of it; `npm test` a part. */
export const isFull = process.env['FAULTS'] === 'full';

/** Behind the name of what `npm test` leaves out. */
export const ONLY_FULL = isFull ? '' : ' (skipped: npm run test:faults runs it)';

const BUILT = path.join(import.meta.dirname, '../../dist/test/faults');

export interface Judgement {
  remains: Remains;
  /** How many faults of each name there must have been. */
  faults: Readonly<Record<string, number>>;
  /** Checks that do not hold under this fault, each with the reason. */
  except?: Partial<Record<CheckName, string>>;
  figures?: Figures;
}

/** One run of a scenario: its ledger, its nemesis and its processes; at the end it is judged, and its ledger kept if it failed. */
export class Run {
  readonly dir: string;
  readonly ledger: Ledger;
  readonly nemesis: Nemesis;
  private readonly began = performance.now();
  private readonly children: Child[] = [];

  constructor(readonly name: string) {
    this.dir = path.join(REPORTS, name.replaceAll(/\W+/g, '-'));
    rmSync(this.dir, { recursive: true, force: true });
    mkdirSync(this.dir, { recursive: true });
    this.ledger = new Ledger(this.dir);
    this.nemesis = new Nemesis(this.ledger);
  }

  /** How long it has taken so far, to a tenth. */
  get seconds(): number {
    return Math.round((performance.now() - this.began) / 100) / 10;
  }

  /** Starts a process of this suite. */
  start(script: string, options: object, env: NodeJS.ProcessEnv = {}): Child {
    const args = [path.join(BUILT, script), JSON.stringify({ ledger: this.dir, ...options })];
    const child = new Child(process.execPath, args, { env: { ...process.env, ...env } });
    this.children.push(child);
    return child;
  }

  worker(options: Partial<WorkerOptions> & { url: string }, env?: NodeJS.ProcessEnv): Child {
    const isEmbedded = options.url.startsWith('pglite:');
    const defaults = {
      // An embedded store works in the process that it serves: it is slower, and late with renewing locks.
      lock: isEmbedded ? 5_000 : 2_000,
      work: [5, 20],
      sql: !options.url.startsWith('redis'),
    };
    return this.start('tally.worker.js', { ...defaults, ...options }, env);
  }

  events(): Event[] {
    return readLedger(this.dir);
  }

  /** Waits until a process has written `lines` lines. */
  async reached(child: Child, lines: number): Promise<void> {
    const isThere = (): boolean => {
      if (!child.running) throw new Error(`a process ended by itself:\n${child.output}`);
      return progressOf(this.dir, child.pid!) >= lines;
    };
    await eventually(isThere, { timeout: 60_000, interval: 20 });
  }

  /** Ends a process, and writes it down. One that is told to must end by itself. */
  async down(child: Child, by: 'kill -9' | 'SIGTERM'): Promise<void> {
    const signal = by === 'SIGTERM' ? by : 'SIGKILL';
    await this.nemesis.harm(
      by,
      async () => {
        const exit = await child.stop(signal);
        // Nest closes the application, then ends the process with the signal that it was told; code 1 is our hard timer.
        const isOrderly = by === 'kill -9' || exit.code === 0 || exit.signal === 'SIGTERM';
        assert(
          isOrderly,
          `it ended with code ${exit.code}, signal ${exit.signal}:\n${child.output}`,
        );
      },
      child.pid,
    );
  }

  /** Checks what happened, reports it, and fails with everything that is wrong. */
  judge({ remains, faults, except = {}, figures = {} }: Judgement): History {
    const history = { events: this.events(), remains };
    const verdicts = Object.entries({ ...CHECKS, enoughFaults: enoughFaults(faults) })
      .filter(([name]) => !(name in except))
      .map(([name, check]) => [name, check(history)] as const)
      .filter(([, found]) => found.length > 0);
    const { name, seconds } = this;
    report({ name, seed: this.nemesis.seed, seconds, history, verdicts, figures });
    if (verdicts.length > 0) {
      for (const { pid, output } of this.children) {
        writeFileSync(path.join(this.dir, `${pid}.log`), output);
      }
    }
    const found = Object.fromEntries(verdicts.map(([name, all]) => [name, all.slice(0, 10)]));
    assert.deepEqual(
      found,
      {},
      `seed ${this.nemesis.seed}, ledger in ${this.dir}: ${JSON.stringify(found, null, 2)}`,
    );
    this.forget();
    return history;
  }

  /** Ends what is still running of it. */
  async end(): Promise<void> {
    await Promise.all(this.children.map((child) => child.kill()));
  }

  /** Removes the ledger of a run that went as it should. */
  forget(): void {
    rmSync(this.dir, { recursive: true });
  }
}
