import type { SearchPage } from '../../engine.js';
import { placeOf, sentLastFirst } from '../../search.result.js';
import type { Entry } from './memory.entry.js';

/** Messages by their terms. */
export class Terms {
  private readonly byTerm = new Map<string, Set<Entry>>();

  add(entry: Entry): void {
    for (const term of entry.envelope.terms ?? []) {
      const found = this.byTerm.get(term) ?? new Set();
      this.byTerm.set(term, found.add(entry));
    }
  }

  remove(entry: Entry): void {
    for (const term of entry.envelope.terms ?? []) {
      const found = this.byTerm.get(term);
      found?.delete(entry);
      if (found?.size === 0) this.byTerm.delete(term);
    }
  }

  /** Those of these actors that have the term, sent last first. */
  search(actors: readonly string[], term: string, { after, limit }: SearchPage): Entry[] {
    return [...(this.byTerm.get(term) ?? [])]
      .filter((entry) => actors.includes(entry.envelope.actor))
      .filter((entry) => !after || sentLastFirst(placeOf(entry), after) > 0)
      .sort((a, b) => sentLastFirst(placeOf(a), placeOf(b)))
      .slice(0, limit);
  }
}
