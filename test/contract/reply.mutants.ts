import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import type { Bindings, Sightings } from '../../libs/messaging/src/engine.js';
import type { Json } from '../../libs/messaging/src/json.js';
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
class AddsBindings extends MemoryEngine {
  private readonly values = new Map<string, Json[]>();

  override bind(owner: string, value: Json | undefined): Promise<boolean> {
    const values = [...(this.values.get(owner) ?? []), ...(value === undefined ? [] : [value])];
    this.values.set(owner, values);
    return super.bind(owner, values.flat());
  }
}

class NotesWhatComesLast extends MemoryEngine {
  private readonly last = new Map<string, Json>();

  override async note(name: string, value: Json): Promise<Json> {
    this.last.set(name, value);
    return value;
  }

  override async noted(name: string): Promise<Json | undefined> {
    return this.last.get(name);
  }
}

class TakesLowerRevisions extends MemoryEngine {
  override async bind(owner: string, value: Json | undefined): Promise<boolean> {
    await super.bind(owner, undefined);
    return super.bind(owner, value);
  }
}

class TakesEqualRevisions extends MemoryEngine {
  override bind(owner: string, value: Json | undefined): Promise<boolean> {
    return super.bind(owner, value);
  }
}

class KeepsItsVersion extends MemoryEngine {
  override async bindings(): Promise<Bindings | undefined> {
    const { owners } = (await super.bindings())!;
    return { version: 'the only one', owners };
  }
}

class WritesAgain extends MemoryEngine {
  private binds = 0;

  override async bind(owner: string, value: Json | undefined): Promise<boolean> {
    this.binds += 1;
    await super.bind(owner, value);
    return super.bind('', this.binds);
  }
}

class ForgetsReleases extends MemoryEngine {
  override async releases(actor: string): Promise<Sightings> {
    const { now, releases } = await super.releases(actor);
    return { now, releases: releases.slice(-1) };
  }
}

class CountsPresence extends MemoryEngine {
  override async present(actor: string, release: string): Promise<void> {
    await super.present(actor, release);
    await this.bind(`release:${actor}`, Date.now() + Math.random());
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
    'keeps what was bound before',
    AddsBindings,
    'what an owner binds takes the place of what it had bound, and others keep theirs',
  ],
  [
    'remembers one release',
    ForgetsReleases,
    'releases that have been there are known, each with its last time',
  ],
  [
    'binds who is there',
    CountsPresence,
    'who is there does not change the version of what is bound',
  ],
  [
    'notes what comes last',
    NotesWhatComesLast,
    'what is noted under a name stays as it is, whoever notes something else there',
  ],
  ['takes a lower revision', TakesLowerRevisions, 'who binds a lower revision changes nothing'],
  [
    'takes an equal revision where it must be higher',
    TakesEqualRevisions,
    'of those that bind a higher revision only, one takes each',
  ],
  [
    'keeps the version',
    KeepsItsVersion,
    'the version of what is bound changes with it, and with nothing else',
  ],
  [
    'takes the same once more for a change',
    WritesAgain,
    'the version of what is bound changes with it, and with nothing else',
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
