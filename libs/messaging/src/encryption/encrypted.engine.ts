import type {
  ActorCounts,
  Bindings,
  Cancellation,
  ConsumeOptions,
  Consumer,
  DeadLetterPlace,
  Delivery,
  Edited,
  Effects,
  Engine,
  FinishedTurn,
  JournalRow,
  KeyPage,
  KeyRecord,
  KeyState,
  MessageListing,
  MessagePage,
  MessageRecord,
  Outcome,
  QuarantinedKey,
  SearchPage,
  SearchResult,
  Sightings,
  Signal,
  StoredState,
  StoreInfo,
  Transaction,
  TurnFunction,
} from '../engine.js';
import type { Envelope } from '../envelope.js';
import type { Json } from '../json.js';
import { IdempotencyConflictError } from '../messaging.errors.js';
import { unreadable } from './encrypted.js';
import type { KeyRing } from './key.ring.js';
import { merged, placeOf } from '../search.result.js';
import { namedOf, Payloads } from './payloads.js';
import { REENCRYPT } from './rotation.js';

/** Which digest stands for the body of a message, by its id; absent: that of the first key. */
type Places = Map<string, number>;
type Done = Extract<Outcome, { kind: 'done' }>;

const SAVEPOINT = 'callsheet_send';
/** How soon a message is given out again whose end was refused, ms. */
const AGAIN = 1_000;

/**
 * Any engine, with payloads encrypted on their way to the store and decrypted on their way back: data of messages, replies,
 * states, rows of journals, errors of attempts. What was stored plain is read as it is; what cannot be decrypted comes as it
 * is stored, with the reason in it (see `unreadable`), and is refused where it is opened.
 */
export class EncryptedEngine implements Engine {
  /** As the engine inside has it, or not. */
  readonly queue?: (name: string) => object;
  private readonly payloads: Payloads;

  /** @param inside keeps what is encrypted */
  constructor(
    readonly inside: Engine,
    readonly ring: KeyRing,
  ) {
    this.payloads = new Payloads(ring);
    if (inside.queue) this.queue = (name) => (inside.queue as (name: string) => object)(name);
  }

  get store(): StoreInfo {
    return this.inside.store;
  }

  open(): Promise<void> {
    return this.inside.open();
  }

