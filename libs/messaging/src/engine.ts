import type { Carried } from './codec.js';
import type { Envelope } from './envelope.js';
import type { Json, JsonObject } from './json.js';
import type { Release } from './release.js';
import type { Stop } from './stop.js';

/** Injection token of the {@link Engine} in use. */
export const ENGINE = Symbol('callsheet:engine');

/**
 * What Callsheet needs of a store. Every driver keeps every promise below; `test/contract` proves each on all of them.
 * Times are epoch milliseconds.
 */
export interface Engine {
  /** What store this is and what it survives. Known once the engine is open. */
  readonly store: StoreInfo;

  /** Connects and verifies the store. Rejects with StoreError, in one readable sentence, when it cannot be used safely. */
  open(): Promise<void>;

  /**
   * Stores all messages or none. A message whose sender chose the id is stored once: the same id and body again changes
   * nothing, the same id with another body rejects with IdempotencyConflictError. An envelope that says `replace` takes the
   * place of whatever message has its id, unless that one is in work: then it rejects with MessageActiveError. Messages are
   * served by priority, equal ones in the order stored; those of one key strictly in the order stored. Resolves when the
   * store has them.
   *
   * @param tx a transaction of the caller's own that they join; only where `store.sql`. It is aborted by a refusal
   */
  send(envelopes: readonly Envelope[], tx?: Transaction): Promise<void>;

  /**
   * Starts taking the messages of `actor`. Every message is given to `turn` at least once, never before its due time, and
   * what `turn` answers is committed in one step. A message whose process died is given out again within ten seconds,
   * with `crashes` counted and no attempt used.
   */
  consume(actor: string, options: ConsumeOptions, turn: TurnFunction): Promise<Consumer>;

  /** The message with this id in whatever state it is, or undefined. `actors` are the queues to look in. */
  find(id: string, actors: readonly string[]): Promise<MessageRecord | undefined>;

  /** How many messages of `actor` are in which state. */
  counts(actor: string): Promise<ActorCounts>;

  /**
   * Since when that message of `actor` could be handled which waits longest, epoch milliseconds; undefined when none waits. A
   * store may look only at the first of each named lane, and of the lowest priority.
   */
  oldest(actor: string): Promise<number | undefined>;

  /** The most recent finished turns of `actor`, newest first, at most `limit`. */
  finished(actor: string, limit: number): Promise<FinishedTurn[]>;

  /**
   * Messages of `actor` in one state, at most `limit`, those behind a place if one is given. Those that have not ended come as they
   * are served, are due, came or began, the next or oldest first; those that ended newest first. What is neither moved nor removed
   * while it is listed, page by page, is there once; what is may be missing, or there twice.
   */
  list(actor: string, page: MessagePage): Promise<MessageListing>;

  /**
   * Messages of these actors that have this term, in whatever state, those sent last first: at most `limit`, those behind a place if
   * one is given. A store may find only those among the 100,000 terms of an actor that were stored or rewritten last; an occurrence
   * that BullMQ itself makes has none.
   */
  search(actors: readonly string[], term: string, page: SearchPage): Promise<SearchResult>;

  /** Dead letters of these actors, newest first: at most `limit`, those after a place in that order if one is given. */
  deadLetters(
    actors: readonly string[],
    page: { after?: DeadLetterPlace; limit: number },
  ): Promise<MessageRecord[]>;

  /**
   * Puts a dead letter back into its actor's queue with all attempts available again, cancelled or not; its history is
   * kept. `edited`, if given, replaces its data, and what it is found by. Letters of one key come in the order in which they died. Resolves to false
   * when there is no such dead letter.
   */
  redrive(id: string, actors: readonly string[], edited?: Edited): Promise<boolean>;

  /**
   * Stores data, terms and errors as `letter` has them in place of those of the dead letter that it was read from; all else stays as it is.
   * Resolves to false, and nothing changes, when that is no longer there as it was: redriven, even if it died again, or discarded.
   */
  rewrite(letter: MessageRecord): Promise<boolean>;

  /** Removes a dead letter for good; its id stays remembered. Resolves to false when there is no such dead letter. */
  discard(id: string, actors: readonly string[]): Promise<boolean>;

  /**
   * Cancels a message. One that has not started ends at once, as 'cancelled', without a turn and so without an end notice
   * (`Envelope.notify`). One in work: its delivery is told to stop
   * with a CancelledError, in whatever process it runs, and if it is given out again it says so (`Delivery.isCancelled`). An
   * occurrence of a schedule that is not due may be told so only when it is; the schedule goes on.
   */
  cancel(id: string, actors: readonly string[]): Promise<Cancellation>;

