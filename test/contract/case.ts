import type { Context, Need } from './context.js';

/** One promise of the engine contract and how it is tried. */
export interface Case {
  promise: string;
  needs?: Need;
  /** Whether it waits most of its time: such cases run beside each other. */
  waits?: boolean;
  run(context: Context): Promise<void>;
}
