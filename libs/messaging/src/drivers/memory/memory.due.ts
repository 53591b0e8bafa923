import type { Clock } from '../../clock.js';
import type { Entry } from './memory.entry.js';
import { Heap } from './memory.heap.js';

/** Messages that wait for their time, on one timer. */
export class DueEntries {
  private readonly heap = new Heap<Entry>();
  private order = 0;
  private armedFor = Infinity;
  private disarm?: () => void;
  private isClosed = false;

  /** @param arrived gets those whose time has come together, in order */
  constructor(
    private readonly clock: Clock,
    private readonly arrived: (entries: readonly Entry[]) => void,
  ) {}

  add(entry: Entry, due: number): void {
    entry.slot = this.heap.add(entry, due, this.order++);
    this.arm();
  }

  remove(entry: Entry): void {
    if (entry.slot) this.heap.remove(entry.slot);
    entry.slot = undefined;
  }

  close(): void {
    this.isClosed = true;
    this.disarm?.();
  }

  private arm(): void {
    const due = this.heap.peek()?.rank ?? Infinity;
    if (due >= this.armedFor || this.isClosed) return;
    this.disarm?.();
    this.armedFor = due;
    this.disarm = this.clock.after(Math.max(0, due - this.clock.now()), () => this.ring());
  }

  private ring(): void {
    this.armedFor = Infinity;
    const now = this.clock.now();
    const due: Entry[] = [];
    for (let next = this.heap.peek(); next && next.rank <= now; next = this.heap.peek()) {
      this.heap.take();
      next.item.slot = undefined;
      due.push(next.item);
    }
    this.arrived(due);
    this.arm();
  }
}
