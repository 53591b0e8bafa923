import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import type { StoredState, TurnFunction } from '../../libs/messaging/src/engine.js';
import { committing, employing, without, Meddling, type Mutant } from './mutant.js';

class ReordersAfterRetry extends Meddling {
  protected meddle(turn: TurnFunction): TurnFunction {
    return async (delivery) => {
      const outcome = await turn(delivery);
      const { id, actor } = delivery.envelope;
      const entry = this.messages.lookUp(id, [actor]);
      if (outcome.kind === 'retry' && entry) this.messages.queue(actor).leaveMailbox(entry);
      return outcome;
    };
  }
}

class RedrivesAsItComes extends MemoryEngine {
  override redrive(id: string, actors: readonly string[]): Promise<boolean> {
    const entry = this.messages.lookUp(id, actors);
    if (entry) entry.death = undefined;
    return super.redrive(id, actors);
  }
}

class ReleasesAnything extends MemoryEngine {
  override async release(actor: string, key: string): Promise<boolean> {
    await super.release(actor, key);
    return true;
  }
}

class SharesItsStates extends MemoryEngine {
  override async state(actor: string, key: string): Promise<StoredState | undefined> {
    return this.messages.queue(actor).states.get(key);
  }
}

/** Engines that break what holds for keys. */
export const keyMutants: readonly Mutant[] = [
  [
    'runs turns of a key at the same time',
    without('key'),
    'messages of one key come one at a time, in the order stored, whatever their priority',
  ],
  [
    'reorders a key after a retry',
    ReordersAfterRetry,
    'later messages of a key wait while its first is retried or handed back',
  ],
  [
    'reorders a key after a retry, at random',
    ReordersAfterRetry,
    'keys keep their order, and one turn at a time, whatever happens (seed 1)',
  ],
  [
    'redrives the messages of a key as it comes',
    RedrivesAsItComes,
    'dead letters of a key that are redriven come in their old order',
  ],
  [
    'releases what is not quarantined',
    ReleasesAnything,
    'a quarantined key stands still, keeps its mailbox, and goes on when it is released',
  ],
  [
    'has mailboxes without end',
    employing(({ mailbox: _, ...options }) => options),
    'a mailbox takes as many messages as it may, and refuses one more',
  ],
  [
    'lets reads wait',
    employing(({ reads: _, ...options }) => options),
    'a read does not wait for its key, takes no room in it, and sees what is committed',
  ],
  [
    'commits on an old revision',
    committing((outcome, { state }) => {
      if (outcome.kind !== 'done' || !outcome.effects?.state) return outcome;
      const { effects } = outcome;
      const revision = state?.revision ?? 0;
      return { ...outcome, effects: { ...effects, state: { ...effects.state!, revision } } };
    }),
    'a turn on a revision that is no longer the last commits nothing',
  ],
  [
    'lets readers write into its states',
    SharesItsStates,
    'a turn that does not succeed leaves the state as it was',
  ],
  [
    'keeps no state',
    committing((outcome) =>
      outcome.kind === 'done' && outcome.effects
        ? { ...outcome, effects: { ...outcome.effects, state: undefined } }
        : outcome,
    ),
    'no update of a state is lost, however turns fail and wherever they run',
  ],
];
