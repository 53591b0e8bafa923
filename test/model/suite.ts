import { beforeAll, describe, it } from 'vitest';
import { askCases } from './ask.cases.js';
import { cancelCases } from './cancel.cases.js';
import { deadLetterCases } from './dead.letter.cases.js';
import { endCases } from './end.cases.js';
import { eventCases } from './event.cases.js';
import { handlerCases } from './handler.cases.js';
import { pauseCases } from './pause.cases.js';
import { routingCases } from './routing.cases.js';
import { scheduleCases } from './schedule.cases.js';
import { sqlCases } from './sql.cases.js';
import { syncCases } from './sync.cases.js';
import { keyCases } from './key.cases.js';
import { Stage, type ModelCase, type Store } from './stage.js';
import { subscriptionCases } from './subscription.cases.js';
import { supervisionCases } from './supervision.cases.js';
import { turnCases } from './turn.cases.js';

const cases: readonly ModelCase[] = [
  ...turnCases,
  ...handlerCases,
  ...askCases,
  ...eventCases,
  ...routingCases,
  ...subscriptionCases,
  ...cancelCases,
  ...supervisionCases,
  ...pauseCases,
  ...deadLetterCases,
  ...keyCases,
  ...scheduleCases,
  ...endCases,
  ...sqlCases,
  ...syncCases,
];

/** What a user writes, on one store: messages, actors, supervision, as whole applications. */
export function programmingModel(store: Store): void {
  describe(`programming model: ${store.name}`, () => {
    let url: string;
    beforeAll(async () => {
      url = await store.url();
    });

    const waiting = cases.filter(({ waits }) => waits);
    for (const each of [...waiting, ...cases.filter(({ waits }) => !waits)]) {
      const { behaviour, shared } = each;
      const reason = shared ? store.alone : undefined;
      const name = reason ? `${behaviour} (skipped: ${reason})` : behaviour;
      it.skipIf(reason)(name, { concurrent: each.waits }, async () => {
        await runCase(each, new Stage((each.waits && store.own?.()) || url, store));
      });
    }
  });
}

async function runCase(each: ModelCase, stage: Stage): Promise<void> {
  try {
    await each.run(stage);
  } finally {
    await stage.close();
  }
}
