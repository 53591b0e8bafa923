import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import { storageIds } from '../../libs/messaging/src/envelope.js';
import { storing, without, type Mutant } from './mutant.js';

class TellsOfSuccessOnly extends MemoryEngine {
  protected override ended(entry: Parameters<MemoryEngine['ended']>[0]): void {
    if (entry.state === 'done') super.ended(entry);
  }
}

class TellsStorageIds extends MemoryEngine {
  override listen(...[inbox, ended]: Parameters<MemoryEngine['listen']>) {
    return super.listen(inbox, (id) => ended(storageIds(id)[0] ?? ''));
  }
}

class TellsEverybody extends MemoryEngine {
  private readonly all = new Set<(id: string) => void>();

  override async listen(...[, ended]: Parameters<MemoryEngine['listen']>) {
    this.all.add(ended);
    return async () => void this.all.delete(ended);
  }

  protected override ended({ envelope }: Parameters<MemoryEngine['ended']>[0]): void {
    if (envelope.replyTo) for (const tell of this.all) tell(envelope.id);
  }
}

class NeverStopsTelling extends MemoryEngine {
  override async listen(...args: Parameters<MemoryEngine['listen']>) {
    await super.listen(...args);
    return async () => undefined;
  }
}
class AddsSubscriptions extends MemoryEngine {
  private readonly types = new Map<string, readonly string[]>();

  override subscribe(actor: string, types: readonly string[]): Promise<void> {
    this.types.set(actor, [...(this.types.get(actor) ?? []), ...types]);
    return super.subscribe(actor, this.types.get(actor) ?? []);
  }
}

class ListsSubscribersAsTheyCame extends MemoryEngine {
  private readonly order: string[] = [];

  override subscribe(actor: string, types: readonly string[]): Promise<void> {
    this.order.push(actor);
    return super.subscribe(actor, types);
  }

  override async subscribers(type: string): Promise<string[]> {
    const found = new Set(await super.subscribers(type));
    return [...new Set(this.order)].filter((actor) => found.has(actor));
  }
}

/** Engines that break replies and events. */
export const replyMutants: readonly Mutant[] = [
  [
    'forgets to tell of dead and cancelled messages',
    TellsOfSuccessOnly,
    'whoever waits is told the id of each message that ended, however, and of no other',
  ],
  [
    "tells the store's own ids",
    TellsStorageIds,
    'whoever waits is told the id of each message that ended, however, and of no other',
  ],
  [
    'tells another inbox',
    TellsEverybody,
    'whoever waits is told the id of each message that ended, however, and of no other',
  ],
  [
    'tells on after the stop',
    NeverStopsTelling,
    'whoever has stopped listening is told nothing more, others still are',
  ],
  [
    'keeps old subscriptions',
    AddsSubscriptions,
    'the subscribers of an event are listed, sorted, as they last said',
  ],
  [
    'lists subscribers as they came',
    ListsSubscribersAsTheyCame,
    'the subscribers of an event are listed, sorted, as they last said',
  ],
  [
    'stores one copy of an event',
    storing((envelopes) =>
      envelopes.filter(
        ({ id }, n) => envelopes.findIndex((each) => each.id.startsWith(id.split('@')[0]!)) === n,
      ),
    ),
    "the copies of one event are messages of their own, each in its subscriber's queue",
  ],
  [
    'drops traces',
    without('traceparent'),
    'what a message says beside its data arrives as it was sent, and is read so too',
  ],
];
