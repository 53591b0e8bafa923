import type { MessageRecord } from '../../engine.js';

/** A message in memory. */
export interface Entry extends MessageRecord {
  /** Order of arrival; priority first, then this. */
  seq: number;
  /** Failed attempts since it was sent or last redriven. */
  failures: number;
  /** How often it was given out since it was sent. */
  starts: number;
  occurrence: number | undefined;
  timer?: NodeJS.Timeout;
}
