import type { Context, Need } from './context.js';

/** One promise of the engine contract and how it is tried. */
export interface Case {
  promise: string;
  needs?: Need;
  run(context: Context): Promise<void>;
}