  async send(envelopes: readonly Envelope[], tx?: Transaction): Promise<void> {
    const places: Places = new Map();
    // What is refused aborts the caller's transaction: it is to be so only when no digest fits.
    const guarded = envelopes.some(({ fingerprint }) => fingerprint !== undefined) ? tx : undefined;
    await guarded?.query(`SAVEPOINT ${SAVEPOINT}`, []);
    for (;;) {
      try {
        await this.inside.send(this.sealAll(envelopes, places), tx);
        break;
      } catch (error) {
        if (!this.hasAnother(error, places)) throw error;
        await guarded?.query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`, []);
      }
    }
    await guarded?.query(`RELEASE SAVEPOINT ${SAVEPOINT}`, []);
  }

  consume(actor: string, options: ConsumeOptions, turn: TurnFunction): Promise<Consumer> {
    return this.inside.consume(actor, options, async (delivery) => {
      if (delivery.envelope.type === `${actor}.${REENCRYPT}`) return this.reencrypt(delivery);
      return this.sealOutcome(await turn(this.openDelivery(delivery)), delivery.envelope);
    });
  }

  async find(id: string, actors: readonly string[]): Promise<MessageRecord | undefined> {
    const record = await this.inside.find(id, actors);
    return record && this.payloads.openRecord(record);
  }

  counts(actor: string): Promise<ActorCounts> {
    return this.inside.counts(actor);
  }

  oldest(actor: string): Promise<number | undefined> {
    return this.inside.oldest(actor);
  }

  finished(actor: string, limit: number): Promise<FinishedTurn[]> {
    return this.inside.finished(actor, limit);
  }

  async deadLetters(
    actors: readonly string[],
    page: { after?: DeadLetterPlace; limit: number },
  ): Promise<MessageRecord[]> {
    const records = await this.inside.deadLetters(actors, page);
    return records.map((record) => this.payloads.openRecord(record));
  }

  async list(actor: string, page: MessagePage): Promise<MessageListing> {
    const listing = await this.inside.list(actor, page);
    const items = listing.items.map(({ record, place }) => ({
      record: this.payloads.openRecord(record),
      place,
    }));
    return { ...listing, items };
  }

  /** Under each key of the ring, and plain. */
  async search(actors: readonly string[], term: string, page: SearchPage): Promise<SearchResult> {
    const terms = this.ring.terms(term);
    const pages = await Promise.all(terms.map((each) => this.inside.search(actors, each, page)));
    const { items, next } = merged(pages, page.limit, placeOf);
    return {
      items: items.map((record) => this.payloads.openRecord(record)),
      ...(next && { next }),
    };
  }

  async redrive(id: string, actors: readonly string[], edited?: Edited): Promise<boolean> {
    if (!edited) return this.inside.redrive(id, actors);
    const letter = await this.inside.find(id, actors);
    if (letter?.state !== 'dead') return false;
    return this.inside.redrive(id, actors, {
      ...this.payloads.sealData(letter.envelope, edited),
      ...(edited.terms && { terms: this.payloads.sealTerms(edited.terms) }),
    });
  }

  rewrite(letter: MessageRecord): Promise<boolean> {
    return this.inside.rewrite(this.payloads.sealRecord(letter));
  }

  discard(id: string, actors: readonly string[]): Promise<boolean> {
    return this.inside.discard(id, actors);
  }

  cancel(id: string, actors: readonly string[]): Promise<Cancellation> {
    return this.inside.cancel(id, actors);
  }

  withdraw(id: string, actors: readonly string[]): Promise<boolean> {
    return this.inside.withdraw(id, actors);
  }

  listen(inbox: string, ended: (id: string) => void): Promise<() => Promise<void>> {
    return this.inside.listen(inbox, ended);
  }

  /** What is noted is what calls were answered, and holds no payload. */
  note(name: string, value: Json, age: number): Promise<Json> {
    return this.inside.note(name, value, age);
  }

  noted(name: string): Promise<Json | undefined> {
    return this.inside.noted(name);
  }

  signal(signals: readonly Signal[]): Promise<void> {
    return this.inside.signal(signals);
  }

  onSignal(name: string, hear: (text: string) => void): Promise<() => Promise<void>> {
    return this.inside.onSignal(name, hear);
  }

  bind(owner: string, value: Json | undefined, only?: 'higher'): Promise<boolean> {
    return this.inside.bind(owner, value, only);
  }

  bound(owner: string): Promise<Json | undefined> {
    return this.inside.bound(owner);
  }

  bindings(known?: string): Promise<Bindings | undefined> {
    return this.inside.bindings(known);
  }

  present(actor: string, release: string): Promise<void> {
    return this.inside.present(actor, release);
  }

  releases(actor: string): Promise<Sightings> {
    return this.inside.releases(actor);
  }

  async state(actor: string, key: string): Promise<StoredState | undefined> {
    const state = await this.inside.state(actor, key);
    return state && this.payloads.openState(actor, key, state);
  }

  async states(actor: string, page: { after?: string; limit: number }): Promise<KeyState[]> {
    const found = await this.inside.states(actor, page);
    return found.map(({ key, state }) => ({
      key,
      state: this.payloads.openState(actor, key, state),
    }));
  }

  async journal(
    actor: string,
    key: string,
    page: { before?: string; limit: number },
  ): Promise<JournalRow[]> {
    const rows = await this.inside.journal(actor, key, page);
    return rows.map((each) => ({ ...each, row: this.payloads.openRow(actor, key, each.row) }));
  }

  keys(actor: string, page: KeyPage): Promise<KeyRecord[]> {
    return this.inside.keys(actor, page);
  }

  key(actor: string, key: string): Promise<KeyRecord | undefined> {
    return this.inside.key(actor, key);
  }

  async quarantined(actor: string): Promise<QuarantinedKey[]> {
    const found = await this.inside.quarantined(actor);
    return found.map((each) => ({
      ...each,
      attempt: this.payloads.openAttempt({ actor, storageId: each.storageId }, each.attempt),
    }));
  }

  release(actor: string, key: string): Promise<boolean> {
    return this.inside.release(actor, key);
  }

  ping(): Promise<void> {
    return this.inside.ping();
  }

  close(): Promise<void> {
    return this.inside.close();
  }

  private sealAll(envelopes: readonly Envelope[], places: Places): Envelope[] {
    return envelopes.map((each) => this.payloads.seal(each, places.get(each.id) ?? 0));
  }

  /**
   * The id was used before. The body is the same if any digest fits: it may have been sent when another key was the first, or
   * before there were keys.
   */
  private hasAnother(error: unknown, places: Places): boolean {
    if (!(error instanceof IdempotencyConflictError)) return false;
    const next = (places.get(error.id) ?? 0) + 1;
    if (next > this.ring.size) return false;
    places.set(error.id, next);
    return true;
  }

  private openDelivery(delivery: Delivery): Delivery {
    const { envelope, history, state } = delivery;
    const { actor, key } = envelope;
    return Object.assign({}, delivery, {
      envelope: this.payloads.open(envelope),
      ...(history.length > 0 && {
        history: history.map((each) => this.payloads.openAttempt(namedOf(envelope), each)),
      }),
      ...(state && key !== undefined && { state: this.payloads.openState(actor, key, state) }),
    });
  }

  private sealOutcome(outcome: Outcome, envelope: Envelope): Outcome {
    switch (outcome.kind) {
      case 'done':
        return outcome.effects ? this.sealDone(outcome, envelope, new Map()) : outcome;
      case 'retry':
        return {
          ...outcome,
          attempt: this.payloads.sealAttempt(namedOf(envelope), outcome.attempt),
        };
      case 'dead':
      case 'quarantine':
        return {
          ...outcome,
          attempt: this.payloads.sealAttempt(namedOf(envelope), outcome.attempt),
          ...(outcome.sends && { sends: this.sealAll(outcome.sends, new Map()) }),
        };
      case 'cancelled':
        return outcome.sends
          ? { ...outcome, sends: this.sealAll(outcome.sends, new Map()) }
          : outcome;
      case 'release':
        return outcome;
    }
  }

  private sealDone(outcome: Done, envelope: Envelope, places: Places): Outcome {
    const { effects, refused } = outcome;
    if (!effects) return outcome;
    return {
      kind: 'done',
      effects: this.sealEffects(effects, envelope, places),
      refused: async (error) => {
        if (this.hasAnother(error, places)) return this.sealDone(outcome, envelope, places);
        if (!refused) return { kind: 'release', delay: AGAIN };
        return this.sealOutcome(await refused(error), envelope);
      },
    };
  }

  private sealEffects(effects: Effects, envelope: Envelope, places: Places): Effects {
    const { sends, state, journal, reply } = effects;
    const { actor, key = '' } = envelope;
    return {
      ...effects,
      sends: this.sealAll(sends, places),
      ...(state && { state: this.payloads.sealState(actor, key, state) }),
      ...(journal && {
        journal: {
          ...journal,
          rows: journal.rows.map((row) => this.payloads.sealRow(actor, key, row)),
        },
      }),
      ...(reply && { reply: this.payloads.sealReply(envelope, reply) }),
    };
  }

  /** The state of a key, as it is, encrypted with the first key: a turn among those of the key. */
  private reencrypt({ envelope, attempt, startedAt, state }: Delivery): Outcome {
    const { actor, key } = envelope;
    if (!state || key === undefined || this.ring.isCurrent(state)) return { kind: 'done' };
    const plain = this.payloads.openState(actor, key, state);
    const problem = unreadable(plain);
    if (problem === undefined) {
      const done: Done = { kind: 'done', effects: { sends: [], state: plain } };
      return this.sealDone(done, envelope, new Map());
    }
    const error = { name: 'InvalidStateError', message: `state of ${actor}: ${problem}` };
    const failed = { attempt, startedAt, finishedAt: Math.max(startedAt, Date.now()), error };
    return this.sealOutcome({ kind: 'dead', reason: 'invalid', attempt: failed }, envelope);
  }
}
