import { describe, expect, it } from 'vitest';
import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import type { ResolvedOptions } from '../../libs/messaging/src/messaging.options.js';
import { cancelMutants } from './cancel.mutants.js';
import { cases } from './cases.js';
import { keyMutants } from './key.mutants.js';
import { messageMutants } from './message.mutants.js';
import type { EngineClass } from './mutant.js';
import { replyMutants } from './reply.mutants.js';
import { signalMutants } from './signal.mutants.js';
import { runCase } from './suite.js';
import { turnMutants } from './turn.mutants.js';

/*
 * The negative control of the contract suite: engines that are broken on purpose. For each, the case named beside it must
 * fail, by an assertion, and pass on the engine that is whole. Faults that a case sees only because something never comes
 * (nothing is forgotten, nothing is given out) are left out: they take the whole patience of the case.
 */

const mutants = [
  ...messageMutants,
  ...turnMutants,
  ...replyMutants,
  ...cancelMutants,
  ...keyMutants,
  ...signalMutants,
];

async function run(promise: string, Engine: EngineClass): Promise<void> {
  const found = cases.find((each) => each.promise === promise);
  if (!found) throw new Error(`no case '${promise}'`);
  const driver = {
    name: 'control',
    url: async () => 'memory:',
    lacks: {},
    engine: (options: ResolvedOptions) => new Engine(options),
  };
  await runCase(found, driver, 'memory:');
}

describe('negative control of the engine contract', () => {
  it.each(mutants)('an engine that %s is caught', async (_, engine, caughtBy) => {
    const verdict: unknown = await run(caughtBy, engine).catch((error: unknown) => error);
    expect(verdict, `'${caughtBy}' passes on a broken engine`).toBeInstanceOf(Error);
    expect((verdict as Error).name, String(verdict)).toBe('AssertionError');
  });

  it.each([...new Set(mutants.map(([, , caughtBy]) => caughtBy))])(
    'the whole engine passes: %s',
    async (promise) => {
      await expect(run(promise, MemoryEngine)).resolves.toBeUndefined();
    },
  );
});