  /** Cancels a message that no turn has begun yet; any other stays as it is. Resolves to whether it did. */
  withdraw(id: string, actors: readonly string[]): Promise<boolean>;

  /**
   * Calls `ended` with the public id of each message that ended (done, dead, cancelled) and whose `replyTo` is `inbox`. A notice
   * may be lost, with a connection say: whoever waits must look for himself now and then. Resolves to what stops it.
   */
  listen(inbox: string, ended: (id: string) => void): Promise<() => Promise<void>>;

  /**
   * Tells every process that is connected to the store, this one too. Nothing is stored, and a signal may be lost, with a
   * connection say: whoever relies on what it tells looks for himself now and then. They may be heard in another order, and equal
   * ones that are sent together once.
   */
  signal(signals: readonly Signal[]): Promise<void>;

  /**
   * Calls `hear` with the text of each signal of this name that is sent from now on, as long as the connection holds. Resolves to
   * what ends it.
   */
  onSignal(name: string, hear: (text: string) => void): Promise<() => Promise<void>>;

  /**
   * Makes `value` what `owner` has bound, what leads events to an actor above all, in place of what it had bound before;
   * undefined: nothing. What it had bound already is not written again, and an object with a number `revision` does not take the place of one with a higher one:
   * whoever comes late changes nothing. Resolves to whether that changed anything.
   *
   * @param only `'higher'`: nor of another one with the same revision, so that of two at once one changes nothing
   */
  bind(owner: string, value: Json | undefined, only?: 'higher'): Promise<boolean>;

  /** What `owner` has bound, or undefined. */
  bound(owner: string): Promise<Json | undefined>;

  /** All that is bound, at one moment; undefined while it still is the version `known`. */
  bindings(known?: string): Promise<Bindings | undefined>;

  /**
   * Notes a value under a name for `age` milliseconds, unless one is noted there: the first stays, as it is and as long as it was to.
   * Resolves to what is noted then.
   *
   * @param name 1 to 200 characters of ASCII
   */
  note(name: string, value: Json, age: number): Promise<Json>;

  /** What is noted under a name, or undefined. */
  noted(name: string): Promise<Json | undefined>;

  /**
   * Notes that a process of this release of `actor` is there now. The 50 of an actor that were there last are remembered. Is no
   * part of what is bound, and does not change its version. A full store may leave it out.
   */
  present(actor: string, release: string): Promise<void>;

  /** Releases of `actor` that have been there. */
  releases(actor: string): Promise<Sightings>;

  /** Committed state of one key, or undefined. */
  state(actor: string, key: string): Promise<StoredState | undefined>;

  /**
   * Keys of `actor` that have a state, with it, in the order of the UTF-8 bytes of their names: at most `limit`, those behind
   * `after` if one is given. Fewer than `limit` means that there are no more.
   */
  states(actor: string, page: { after?: string; limit: number }): Promise<KeyState[]>;

  /**
   * Rows of the journal of one key, newest first: at most `limit`, those older than the row with the id `before` if one is
   * given, which may be gone.
   */
  journal(
    actor: string,
    key: string,
    page: { before?: string; limit: number },
  ): Promise<JournalRow[]>;

  /** Keys of `actor` in whose mailboxes messages stand. */
  keys(actor: string, page: KeyPage): Promise<KeyRecord[]>;

  /** One key of `actor`, or undefined when no message stands in its mailbox. */
  key(actor: string, key: string): Promise<KeyRecord | undefined>;

  /** Keys of `actor` that are quarantined, sorted. */
  quarantined(actor: string): Promise<QuarantinedKey[]>;

  /** Lets a quarantined key go on with its mailbox. Resolves to false when it is not quarantined. */
  release(actor: string, key: string): Promise<boolean>;

  /** The BullMQ `Queue` of that name, where the store has one. */
  queue?(name: string): object;

  /** Resolves if the store answers, rejects if not. */
  ping(): Promise<void>;

  /** Closes connections. Consumers are stopped before. Ends in bounded time even when the store is gone. */
  close(): Promise<void>;
}

/** Something told to whoever listens now. */
export interface Signal {
  /** 1 to 200 characters, any that the codec carries. */
  name: string;
  /** At most {@link SIGNAL_BYTES}; may be empty. */
  text: string;
}

