import type { Event } from './ledger.js';

/** What one committed turn has left in the store, beside the state of its key. */
export interface Commit {
  /** The message that was handled. */
  of: string;
  /** The execution that was committed. */
  run: string;
  key?: string;
  n?: number;
  /** Ids of messages that were committed with it, and so are owed. */
  sent?: string[];
}

/** What the tally of one key is made of. A lost, doubled or moved `n` shows in the digest for ever. */
export interface Tally {
  count: number;
  last: number;
  digest: number;
}

/** What is in the store when all is over, read without the system under test where that can be. */
export interface Remains {
  /** One per commit: a message that each turn sends under an id of its own. */
  commits: Commit[];
  /** The same as rows of a table, written by SQL of the turn. */
  rows?: Commit[];
  /** Ids of dead letters. */
  dead: string[];
  /** Ids of what was not handled yet. */
  pending: string[];
  states: Record<string, Tally>;
  /** For each key, the `n` of the turn that moved its timer last. */
  timers: Record<string, number>;
  /** Locks, mailboxes and messages that nobody will ever take away. */
  leftovers: string[];
}

/** Everything that checks see. */
export interface History {
  events: readonly Event[];
  remains: Remains;
}

export const EMPTY: Remains = {
  commits: [],
  dead: [],
  pending: [],
  states: {},
  timers: {},
  leftovers: [],
};

export const NEW: Tally = { count: 0, last: -1, digest: 17 };

/** The tally after one more message. The handler does this, and the checks do it again. */
export function tallied({ count, digest }: Tally, n: number): Tally {
  return { count: count + 1, last: n, digest: (Math.imul(digest, 31) + n + 1) | 0 };
}
