import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';

/** Events, one after another, until it is stopped. */
export class Flood {
  n = 0;
  private isOver = false;
  private readonly end: Promise<void>;

  constructor(publish: (n: number) => Promise<unknown>) {
    this.end = this.run(publish);
    // Whoever waits for it hears of it.
    this.end.catch(() => undefined);
  }

  /** Until so many more have been published. */
  async passes(more: number): Promise<void> {
    const from = this.n;
    await eventually(() => this.n > from + more, { timeout: 20_000 });
  }

  stop(): Promise<void> {
    this.isOver = true;
    return this.end;
  }

  private async run(publish: (n: number) => Promise<unknown>): Promise<void> {
    for (; !this.isOver && this.n < 20_000; this.n++) {
      await publish(this.n);
      // Those who receive them have the same two cores.
      await delay(10);
    }
  }
}