/** The most bytes of text in a signal: with its name it must go into one notice of PostgreSQL, which takes 8,000. */
export const SIGNAL_BYTES = 4_000;

/** Other data for a dead letter. */
export interface Edited extends Carried {
  /** What it is found by; absent: nothing. */
  terms?: readonly string[];
}

/** What leads events to actors, as the store has it. */
export interface Bindings {
  /** Another one after every change. */
  version: string;
  /** By owner, what it has bound. */
  owners: Readonly<Record<string, Json>>;
}

/** Which releases of an actor have been there, and when, by the clock of the store. */
export interface Sightings {
  /** What time it is, epoch ms. */
  now: number;
  /** In no order. */
  releases: Release[];
}

export interface StoreInfo {
  /** As a person would name it: `Redis 7.2.4`. */
  name: string;
  /** What an accepted message survives: a power cut, the death of any process, or nothing. */
  durability: 'power-safe' | 'process-safe' | 'memory';
  /** Whether processes can share it. */
  shared: boolean;
  /** Whether turns may commit SQL of the user's own, and sends may join the user's transaction. */
  sql: boolean;
}

export interface ConsumeOptions extends MailboxOptions {
  /** Turns at the same time in this process. */
  concurrency: number;
  /** At most `max` starts per `per` milliseconds, over all processes. */
  rateLimit?: { max: number; per: number };
  /** How many of these turns only messages of the lane 'high' or better get; fewer than `concurrency`. Default 0. */
  reserved?: number;
  /**
   * How long a message may wait, ms, until it is served like one of the lane 'normal' at least, and after twice as long like one
   * of 'high': behind those of that lane that came before. Looked at now and then. Absent: it keeps its priority.
   */
  aging?: number;
}

/** What a consumer declares of the mailboxes of its actor; what is undefined stays as it was. */
export interface MailboxOptions {
  /** Types whose messages do not wait in the mailbox of their key and see its committed state. */
  reads?: ReadonlySet<string>;
  /**
   * The most messages that wait per key, the one in work apart; one more is refused at send with MailboxFullError. Infinity:
   * any number.
   */
  mailbox?: number;
}

/** One delivery of a message to a turn. */
export interface Delivery {
  envelope: Envelope;
  /** Number of this attempt, from 1. Crashes and hand-backs do not count. */
  attempt: number;
  /** Whether the message was never begun before; not so after a crash, a hand-back at once or a redrive. */
  isFirst: boolean;
  /** Failed attempts so far, oldest first. */
  history: readonly AttemptRecord[];
  /** How often a process died, or froze for longer than the lock lasts, while it worked on this message, or had just taken it. */
  crashes: number;
  /** What `noteTrial` noted last since the message was sent or redriven, with how its turn ended. */
  trial?: Trial;
  /**
   * Notes with the message that its turn is about to begin, so that later deliveries know it, whatever becomes of this one. Rejects
   * with LockLostError when another process may have the message; then nothing is noted.
   */
  noteTrial(trial: Trial): Promise<void>;
  startedAt: number;
  /** Nominal time, when the message is an occurrence of a schedule: `Envelope.occurrence`, or BullMQ's own. */
  occurrence?: number;
  /** Somebody cancelled it while an earlier delivery was in work. */
  isCancelled: boolean;
  /** Committed state of its key; undefined when there is none yet, or no key. */
  state?: StoredState;
  /**
   * Told when the process must hand the message back (its reason is a StoppingError), when the message is cancelled
   * (a CancelledError), or when the lock on the message is lost and another process may have it (a LockLostError).
   */
  stop: Stop;
}

/** A turn of a message of which it is asked whether it kills its process. */
export interface Trial {
  /** `Delivery.crashes` when it began: with more of them afterwards, its process died. */
  crashes: number;
  /** How many trials of the message before this one ended so. */
  deaths: number;
  /** Its turn ended otherwise, by a retry or a hand-back say: crashes afterwards are not its own. The store's to note. */
  hasSurvived?: boolean;
}

/** State of one key as stored. */
export interface StoredState extends Carried {
  /** Counts the commits: a turn commits only on the revision that it was given. */
  revision: number;
  /** Version of the state's shape, as the actor declares it. */
  version: number;
  /** Fields of it, and of rows of the journal of its key, that must not be shown, as the actor declares them; absent: none. */
  secret?: readonly string[];
}

/** A key and its state. */
export interface KeyState {
  key: string;
  state: StoredState;
}

