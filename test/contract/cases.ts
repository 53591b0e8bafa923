import type { Case } from './case.js';
import { cancelCases } from './cancel.cases.js';
import { commitCases } from './commit.cases.js';
import { deadLetterCases } from './dead.letter.cases.js';
import { effectCases } from './effect.cases.js';
import { eventCases } from './event.cases.js';
import { flowCases } from './flow.cases.js';
import { keyCases } from './key.cases.js';
import { keyJournalCases } from './key.journal.cases.js';
import { keyOrderCases } from './key.order.cases.js';
import { keyStateCases } from './key.state.cases.js';
import { keyStatesCases } from './key.states.cases.js';
import { lifecycleCases } from './lifecycle.cases.js';
import { listingCases } from './listing.cases.js';
import { lockCases } from './lock.cases.js';
import { lookupCases } from './lookup.cases.js';
import { noteCases } from './note.cases.js';
import { operatorCases } from './operator.cases.js';
import { releaseCases } from './release.cases.js';
import { replaceCases } from './replace.cases.js';
import { replyCases } from './reply.cases.js';
import { searchCases } from './search.cases.js';
import { signalCases } from './signal.cases.js';
import { sqlCases } from './sql.cases.js';
import { sendCases } from './send.cases.js';

/** Every promise of `engine.ts`. */
export const cases: readonly Case[] = [
  ...sendCases,
  ...replaceCases,
  ...commitCases,
  ...effectCases,
  ...replyCases,
  ...cancelCases,
  ...lookupCases,
  ...listingCases,
  ...searchCases,
  ...deadLetterCases,
  ...eventCases,
  ...releaseCases,
  ...flowCases,
  ...lifecycleCases,
  ...lockCases,
  ...keyCases,
  ...keyOrderCases,
  ...keyStateCases,
  ...keyStatesCases,
  ...keyJournalCases,
  ...operatorCases,
  ...signalCases,
  ...noteCases,
  ...sqlCases,
];
