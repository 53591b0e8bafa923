import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import type { Signal, TurnFunction } from '../../libs/messaging/src/engine.js';
import { Meddling, type Mutant } from './mutant.js';

class HearsEverything extends MemoryEngine {
  override async signal(signals: readonly Signal[]): Promise<void> {
    for (const { text } of signals) for (const hear of this.all) hear(text);
  }

  override async onSignal(...[, hear]: Parameters<MemoryEngine['onSignal']>) {
    this.all.add(hear);
    return async () => void this.all.delete(hear);
  }

  private readonly all = new Set<(text: string) => void>();
}

class HearsOn extends MemoryEngine {
  override async onSignal(...args: Parameters<MemoryEngine['onSignal']>) {
    await super.onSignal(...args);
    return async () => undefined;
  }
}

class TellsBefore extends Meddling {
  protected meddle(turn: TurnFunction): TurnFunction {
    return async (delivery) => {
      const outcome = await turn(delivery);
      if (outcome.kind !== 'done' || !outcome.effects) return outcome;
      const { signals = [], ...effects } = outcome.effects;
      await this.signal(signals);
      return { ...outcome, effects };
    };
  }
}

/** Engines that break signals. */
export const signalMutants: readonly Mutant[] = [
  [
    'hears signals of other names',
    HearsEverything,
    'a signal is heard by all who listen to its name, as it was sent, and by nobody else',
  ],
  [
    'hears on after the end',
    HearsOn,
    'whoever has ended listening hears nothing more, others still do',
  ],
  [
    'tells before the commit',
    TellsBefore,
    'whoever hears the signal of a turn finds what the turn has committed',
  ],
  [
    'tells what was refused',
    TellsBefore,
    'a turn that does not succeed, or is refused, tells nothing',
  ],
];
