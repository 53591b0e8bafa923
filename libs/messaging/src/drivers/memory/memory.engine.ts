import { systemClock, type Clock } from '../../clock.js';
import type {
  ActorCounts,
  Bindings,
  Cancellation,
  ConsumeOptions,
  Consumer,
  DeadLetterPlace,
  Delivery,
  Edited,
  Engine,
  FinishedTurn,
  JournalRow,
  KeyPage,
  KeyRecord,
  KeyState,
  MessageListing,
  MessagePage,
  MessageRecord,
  QuarantinedKey,
  SearchPage,
  SearchResult,
  Sightings,
  Signal,
  StoredState,
  StoreInfo,
  TurnFunction,
} from '../../engine.js';
import type { Envelope } from '../../envelope.js';
import type { Json } from '../../json.js';
import { StoreError } from '../../messaging.errors.js';
import { MOST_RELEASES, type Release } from '../../release.js';
import { placeOf } from '../../search.result.js';
import { revisionOf } from '../revision.js';
import { MemoryConsumer, type CommitStep } from './memory.consumer.js';
import { newestFirst } from './memory.ended.js';
import { recordOf, type Entry } from './memory.entry.js';
import { listing } from './memory.listing.js';
import { Notes } from './memory.notes.js';
import type { MemoryQueue } from './memory.queue.js';
import { MemoryStore, type MemoryOptions } from './memory.store.js';

/** Keeps everything in this process and loses it with it. For tests and first tries. */
export class MemoryEngine implements Engine {
  readonly store: StoreInfo = { name: 'memory', durability: 'memory', shared: false, sql: false };
  protected readonly messages: MemoryStore;
  private readonly inboxes = new Map<string, Set<(id: string) => void>>();
  private readonly hearers = new Map<string, Set<(text: string) => void>>();
  private readonly bindingOf = new Map<string, Json>();
  /** By actor, the one that was there last at the end. */
  private readonly sightings = new Map<string, Release[]>();
  private readonly notes = new Notes();
  private changes = 0;
  private isClosed = false;

  /** @param clock what tells the time and rings; default: the machine's */
  constructor(
    options: MemoryOptions,
    protected readonly clock: Clock = systemClock,
  ) {
    this.messages = new MemoryStore(options, clock, {
      ready: (queues) => queues.forEach((queue) => this.stir(queue)),
      stored: (entry) => this.stored(entry),
      ended: (entry) => this.ended(entry),
    });
  }

  async open(): Promise<void> {}

  async send(envelopes: readonly Envelope[]): Promise<void> {
    this.requireOpen();
    this.messages.send(envelopes);
  }

  async consume(actor: string, options: ConsumeOptions, turn: TurnFunction): Promise<Consumer> {
    const queue = this.messages.queue(actor);
    const consumer = new MemoryConsumer(
      options.concurrency,
      options.reserved ?? 0,
      turn,
      this.clock,
      {
        stir: () => this.stir(queue),
        commit: (work, outcome) => this.messages.commit(work, outcome),
        tell: (signals) => this.tell(signals),
        pass: (step, delivery) => this.pass(step, delivery),
      },
    );
    queue.employ(consumer, options);
    this.stir(queue);
    return consumer;
  }

  async find(id: string, actors: readonly string[]): Promise<MessageRecord | undefined> {
    const entry = this.messages.lookUp(id, actors);
    return entry && recordOf(entry);
  }

  async counts(actor: string): Promise<ActorCounts> {
    return this.messages.queue(actor).counts();
  }

  async oldest(actor: string): Promise<number | undefined> {
    return this.messages.queue(actor).oldest();
  }

  async finished(actor: string, limit: number): Promise<FinishedTurn[]> {
    const latest = this.messages.queue(actor).handled.latest(limit);
    return latest.map(({ envelope, startedAt = 0, finishedAt = 0 }) => ({
      readyAt: envelope.dueAt ?? envelope.sentAt,
      startedAt,
      finishedAt,
    }));
  }

  async list(actor: string, page: MessagePage): Promise<MessageListing> {
    return listing(this.messages.of(actor), page);
  }

  async search(actors: readonly string[], term: string, page: SearchPage): Promise<SearchResult> {
    // For those that are to be kept no longer to go.
    for (const actor of actors) this.messages.queue(actor);
    const items = this.messages.terms.search(actors, term, page).map(recordOf);
    const last = items.length < page.limit ? undefined : items.at(-1);
    return { items, ...(last && { next: placeOf(last) }) };
  }

  async deadLetters(
    actors: readonly string[],
    { after, limit }: { after?: DeadLetterPlace; limit: number },
  ): Promise<MessageRecord[]> {
    return actors
      .flatMap((actor) => this.messages.queue(actor).letters.latest(limit, after))
      .sort(newestFirst)
      .slice(0, limit)
      .map(recordOf);
  }

  async redrive(id: string, actors: readonly string[], edited?: Edited): Promise<boolean> {
    const entry = this.messages.lookUp(id, actors);
    return entry !== undefined && this.messages.redrive(entry, edited);
  }

  async rewrite(letter: MessageRecord): Promise<boolean> {
    return this.messages.rewrite(letter);
  }

