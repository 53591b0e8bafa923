import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import type {
  Delivery,
  Effects,
  JournalRow,
  KeyState,
  StoredState,
  TurnFunction,
} from '../../libs/messaging/src/engine.js';
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

class ShowsRowsAnew extends MemoryEngine {
  override async journal(
    actor: string,
    key: string,
    page: { before?: string; limit: number },
  ): Promise<JournalRow[]> {
    return super.journal(actor, key, { limit: page.limit });
  }
}

class ListsAsStringsCompare extends MemoryEngine {
  override async states(
    actor: string,
    { after = '', limit }: { after?: string; limit: number },
  ): Promise<KeyState[]> {
    const all = await super.states(actor, { limit: Infinity });
    return all
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .filter(({ key }) => key > after)
      .slice(0, limit);
  }
}

class ListsForgottenKeys extends MemoryEngine {
  private readonly seen = new Map<string, KeyState>();

  override async states(
    actor: string,
    page: { after?: string; limit: number },
  ): Promise<KeyState[]> {
    for (const each of await super.states(actor, page)) this.seen.set(each.key, each);
    return [...this.seen.values()];
  }
}

/** Rows are stored before the end of their turn, whatever becomes of it. */
class StoresRowsBefore extends Meddling {
  protected meddle(turn: TurnFunction): TurnFunction {
    return async (delivery) => {
      const outcome = await turn(delivery);
      if (outcome.kind !== 'done' || !outcome.effects?.journal) return outcome;
      const { journal, ...effects } = outcome.effects;
      const { actor, key = '' } = delivery.envelope;
      this.messages.queue(actor).states.commit(key, { journal }, Date.now());
      return { ...outcome, effects };
    };
  }
}

const leaving = (change: (effects: Effects, delivery: Delivery) => Effects) =>
  committing((outcome, delivery) =>
    outcome.kind === 'done' && outcome.effects
      ? { ...outcome, effects: change(outcome.effects, delivery) }
      : outcome,
  );

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
    'keeps no journal',
    leaving(({ journal: _, ...effects }) => effects),
    'rows that turns leave are in the journal of their key, newest first, page by page',
  ],
  [
    'begins each page of a journal at its newest row',
    ShowsRowsAnew,
    'rows that turns leave are in the journal of their key, newest first, page by page',
  ],
  [
    'keeps more rows of a journal than it may',
    leaving(({ journal, ...effects }) => ({
      ...effects,
      ...(journal && { journal: { ...journal, keep: journal.keep + 1 } }),
    })),
    'of a journal the newest rows are kept, as many as the turn says that adds some',
  ],
  [
    'stores rows of turns that are refused',
    StoresRowsBefore,
    'a turn that does not succeed leaves no rows',
  ],
  [
    'does not forget keys',
    leaving(({ forget: _, ...effects }) => effects),
    'a forgotten key has neither state nor journal, and its next turn begins as a new one',
  ],
  [
    'forgets on an old revision',
    leaving(({ forget, ...effects }, { state }) => ({
      ...effects,
      ...(forget && { forget: { revision: state?.revision ?? 0 } }),
    })),
    'a turn forgets nothing that is refused, or began with a state that is not the last',
  ],
  [
    'lists states in the order in which strings compare',
    ListsAsStringsCompare,
    'states of an actor are listed in the order of the bytes of their keys',
  ],
  [
    'lists keys that were forgotten',
    ListsForgottenKeys,
    'a forgotten key is not among the states, and is again when it has one',
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
