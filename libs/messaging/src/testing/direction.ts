import type { Step } from '../checkpoint.js';
import type { Delivery } from '../engine.js';
import type { Envelope } from '../envelope.js';
import type { CommitStep } from '../drivers/memory/memory.consumer.js';
import type { Entry, Work } from '../drivers/memory/memory.entry.js';

/** A place where a turn gives control back. */
export type TurnStep = Step | CommitStep;

/** What a direction may do. */
export interface Floor {
  /** Messages that could start now. */
  startable(): Entry[];
  start(entry: Entry): void;
  /** Starts what is ready as the engine would, now and until nothing is left to do. */
  startAll(): void;
  /** A message's name that is the same in each run. */
  label(envelope: Envelope): string;
  /** How many turns are at work. */
  readonly working: number;
  /** Turns at work. */
  works(): Work[];
  /**
   * As if the process had died: the turns at work are over, and their messages are given out again.
   *
   * @param isHeld whether a turn is at a step, and so can be frozen
   */
  crash(isHeld: (delivery: Delivery) => boolean): void;
}

/** Who decides, while a test drains, what happens next. */
export interface Direction {
  /** Does the next thing. @returns false when there is nothing to do but wait for the turns at work */
  act(floor: Floor): boolean;
  /** A turn has come to a step; it goes on when the promise resolves. */
  pass(step: TurnStep, delivery: Delivery): Promise<void> | undefined;
}

/** As in production: what is ready starts, as far as the actors' concurrency goes. */
export const plainDirection: Direction = {
  act(floor) {
    const before = floor.working;
    floor.startAll();
    return floor.working > before;
  },
  pass: () => undefined,
};
