export interface PlainTallyOptions {
  port: number;
  ledger: string;
  /** How long a silent worker keeps its jobs, ms. */
  lock: number;
  /** How long a turn takes, ms: between the two. */
  work: [number, number];
}

export interface PlainAdd {
  id: string;
  key: string;
  n: number;
}

/** Names of its queues, and of the hashes that hold state and timers of keys. */
export const PLAIN = { queue: 'tally', notes: 'notes', states: 'states', timers: 'timers' };
