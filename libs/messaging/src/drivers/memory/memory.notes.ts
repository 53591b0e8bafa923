import type { Json } from '../../json.js';

interface Note {
  /** JSON: nothing is shared with whoever noted it. */
  text: string;
  until: number;
}

/** Values noted under names, each for a while. */
export class Notes {
  private readonly notes = new Map<string, Note>();

  /** The first stays. @returns what is noted then */
  add(name: string, value: Json, age: number, now: number): Json {
    const known = this.get(name, now);
    if (known !== undefined) return known;
    for (const [other, { until }] of this.notes) if (until <= now) this.notes.delete(other);
    this.notes.set(name, { text: JSON.stringify(value), until: now + age });
    return this.get(name, now) ?? value;
  }

  get(name: string, now: number): Json | undefined {
    const note = this.notes.get(name);
    return note && note.until > now ? (JSON.parse(note.text) as Json) : undefined;
  }
}