  async discard(id: string, actors: readonly string[]): Promise<boolean> {
    const entry = this.messages.lookUp(id, actors);
    return entry !== undefined && this.messages.discard(entry);
  }

  async cancel(id: string, actors: readonly string[]): Promise<Cancellation> {
    const entry = this.messages.lookUp(id, actors);
    return entry ? this.messages.cancel(entry) : 'unknown';
  }

  async withdraw(id: string, actors: readonly string[]): Promise<boolean> {
    const entry = this.messages.lookUp(id, actors);
    if (!entry || entry.startedAt !== undefined) return false;
    return this.messages.cancel(entry) === 'cancelled';
  }

  async listen(inbox: string, ended: (id: string) => void): Promise<() => Promise<void>> {
    return added(this.inboxes, inbox, ended);
  }

  async signal(signals: readonly Signal[]): Promise<void> {
    this.requireOpen();
    this.tell(signals);
  }

  async onSignal(name: string, hear: (text: string) => void): Promise<() => Promise<void>> {
    return added(this.hearers, name, hear);
  }

  async bind(owner: string, value: Json | undefined, only?: 'higher'): Promise<boolean> {
    const text = JSON.stringify(value);
    const known = this.bindingOf.get(owner);
    if (text === JSON.stringify(known)) return false;
    const [before = NaN, now = NaN] = [revisionOf(known), revisionOf(value)];
    // What has none is not compared.
    if (before > now || (before === now && only === 'higher')) return false;
    if (value === undefined) this.bindingOf.delete(owner);
    else this.bindingOf.set(owner, JSON.parse(text) as Json);
    this.changes += 1;
    return true;
  }

  async bound(owner: string): Promise<Json | undefined> {
    return structuredClone(this.bindingOf.get(owner));
  }

  async bindings(known?: string): Promise<Bindings | undefined> {
    const version = `${this.changes}`;
    return known === version ? undefined : { version, owners: Object.fromEntries(this.bindingOf) };
  }

  async note(name: string, value: Json, age: number): Promise<Json> {
    return this.notes.add(name, value, age, this.clock.now());
  }

  async noted(name: string): Promise<Json | undefined> {
    return this.notes.get(name, this.clock.now());
  }

  async present(actor: string, release: string): Promise<void> {
    const others = this.sightings.get(actor)?.filter(({ id }) => id !== release) ?? [];
    const seen = [...others, { id: release, seenAt: this.clock.now() }];
    this.sightings.set(actor, seen.slice(-MOST_RELEASES));
  }

  async releases(actor: string): Promise<Sightings> {
    return {
      now: this.clock.now(),
      releases: structuredClone(this.sightings.get(actor) ?? []),
    };
  }

  async state(actor: string, key: string): Promise<StoredState | undefined> {
    return structuredClone(this.messages.queue(actor).states.get(key));
  }

  async states(actor: string, page: { after?: string; limit: number }): Promise<KeyState[]> {
    return this.messages.queue(actor).states.page(page);
  }

  async journal(
    actor: string,
    key: string,
    page: { before?: string; limit: number },
  ): Promise<JournalRow[]> {
    return this.messages.queue(actor).states.journal(key, page);
  }

  async keys(actor: string, page: KeyPage): Promise<KeyRecord[]> {
    return this.messages.queue(actor).keys(page);
  }

  async key(actor: string, key: string): Promise<KeyRecord | undefined> {
    return this.messages.queue(actor).key(key);
  }

  async quarantined(actor: string): Promise<QuarantinedKey[]> {
    return this.messages.queue(actor).quarantined();
  }

  async release(actor: string, key: string): Promise<boolean> {
    return this.messages.release(actor, key);
  }

  async ping(): Promise<void> {
    this.requireOpen();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.messages.close();
  }

  /** More of these messages may start. */
  protected stir(queue: MemoryQueue): void {
    if (this.isClosed) return;
    queue.dispatch((entry, consumer) => consumer.start(this.messages.take(entry)));
  }

  /** A turn is about to be committed, or just was; what it returns is awaited. */
  protected pass(_step: CommitStep, _delivery: Delivery): Promise<void> | undefined {
    return undefined;
  }

  /** A message was stored. */
  protected stored(_entry: Entry): void {}

  /** A message was handled, given up or cancelled. */
  protected ended({ envelope }: Entry): void {
    if (envelope.replyTo === undefined) return;
    for (const tell of this.inboxes.get(envelope.replyTo) ?? []) tell(envelope.id);
  }

  private tell(signals: readonly Signal[]): void {
    for (const { name, text } of signals) {
      for (const hear of this.hearers.get(name) ?? []) hear(text);
    }
  }

  private requireOpen(): void {
    if (this.isClosed) throw new StoreError('the memory store is closed');
  }
}

type Hearer = (text: string) => void;

/** Adds whoever listens to a name. Answers what ends it. */
function added(
  groups: Map<string, Set<Hearer>>,
  name: string,
  hearer: Hearer,
): () => Promise<void> {
  const group = groups.get(name) ?? new Set();
  groups.set(name, group.add(hearer));
  return async () => {
    group.delete(hearer);
    if (group.size === 0 && groups.get(name) === group) groups.delete(name);
  };
}
