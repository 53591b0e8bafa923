import { setTimeout } from 'node:timers/promises';
import { StalledError } from './stalled.error.js';
import type { TestEngine } from './test.engine.js';
import { loopTurn, type VirtualClock } from './virtual.clock.js';

/** Turns of the event loop in which turns at work must get on, else they wait for something. */
const LOOPS = 20;
/** How long, in real time, a turn that has set a timer may do something outside before it counts as waiting for that, ms. */
const PATIENCE = 250;
/** The same when all that run gather for a batch, ms. */
const BATCH_PATIENCE = 5;
/** How long a turn may do something outside that waits for no timer, ms. */
const MOST_PATIENCE = 10_000;

/** Runs turns until there is nothing to do without time passing. One at a time: a second one goes on where the first ends. */
export class Drain {
  private underWay?: Promise<number>;
  private isStopped = false;
  private turns = new Map<string, number>();
  /** Turns of which it is known that they wait for time to pass. */
  private waiting = new Set<object>();

  constructor(
    private readonly engine: TestEngine,
    private readonly clock: VirtualClock,
    private readonly most = 100_000,
  ) {}

  /**
   * @param most turns
   * @throws StalledError
   */
  async run(most = this.most): Promise<number> {
    while (this.underWay) await this.underWay.catch(() => undefined);
    this.underWay = this.work(most);
    try {
      return await this.underWay;
    } finally {
      this.underWay = undefined;
      this.engine.shut();
    }
  }

  /** Runs by itself; whoever waits for what it does learns of trouble by waiting in vain. */
  begin(): void {
    this.run().catch(() => undefined);
  }

  /** A turn has ended. */
  count(type: string): void {
    this.turns.set(type, (this.turns.get(type) ?? 0) + 1);
  }

  stop(): void {
    this.isStopped = true;
  }

  private async work(most: number): Promise<number> {
    this.turns = new Map();
    const total = (): number => [...this.turns.values()].reduce((sum, count) => sum + count, 0);
    let seen = this.engine.progress;
    let still = 0;
    let since = 0;
    for (;;) {
      if (this.isStopped) return total();
      const hasActed = this.engine.act();
      if (!hasActed && this.engine.working === 0) return total();
      if (total() > most) throw StalledError.endless(most, this.turns);
      await loopTurn();
      if (hasActed || this.engine.progress !== seen) {
        seen = this.engine.progress;
        still = 0;
      } else if (++still === LOOPS) {
        since = performance.now();
      } else if (still > LOOPS) {
        if (this.waitForTime(performance.now() - since)) return total();
        await setTimeout(1);
      }
    }
  }

  /** Whether the turns at work go on only when time passes. */
  private waitForTime(elapsed: number): boolean {
    const works = this.engine.works();
    if (works.every((work) => this.waiting.has(work))) return true;
    const types = works.map(({ entry }) => entry.envelope.type);
    const owners = new Set(works.map(({ delivery }) => delivery));
    const isBatch = types.every((type) => this.engine.batched.has(type));
    const isAwaited = this.clock.isAwaitedBy(owners);
    const patience = !isAwaited ? MOST_PATIENCE : isBatch ? BATCH_PATIENCE : PATIENCE;
    if (elapsed < patience) return false;
    if (!isAwaited) throw StalledError.stuck(types, patience);
    this.waiting = new Set(works);
    return true;
  }
}
