import assert from 'node:assert/strict';
import type { Child } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import type { CrowdOptions } from './crowd.worker.js';
import { progressOf } from './ledger.js';
import { opened } from './remains.js';
import { Run } from './run.js';

/** As `crowd.worker.ts` has it, which runs as a process and is not imported. */
const POISONED = 3;
const INNOCENTS = Array.from({ length: 30 }, (_, n) => `innocent-${n}`);
const POISON = 'poison';

/** What became of a crowd. */
export interface Crowd {
  /** Of how many nothing is left to do. */
  done: number;
  /** Ids of those given up, and why. */
  dead: [string, string | undefined][];
  /** How often a process died. */
  deaths: number;
  /** With how many of them at work the first process died. */
  together: number;
}

/** Messages whose worker is killed each time as soon as it works on any, until it is left alone. */
export async function killed(name: string, url: string, kills: number): Promise<Crowd> {
  const crowd = new CrowdRun(name, url);
  try {
    for (let kill = 0; kill < kills; kill++) {
      const worker = crowd.start({});
      // The first takes all of them with it.
      await crowd.run.reached(worker, kill === 0 ? INNOCENTS.length : 1);
      await worker.kill();
    }
    await crowd.idle(crowd.start({ work: 10 }));
    return await crowd.end(kills);
  } finally {
    await crowd.run.end();
  }
}

/** Messages beside one that ends its process, which is begun anew each time. */
export async function poisoned(name: string, url: string): Promise<Crowd> {
  const crowd = new CrowdRun(name, url);
  try {
    let deaths = 0;
    while (deaths < 20) {
      const worker = crowd.start({ poison: POISON, work: 200 });
      const isOver = await crowd.idle(worker);
      if (isOver) break;
      const { code } = await worker.exited;
      assert.equal(code, POISONED, worker.output);
      deaths++;
    }
    return await crowd.end(deaths);
  } finally {
    await crowd.run.end();
  }
}

class CrowdRun {
  readonly run: Run;
  private first?: Child;
  private last?: Child;

  constructor(
    name: string,
    private readonly url: string,
  ) {
    this.run = new Run(name);
  }

  start(more: Partial<CrowdOptions>): Child {
    const { url } = this;
    // An embedded store works in the process that it serves: it is slower, and late with renewing locks.
    const lock = url.startsWith('pglite:') ? 5_000 : 2_000;
    const options = { url, lock, innocents: INNOCENTS, ...more };
    const worker = this.run.start('crowd.worker.js', options);
    this.first ??= worker;
    this.last = worker;
    return worker;
  }

  /** Waits until nothing is left to do, or the process has ended. @returns whether nothing is left */
  idle(worker: Child): Promise<boolean> {
    const seen = { isOver: false };
    return eventually(
      () => {
        seen.isOver = this.run
          .events()
          .some(({ kind, pid }) => kind === 'idle' && pid === worker.pid);
        return seen.isOver || !worker.running;
      },
      { timeout: 120_000, interval: 100 },
    ).then(() => seen.isOver);
  }

  async end(deaths: number): Promise<Crowd> {
    await this.last?.stop();
    const together = progressOf(this.run.dir, this.first?.pid ?? 0);
    const engine = await opened(this.url);
    try {
      const letters = await engine.deadLetters(['crowd'], { limit: 100 });
      const { done } = await engine.counts('crowd');
      this.run.forget();
      return {
        done,
        dead: letters.map(({ envelope: { id }, reason }) => [id, reason]),
        deaths,
        together,
      };
    } finally {
      await engine.close();
    }
  }
}
