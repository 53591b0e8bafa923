import type { AttemptRecord, QuarantinedKey } from '../../engine.js';
import type { Entry } from './memory.entry.js';
import { Line } from './memory.line.js';

/** The messages of one key, in the order in which they came. Only the first is ever ready, in work or waiting to be retried. */
export class Mailbox {
  private readonly line = new Line<Entry>();
  private stopped?: { since: number; storageId: string; attempt: AttemptRecord };

  constructor(readonly key: string) {}

  get head(): Entry | undefined {
    return this.line.first;
  }

  get depth(): number {
    return this.line.size;
  }

  /** Messages that wait: all but the one in work. */
  get waiting(): number {
    return this.depth - (this.head?.state === 'active' ? 1 : 0);
  }

  get isQuarantined(): boolean {
    return this.stopped !== undefined;
  }

  /**
   * At the end; but redriven messages stand in the order in which they died, in whatever order they are redriven. The first
   * gives way too, unless it has begun.
   */
  join(entry: Entry): void {
    let next;
    for (const place of entry.death === undefined ? [] : this.line.backwards()) {
      const { death, startedAt } = place.item;
      const hasBegun = place.item === this.head && startedAt !== undefined;
      if (hasBegun || death === undefined || death < entry.death!) break;
      next = place;
    }
    entry.place = this.line.join(entry, next);
    entry.mailbox = this;
  }

  leave(entry: Entry): void {
    if (entry.place) this.line.leave(entry.place);
    entry.place = undefined;
    entry.mailbox = undefined;
  }

  quarantine({ storageId }: Entry, attempt: AttemptRecord, since: number): void {
    this.stopped = { since, storageId, attempt: structuredClone(attempt) };
  }

  /** @returns false when it was not quarantined */
  release(): boolean {
    const was = this.isQuarantined;
    this.stopped = undefined;
    return was;
  }

  /** Undefined when it is not quarantined. */
  report(): QuarantinedKey | undefined {
    return this.stopped && structuredClone({ key: this.key, depth: this.depth, ...this.stopped });
  }

  [Symbol.iterator](): Iterator<Entry> {
    return this.line[Symbol.iterator]();
  }
}
