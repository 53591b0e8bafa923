import type { Delivery, Outcome } from './engine.js';
import type { Envelope } from './envelope.js';

/** Watches what happens, for metrics and traces. Must not throw. */
export interface Observer {
  /**
   * Runs one sending: `run` stores the messages or, inside a turn, adds them to what the turn `by` commits. Before that it
   * may write the trace context into the envelopes; whatever it does around `run`, it answers what `run` answers.
   */
  send<T>(envelopes: readonly Envelope[], run: () => Promise<T>, by?: Delivery): Promise<T>;
  /** Runs one turn; whatever it does around `run`, it answers what `run` answers. */
  turn(delivery: Delivery, run: () => Promise<Outcome>): Promise<Outcome>;
}

/** Injection token of the {@link Observer}. */
export const OBSERVER = Symbol('callsheet:observer');

/** Watches nothing. */
export const unobserved: Observer = {
  send: (_, run) => run(),
  turn: (_, run) => run(),
};
