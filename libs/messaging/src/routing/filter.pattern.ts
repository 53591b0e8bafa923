import type { RE2JS } from '@bufbuild/re2';
import { charge } from './budget.js';
import { re2 } from './re2.js';

const LONGEST = 1_000;
const MOST_REPEATS = 300;
const MOST_INSTRUCTIONS = 1_000;
const MOST_KNOWN = 1_000;
/** A compiled pattern remembers every character it has met in each of its states, so it is made anew now and then. */
const CHARACTERS = 4_000_000;

const COUNTED = /\{(\d{1,9})(?:,(\d{0,9}))?\}/g;

const known = new Map<string, Pattern>();

/** A regular expression as RE2 reads it: without look-around and back references, and so without backtracking. */
export class Pattern {
  private compiled: RE2JS;
  private readonly instructions: number;
  private met = 0;

  /** @throws Error, one sentence, for what is no pattern or too large a one */
  constructor(private readonly source: string) {
    if (source.length > LONGEST)
      throw new Error(`has a pattern of more than ${LONGEST} characters`);
    // Before it is compiled: counted repeats are written out.
    if (repeatsOf(source) > MOST_REPEATS) {
      throw new Error(`has a pattern with more than ${MOST_REPEATS} counted repeats`);
    }
    this.compiled = compile(source);
    this.instructions = this.compiled.re2().prog.numInst();
    if (this.instructions > MOST_INSTRUCTIONS) throw new Error('has a pattern that is too large');
  }

  /** Whether it is found anywhere in the text. */
  test(text: string): boolean {
    // As of a pattern whose states have become too many to be remembered: then each instruction is looked at.
    charge((text.length * this.instructions) / 4);
    this.met += text.length;
    if (this.met > CHARACTERS) {
      this.met = text.length;
      this.compiled = compile(this.source);
    }
    return this.compiled.test(text);
  }
}

/** The pattern of a source, compiled or remembered. @throws Error as of {@link Pattern} */
export function patternOf(source: string): Pattern {
  let pattern = known.get(source);
  if (pattern) {
    known.delete(source);
  } else {
    charge(1_000 + 10 * source.length);
    pattern = new Pattern(source);
  }
  // The one that was used last stands last.
  known.set(source, pattern);
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value as string);
  return pattern;
}

function compile(source: string): RE2JS {
  try {
    return re2().RE2JS.compile(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`has a pattern that RE2 cannot read: ${reason.slice(0, 100)}`);
  }
}

function repeatsOf(source: string): number {
  let repeats = 0;
  for (const [, least, most] of source.matchAll(COUNTED)) repeats += Number(most || least);
  return repeats;
}
