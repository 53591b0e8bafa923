import type { DeadLetterPlace } from '../../engine.js';
import type { Entry } from './memory.entry.js';
import { Line } from './memory.line.js';

/** How long (ms), and how many, ended messages are kept. */
export interface Keep {
  age: number;
  count: number;
}

/** Handled and cancelled messages of one actor, in the order in which they ended. */
export class Handled {
  private readonly line = new Line<Entry>();

  constructor(private readonly keep: Keep) {}

  add(entry: Entry): void {
    entry.place = this.line.join(entry);
  }

  remove(entry: Entry): void {
    if (entry.place) this.line.leave(entry.place);
    entry.place = undefined;
  }

  /** Those that are no longer to be kept, taken out. */
  *expire(now: number): Generator<Entry> {
    for (let oldest = this.line.first; oldest; oldest = this.line.first) {
      const age = now - (oldest.finishedAt ?? now);
      if (this.line.size <= this.keep.count && age <= this.keep.age) return;
      this.remove(oldest);
      yield oldest;
    }
  }

  /** The last that were handled, newest first. */
  latest(limit: number): Entry[] {
    const found: Entry[] = [];
    for (const { item } of this.line.backwards()) {
      if (found.length >= limit) break;
      if (item.state === 'done') found.push(item);
    }
    return found;
  }
}

/** Dead letters of one actor, oldest first, those of one moment by storage id. */
export class Letters {
  private readonly list: Entry[] = [];

  constructor(private readonly keep: Keep) {}

  add(entry: Entry): void {
    this.list.splice(this.indexOf(entry), 0, entry);
  }

  remove(entry: Entry): void {
    this.list.splice(this.indexOf(entry), 1);
  }

  /** Those that are no longer to be kept, taken out. */
  *expire(now: number): Generator<Entry> {
    for (let oldest = this.list[0]; oldest; oldest = this.list[0]) {
      const age = now - (oldest.finishedAt ?? now);
      if (this.list.length <= this.keep.count && age <= this.keep.age) return;
      yield this.list.shift()!;
    }
  }

  /** Newest first, those after a place if one is given. */
  latest(limit: number, after?: DeadLetterPlace): Entry[] {
    const end = after ? this.indexOf(after) : this.list.length;
    return this.list.slice(Math.max(0, end - limit), end).reverse();
  }

  /** Of the first that does not come before this place. */
  private indexOf(place: Partial<DeadLetterPlace>): number {
    let [from, to] = [0, this.list.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (newestFirst(this.list[middle]!, place) > 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** Order of dead letters over several actors. */
export function newestFirst(a: Partial<DeadLetterPlace>, b: Partial<DeadLetterPlace>): number {
  const byTime = (b.finishedAt ?? 0) - (a.finishedAt ?? 0);
  const [idA = '', idB = ''] = [a.storageId, b.storageId];
  return byTime || (idA < idB ? 1 : idA === idB ? 0 : -1);
}
