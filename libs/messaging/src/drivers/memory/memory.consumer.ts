import type { Consumer, Outcome, TurnFunction } from '../../engine.js';
import { StoppingError } from '../../messaging.errors.js';
import { withinTime } from '../../within.time.js';
import type { Entry } from './memory.entry.js';

/** Takes entries one by one while there is room, and lets the running ones end when it stops. */
export class MemoryConsumer implements Consumer {
  private readonly running = new Map<AbortController, Promise<void>>();
  private stopped = false;

  constructor(
    private readonly concurrency: number,
    private readonly turn: TurnFunction,
    private readonly take: () => Entry | undefined,
    private readonly commit: (entry: Entry, outcome: Outcome) => void,
  ) {}

  /** There may be something to do. */
  wake(): void {
    while (!this.stopped && this.running.size < this.concurrency) {
      const entry = this.take();
      if (!entry) return;
      const controller = new AbortController();
      this.running.set(controller, this.run(entry, controller));
    }
  }

  async stop(grace: number): Promise<void> {
    this.stopped = true;
    const ended = Promise.all(this.running.values());
    const timer = setTimeout(() => {
      for (const controller of this.running.keys()) controller.abort(new StoppingError());
    }, grace);
    // A turn that ignores its signal is left behind.
    await withinTime(grace + 2_500, ended);
    clearTimeout(timer);
  }

  private async run(entry: Entry, { signal }: AbortController): Promise<void> {
    // Leaves the sender's call stack: its send resolves before the turn starts.
    await new Promise((resolve) => setImmediate(resolve));
    const outcome = await this.turn({
      envelope: structuredClone(entry.envelope),
      attempt: entry.failures + 1,
      isFirst: entry.starts === 1,
      history: entry.history,
      crashes: 0,
      startedAt: entry.startedAt ?? Date.now(),
      ...(entry.occurrence !== undefined && { occurrence: entry.occurrence }),
      signal,
    });
    this.commit(entry, outcome);
    for (const controller of this.running.keys()) {
      if (controller.signal === signal) this.running.delete(controller);
    }
    this.wake();
  }
}
