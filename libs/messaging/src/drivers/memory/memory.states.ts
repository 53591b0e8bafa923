import type { Effects, JournalRow, KeyState, StoredState } from '../../engine.js';
import { LockLostError } from '../../messaging.errors.js';

/** What one actor's keys have beside their messages: states and journals. */
export class States {
  private readonly states = new Map<string, StoredState>();
  /** Oldest row first. */
  private readonly journals = new Map<string, JournalRow[]>();
  private rows = 0;
  /** In order; made when somebody asks, until a key comes or goes. */
  private sorted?: string[];

  get(key: string): StoredState | undefined {
    return this.states.get(key);
  }

  /** @throws LockLostError when the state is no longer the one that the turn began with: then nothing changed */
  commit(key: string, { state, journal, forget }: Partial<Effects>, now: number): void {
    const began = state?.revision ?? forget?.revision;
    if (began !== undefined && (this.states.get(key)?.revision ?? 0) !== began) {
      throw new LockLostError();
    }
    if (forget) {
      this.journals.delete(key);
      if (this.states.delete(key)) this.sorted = undefined;
    }
    if (state) {
      if (!this.states.has(key)) this.sorted = undefined;
      this.states.set(key, { ...structuredClone(state), revision: state.revision + 1 });
    }
    if (journal) this.add(key, journal, now);
  }

  page({ after, limit }: { after?: string; limit: number }): KeyState[] {
    this.sorted ??= [...this.states.keys()].sort(byBytes);
    let [from, to] = [0, after === undefined ? 0 : this.sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (byBytes(this.sorted[middle]!, after!) <= 0) from = middle + 1;
      else to = middle;
    }
    return this.sorted
      .slice(from, from + limit)
      .map((key) => ({ key, state: structuredClone(this.states.get(key)!) }));
  }

  journal(key: string, { before, limit }: { before?: string; limit: number }): JournalRow[] {
    const rows = this.journals.get(key) ?? [];
    const place = before === undefined ? Infinity : placeOf(before);
    const older = rows.filter(({ id }) => placeOf(id) < place);
    return structuredClone(older.slice(-limit).reverse());
  }

  private add(key: string, { rows, keep }: NonNullable<Effects['journal']>, at: number): void {
    const added = rows.map((row) => ({
      id: `${at}-${++this.rows}`,
      at,
      row: structuredClone(row),
    }));
    this.journals.set(key, [...(this.journals.get(key) ?? []), ...added].slice(-keep));
  }
}

function placeOf(id: string): number {
  return Number(id.split('-')[1]);
}

/** As Redis and PostgreSQL compare: UTF-16, as strings compare, has another order. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