/** A row that a turn left in the journal of its key. */
export interface JournalRow {
  /** Its place in the journal: a cursor for `before`. Later rows of the key come after earlier ones. */
  id: string;
  /** When its turn was committed, by the clock of the store, epoch milliseconds. */
  at: number;
  row: JsonObject;
}

/** What a turn that succeeded leaves, committed in one step with its message's end. */
export interface Effects {
  /** Messages, in order. Stored as by `Engine.send`. */
  sends: readonly Envelope[];
  /** New state of the key; absent: unchanged. Its revision is the one the turn was given, 0 for none. */
  state?: StoredState;
  /** Rows, in order, that are added to the journal of the key; of all its rows the newest `keep` stay. Only with a key. */
  journal?: { rows: readonly JsonObject[]; keep: number };
  /**
   * State and journal of the key are removed, if the revision is still the one the turn was given, 0 for none. Only with a key,
   * and without `state` and `journal`.
   */
  forget?: { revision: number };
  /** What the handler answered. */
  reply?: Carried;
  /** Statements of the user's own, run in order in the transaction of the commit. Only where `store.sql`. */
  sql?: readonly SqlStatement[];
  /** Told once all else is committed. A process that dies in between tells nothing. */
  signals?: readonly Signal[];
}

/** A statement of SQL with `$1`, `$2` and so on, and their values. */
export interface SqlStatement {
  text: string;
  params: readonly unknown[];
}

/** A client of PostgreSQL on which its owner has begun a transaction: anything with the `query` of `pg`. */
export interface Transaction {
  query(text: string, params: unknown[]): Promise<unknown>;
}

/** What a turn decides about its message. */
export type Outcome =
  /**
   * Handled. When the store refuses the effects (an id used for another body, a full mailbox, a state that is no longer the
   * one the turn began with, a statement of SQL that fails) nothing of the turn is stored, and what `refused` answers is committed instead.
   */
  | { kind: 'done'; effects?: Effects; refused?: (error: Error) => Outcome | Promise<Outcome> }
  /** Failed: give it out again after `delay` milliseconds. Later messages of its key wait. */
  | { kind: 'retry'; delay: number; attempt: AttemptRecord }
  /** Given up: a dead letter, stored in one step with `sends`; if these are refused, it is given out again. */
  | { kind: 'dead'; reason: DeadReason; attempt: AttemptRecord; sends?: readonly Envelope[] }
  /**
   * Failed, which uses an attempt, and its key stops: the message stays at the head of its mailbox, and nothing of that key is
   * given out until it is released. One that stands in no mailbox is given up, with `sends`.
   */
  | { kind: 'quarantine'; attempt: AttemptRecord; sends?: readonly Envelope[] }
  /**
   * Handed back: give it out again, no attempt used. At once, when it was begun; after `delay` milliseconds, as if it had not
   * been given out at all.
   */
  | { kind: 'release'; delay?: number }
  /** Somebody cancelled it and it stopped, stored in one step with `sends`; if these are refused, it is given out again. */
  | { kind: 'cancelled'; sends?: readonly Envelope[] };

/** Runs one delivery. Never rejects. */
export type TurnFunction = (delivery: Delivery) => Promise<Outcome>;

export interface Consumer {
  /**
   * From now on at most this many turns at the same time; 0: takes nothing until told otherwise. Running turns go on; a higher
   * limit may take effect only when one of them ends.
   */
  limit(concurrency: number): void;

  /**
   * Takes no further message, waits up to `grace` milliseconds for the running turns, then aborts their signals so that
   * they hand their messages back. Never rejects, ends shortly after the grace.
   */
  stop(grace: number): Promise<void>;
}

/** Why a message was given up. */
export type DeadReason =
  /** It failed as often as it may. */
  | 'exhausted'
  /** Its handler threw a RejectError. */
  | 'rejected'
  /** Its data does not satisfy the handler's schema. */
  | 'invalid'
  /** Its actor has no handler for this type. */
  | 'unhandled'
  /** It was not started before its deadline. */
  | 'expired'
  /** Its process died or froze too often while working on it. */
  | 'crashed'
  /** Its key could not be stopped, because it has none: a message without key whose error says 'quarantine'. */
  | 'quarantined';

/** A failed attempt. */
export interface AttemptRecord {
  attempt: number;
  startedAt: number;
  finishedAt: number;
  error: { name: string; message: string; code?: string; stack?: string };
  /** Absent when there was to be no other, and of releases before this was noted. */
  retry?: {
    /** When the next attempt was to be. */
    at: number;
    /** How many there were to be at most. */
    left: number;
  };
}

