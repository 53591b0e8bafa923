import { beforeAll, describe, it } from 'vitest';
import type { Case } from './case.js';
import { cases } from './cases.js';
import { Context, type Driver } from './context.js';

/** The contract of `engine.ts`, case by case, on one driver. What a driver cannot do is skipped with the reason in its name. */
export function engineContract(driver: Driver): void {
  describe(`engine contract: ${driver.name}`, () => {
    let url: string;
    beforeAll(async () => {
      url = await driver.url();
    });

    const waiting = cases.filter(({ waits }) => waits);
    for (const each of [...waiting, ...cases.filter(({ waits }) => !waits)]) {
      const reason = each.needs && driver.lacks[each.needs];
      it.skipIf(reason)(
        reason ? `${each.promise} (skipped: ${reason})` : each.promise,
        { concurrent: each.waits },
        async () => {
          await runCase(each, driver, (each.waits && driver.own?.()) || url);
        },
      );
    }
  });
}

/** Runs one case and closes what it opened. */
export async function runCase(each: Case, driver: Driver, url: string): Promise<void> {
  const context = new Context(driver, url);
  try {
    await each.run(context);
  } finally {
    await context.close();
  }
}
