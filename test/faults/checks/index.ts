import type { Check } from './check.js';
import {
  allOrNone,
  committedOnce,
  deadLettersExact,
  nothingFromNowhere,
  nothingLost,
} from './messages.js';
import { enoughFaults, recoveredInTime } from './promises.js';
import { drained, noOrphans, stateIsFold, timersMoved } from './store.js';
import {
  everyStartExplained,
  inOrder,
  neverEarly,
  singleWriter,
  zombiesCommitNothing,
} from './turns.js';

/** What holds of every history, whatever fault there was. */
export const CHECKS = {
  nothingLost,
  nothingFromNowhere,
  committedOnce,
  deadLettersExact,
  allOrNone,
  everyStartExplained,
  singleWriter,
  zombiesCommitNothing,
  inOrder,
  neverEarly,
  stateIsFold,
  timersMoved,
  noOrphans,
  drained,
  recoveredInTime,
} satisfies Record<string, Check>;

export type CheckName = keyof typeof CHECKS;

export { enoughFaults, type Check };
