import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers';
import type { Clock } from '../clock.js';
import { toMilliseconds, type Duration } from '../duration.js';
import { Heap, type Slot } from '../drivers/memory/memory.heap.js';

/** Where a virtual clock starts. */
export const START = Date.UTC(2026, 0, 1);

/** On whose behalf code runs: its timers are remembered as his. */
export const owner = new AsyncLocalStorage<object>();

interface Timer {
  ring(): void;
  owner: object | undefined;
}

/** A clock that stands still until somebody moves it. Days pass in no time, in the order in which things are due. */
export class VirtualClock implements Clock {
  private readonly timers = new Heap<Timer>();
  private time: number;
  private order = 0;

  /** @param start a date, or epoch milliseconds; default 2026-01-01T00:00:00Z */
  constructor(start: Date | number = START) {
    this.time = Number(start);
  }

  now(): number {
    return this.time;
  }

  /** A wait of nothing rings by itself, soon: no time need pass for it. */
  after(ms: number, ring: () => void): () => void {
    const timer = { ring, owner: owner.getStore() };
    const slot = this.timers.add(timer, this.time + Math.max(0, ms), this.order++);
    if (ms <= 0) setImmediate(() => this.ring(slot));
    return () => this.timers.remove(slot);
  }

  /** When the next timer rings; undefined when there is none. */
  get next(): number | undefined {
    return this.timers.peek()?.rank;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.timers.size;
  }

  /**
   * Moves time on. Timers ring when theirs has come, one after another; what one of them sets off comes to an end before
   * the next one rings.
   *
   * @param settle waits for that end; default: for ten turns of the event loop
   * @throws OptionError for what is no duration
   */
  async advance(duration: Duration, settle: () => Promise<unknown> = loopTurns): Promise<void> {
    const end = this.time + toMilliseconds(duration, 'duration');
    await settle();
    while (await this.ringNext(end)) await settle();
    this.time = Math.max(this.time, end);
  }

  /** Rings the next timer that is due until then. @returns false when there is none */
  async ringNext(until: number): Promise<boolean> {
    const slot = this.timers.peek();
    if (!slot || slot.rank > until) return false;
    this.time = Math.max(this.time, slot.rank);
    this.ring(slot);
    await loopTurn();
    return true;
  }

  /** Whether one of these has set a timer that has not rung. */
  isAwaitedBy(owners: ReadonlySet<object>): boolean {
    return this.timers.items().some((timer) => timer.owner && owners.has(timer.owner));
  }

  /** Drops the timers that these have set. */
  forget(owners: ReadonlySet<object>): void {
    for (const slot of this.timers.all()) {
      if (slot.item.owner && owners.has(slot.item.owner)) this.timers.remove(slot);
    }
  }

  /** Drops all timers. */
  clear(): void {
    for (const slot of this.timers.all()) this.timers.remove(slot);
  }

  private ring(slot: Slot<Timer>): void {
    if (slot.isGone) return;
    this.timers.remove(slot);
    slot.item.ring();
  }
}

async function loopTurns(): Promise<void> {
  for (let n = 0; n < 10; n++) await loopTurn();
}

/** Everything that is under way and waits for nothing outside has its turn. Fake timers do not stop it. */
export function loopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
