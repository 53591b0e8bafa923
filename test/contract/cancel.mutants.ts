import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import type { Cancellation, FinishedTurn, TurnFunction } from '../../libs/messaging/src/engine.js';
import { Meddling, type Mutant } from './mutant.js';

class OnlySaysCancelled extends MemoryEngine {
  override async cancel(): Promise<Cancellation> {
    return 'cancelled';
  }
}

class CancelsTheEnded extends MemoryEngine {
  override async cancel(id: string, actors: readonly string[]): Promise<Cancellation> {
    const answer = await super.cancel(id, actors);
    return answer === 'ended' ? 'cancelled' : answer;
  }
}

class WithdrawsTheBegun extends MemoryEngine {
  override async withdraw(id: string, actors: readonly string[]): Promise<boolean> {
    await this.cancel(id, actors);
    return super.withdraw(id, actors);
  }
}

class CountsCancelledAsTurns extends MemoryEngine {
  private readonly turns: FinishedTurn[] = [];

  override async cancel(id: string, actors: readonly string[]): Promise<Cancellation> {
    const now = Date.now();
    this.turns.push({ readyAt: now, startedAt: now, finishedAt: now });
    return super.cancel(id, actors);
  }

  override async finished(actor: string, limit: number): Promise<FinishedTurn[]> {
    return [...this.turns, ...(await super.finished(actor, limit))].slice(0, limit);
  }
}

class DoesNotDiscard extends MemoryEngine {
  override async discard(id: string, actors: readonly string[]): Promise<boolean> {
    return (await this.find(id, actors))?.state === 'dead';
  }
}

class IgnoresEdits extends MemoryEngine {
  override redrive(id: string, actors: readonly string[]): Promise<boolean> {
    return super.redrive(id, actors);
  }
}

/** What a turn sends whose message is cancelled is stored a little later. */
class TellsAfterCancelling extends Meddling {
  protected meddle(turn: TurnFunction): TurnFunction {
    return async (delivery) => {
      const outcome = await turn(delivery);
      if (outcome.kind !== 'cancelled') return outcome;
      setTimeout(() => void this.send(outcome.sends ?? []).catch(() => undefined), 30);
      return { kind: 'cancelled' };
    };
  }
}

/** Engines that break cancelling, and what is done about dead letters. */
export const cancelMutants: readonly Mutant[] = [
  [
    'only says that it cancels',
    OnlySaysCancelled,
    'a message that waits, or is not due, ends at once when it is cancelled, and never starts',
  ],
  [
    'says of what has ended that it cancelled it',
    CancelsTheEnded,
    'what has ended cannot be cancelled, and what is not there neither',
  ],
  [
    'cancels in work what it is to withdraw',
    WithdrawsTheBegun,
    'a message that no turn has begun is withdrawn, and any other stays as it is',
  ],
  [
    'forgets that a message was cancelled',
    class extends Meddling {
      protected meddle(turn: TurnFunction): TurnFunction {
        return (delivery) => turn({ ...delivery, isCancelled: false });
      }
    },
    'a message that comes again after it was cancelled in work says so',
  ],
  [
    'counts cancelled messages as turns',
    CountsCancelledAsTurns,
    'a cancelled message is no turn that finished, no dead letter, and its id stays taken',
  ],
  [
    'stores what a cancelled turn sends after its end',
    TellsAfterCancelling,
    'a message cancelled in work and what its turn sends are there at the same moment',
  ],
  [
    'only says that it discards',
    DoesNotDiscard,
    'a discarded dead letter is gone for good, only dead letters can be, and its id stays taken',
  ],
  [
    'ignores what a dead letter was edited to',
    IgnoresEdits,
    'a redriven dead letter has the data it was edited to, and all else as it was',
  ],
];
