/** One item's place in a {@link Heap}. */
export interface Slot<T> {
  readonly item: T;
  readonly rank: number;
  readonly order: number;
  isGone: boolean;
}

/** Below this many slots it is not worth clearing out those that are gone. */
const FEW = 64;

/** Gives items by rank, equal ones by order, least first. Items can leave from anywhere. */
export class Heap<T> {
  private slots: Slot<T>[] = [];
  private live = 0;

  get size(): number {
    return this.live;
  }

  add(item: T, rank: number, order: number): Slot<T> {
    const slot = { item, rank, order, isGone: false };
    this.live++;
    this.slots.push(slot);
    this.rise(this.slots.length - 1);
    return slot;
  }

  remove(slot: Slot<T>): void {
    if (slot.isGone) return;
    slot.isGone = true;
    this.live--;
    if (this.slots.length < FEW || this.live * 2 > this.slots.length) return;
    // A sorted list is a heap.
    this.slots = this.slots.filter(({ isGone }) => !isGone).sort(compare);
  }

  /** In no order. */
  *[Symbol.iterator](): Generator<T> {
    for (const { item, isGone } of this.slots) if (!isGone) yield item;
  }

  /** The least, left where it is. */
  peek(): Slot<T> | undefined {
    while (this.slots[0]?.isGone) this.pop();
    return this.slots[0];
  }

  /** The least, taken out. */
  take(): T | undefined {
    const slot = this.peek();
    if (!slot) return undefined;
    this.pop();
    this.live--;
    slot.isGone = true;
    return slot.item;
  }

  /** All items, least first. */
  items(): T[] {
    return this.all()
      .sort(compare)
      .map(({ item }) => item);
  }

  /** All places, in no order. */
  all(): Slot<T>[] {
    return this.slots.filter(({ isGone }) => !isGone);
  }

  private pop(): void {
    const last = this.slots.pop();
    if (last === undefined || this.slots.length === 0) return;
    this.slots[0] = last;
    this.sink(0);
  }

  private rise(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  private sink(from: number): void {
    for (let at = from; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const [a, b] = [this.slots[left], this.slots[right]];
      if (a === undefined) return;
      const child = b !== undefined && compare(b, a) < 0 ? right : left;
      if (!this.swapIfBefore(child, at)) return;
      at = child;
    }
  }

  private swapIfBefore(child: number, parent: number): boolean {
    const [a, b] = [this.slots[child]!, this.slots[parent]!];
    if (compare(a, b) >= 0) return false;
    this.slots[child] = b;
    this.slots[parent] = a;
    return true;
  }
}

function compare(a: Slot<unknown>, b: Slot<unknown>): number {
  return a.rank - b.rank || a.order - b.order;
}