/** 'parked': behind another message of its key, or its key is quarantined. */
export type MessageState =
  'waiting' | 'delayed' | 'parked' | 'active' | 'done' | 'dead' | 'cancelled';

/** What became of a cancelling. */
export type Cancellation =
  /** It had not started and never will. */
  | 'cancelled'
  /** It is in work and was told to stop; it may still end otherwise. */
  | 'cancelling'
  /** Too late: it is done, dead or cancelled. */
  | 'ended'
  /** No such message. */
  | 'unknown';

/** 'age': the key whose first message has stood there longest first. 'depth': the one with the most messages first. */
export type KeyOrder = 'age' | 'depth';

/** Which keys of an actor, in what order. */
export interface KeyPage {
  by: KeyOrder;
  /** How many at most. */
  limit: number;
}

/** A key with messages. */
export interface KeyRecord {
  key: string;
  /** Messages in its mailbox, the one in work included. */
  depth: number;
  /** When the first of them could first be handled: when it was sent, or due if delayed. */
  since: number;
  isQuarantined: boolean;
}

/** A key that stopped. */
export interface QuarantinedKey {
  key: string;
  since: number;
  /** Storage id of the message that stopped it, and its failure. */
  storageId: string;
  attempt: AttemptRecord;
  /** Messages in its mailbox, this one included. */
  depth: number;
}

export interface MessageRecord {
  /** The store's own name for the message. */
  storageId: string;
  envelope: Envelope;
  state: MessageState;
  /** Failed attempts, oldest first, those before a redrive included. At most the last 50. */
  history: AttemptRecord[];
  /** Start of the latest attempt. */
  startedAt?: number;
  finishedAt?: number;
  /** Why it is dead. */
  reason?: DeadReason;
  /** What its handler answered, when it is done. */
  reply?: Carried;
  /** What its turn sent, when it is done; absent: nothing. */
  sent?: Sent;
  /** How often it was redriven. */
  redrives: number;
}

/** Messages that a turn sent with its commit. */
export interface Sent {
  /** How many. */
  count: number;
  /** The first {@link SENT_LIMIT} of them. */
  first: Pick<Envelope, 'id' | 'actor' | 'tenant'>[];
}

/** A page of what is found by a term. */
export interface SearchPage {
  after?: SearchPlace;
  /** How many at most, from 1. */
  limit: number;
}

/** A place among the messages with a term: that of the message which was sent then and has this storage id. */
export interface SearchPlace {
  sentAt: number;
  storageId: string;
}

/** Messages with a term. */
export interface SearchResult {
  items: MessageRecord[];
  /** Where it goes on: may be there when there are no more, or fewer than asked for. */
  next?: SearchPlace;
}

/** A place in the list of dead letters: that of the letter which died then and has this storage id. */
export interface DeadLetterPlace {
  finishedAt: number;
  storageId: string;
}

/** Which messages of an actor. */
export interface MessagePage {
  state: MessageState;
  after?: MessagePlace;
  /** How many are looked at, from 1. */
  limit: number;
}

/** A place in the list of the messages of one state. What the numbers, which are whole, mean is the store's own business. */
export interface MessagePlace {
  rank: number;
  order: number;
  storageId: string;
}

/** Messages of one state, each with its place. */
export interface MessageListing {
  items: { record: MessageRecord; place: MessagePlace }[];
  /** Where it goes on: may be there when there are no more, or fewer than asked for. */
  next?: MessagePlace;
}

export interface ActorCounts {
  /** Those parked behind their key's head too. */
  waiting: number;
  delayed: number;
  active: number;
  /** Those still kept; cancelled ones too. */
  done: number;
  dead: number;
}

export interface FinishedTurn {
  /** When the message could first be handled: when it was sent, or due if delayed. */
  readyAt: number;
  startedAt: number;
  finishedAt: number;
}

/** How many failed attempts a message remembers. */
export const HISTORY_LIMIT = 50;

/** How many of the messages that a turn sent its message remembers. */
export const SENT_LIMIT = 20;

/** What is remembered of the messages that a turn sends; undefined when there are none. */
export function sentOf(sends: readonly Envelope[]): Sent | undefined {
  if (sends.length === 0) return undefined;
  const first = sends.slice(0, SENT_LIMIT).map(({ id, actor, tenant }) => {
    return { id, actor, ...(tenant !== undefined && { tenant }) };
  });
  return { count: sends.length, first };
}
