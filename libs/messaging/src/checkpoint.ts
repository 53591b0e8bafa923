import type { Delivery } from './engine.js';

/** A place where a turn gives control back to the framework. */
export type Step =
  /** Its checks are done; the handler is called next. */
  | 'start'
  /** The handler sends a message. */
  | 'send'
  /** The handler has ended. */
  | 'handled';

/** Called at each step of each turn. What it returns is awaited: tests interleave turns, and end them, there. */
export type Checkpoint = (step: Step, delivery: Delivery) => Promise<void> | undefined;

/** Injection token of the {@link Checkpoint}. */
export const CHECKPOINT = Symbol('callsheet:checkpoint');

/** Injection token of the random numbers in [0, 1) that jitter is made from. */
export const RANDOM = Symbol('callsheet:random');
