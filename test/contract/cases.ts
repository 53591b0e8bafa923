import type { Case } from './case.js';
import { commitCases } from './commit.cases.js';
import { lifecycleCases } from './lifecycle.cases.js';
import { lookupCases } from './lookup.cases.js';
import { scheduleCases } from './schedule.cases.js';
import { sendCases } from './send.cases.js';

/** Every promise of `engine.ts`. */
export const cases: readonly Case[] = [
  ...sendCases,
  ...commitCases,
  ...lookupCases,
  ...lifecycleCases,
  ...scheduleCases,
];
