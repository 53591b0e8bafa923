import type { Envelope } from './envelope.js';

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
   * nothing, the same id with another body rejects with IdempotencyConflictError. Messages are served by priority, equal
   * ones in the order stored. Resolves when the store has them.
   */
  send(envelopes: readonly Envelope[]): Promise<void>;

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

  /** The most recent finished turns of `actor`, newest first, at most `limit`. */
  finished(actor: string, limit: number): Promise<FinishedTurn[]>;

  /** Dead letters of these actors, newest first: at most `limit`, those after a place in that order if one is given. */
  deadLetters(
    actors: readonly string[],
    page: { after?: DeadLetterPlace; limit: number },
  ): Promise<MessageRecord[]>;

  /**
   * Puts a dead letter back into its actor's queue with all attempts available again; its history is kept.
   * Resolves to false when there is no such dead letter.
   */
  redrive(id: string, actors: readonly string[]): Promise<boolean>;

  /** Creates or changes a schedule. Leaves an unchanged one alone, so that an occurrence that is due is not dropped. */
  putSchedule(schedule: ScheduleSpec): Promise<void>;

  /** The schedules of these actors. Each occurrence is a message sent once, however many processes run. */
  schedules(actors: readonly string[]): Promise<ScheduleRecord[]>;

  /** The BullMQ `Queue` of that name, where the store has one. */
  queue?(name: string): object;

  /** Resolves if the store answers, rejects if not. */
  ping(): Promise<void>;

  /** Closes connections. Consumers are stopped before. Ends in bounded time even when the store is gone. */
  close(): Promise<void>;
}

export interface StoreInfo {
  /** As a person would name it: `Redis 7.2.4`. */
  name: string;
  /** What an accepted message survives: a power cut, the death of any process, or nothing. */
  durability: 'power-safe' | 'process-safe' | 'memory';
  /** Whether processes can share it. */
  shared: boolean;
}

export interface ConsumeOptions {
  /** Turns at the same time in this process. */
  concurrency: number;
}

/** One delivery of a message to a turn. */
export interface Delivery {
  envelope: Envelope;
  /** Number of this attempt, from 1. Crashes and hand-backs do not count. */
  attempt: number;
  /** Whether the message was never given out before; not so after a crash, a hand-back or a redrive. */
  isFirst: boolean;
  /** Failed attempts so far, oldest first. */
  history: readonly AttemptRecord[];
  /** How often a process died, or froze for longer than the lock lasts, while it worked on this message. */
  crashes: number;
  startedAt: number;
  /** Nominal time, when the message is an occurrence of a schedule. */
  occurrence?: number;
  /**
   * Aborts when the process must hand the message back (its reason is a StoppingError), or when the lock on the message is
   * lost and another process may have it (a LockLostError).
   */
  signal: AbortSignal;
}

/** What a turn decides about its message. */
export type Outcome =
  | { kind: 'done' }
  /** Failed: give it out again after `delay` milliseconds. */
  | { kind: 'retry'; delay: number; attempt: AttemptRecord }
  /** Given up: a dead letter. */
  | { kind: 'dead'; reason: DeadReason; attempt: AttemptRecord }
  /** Handed back unfinished: give it out again at once, no attempt used. */
  | { kind: 'release' };

/** Runs one delivery. Never rejects. */
export type TurnFunction = (delivery: Delivery) => Promise<Outcome>;

export interface Consumer {
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
  | 'crashed';

/** A failed attempt. */
export interface AttemptRecord {
  attempt: number;
  startedAt: number;
  finishedAt: number;
  error: { name: string; message: string; code?: string; stack?: string };
}

export type MessageState = 'waiting' | 'delayed' | 'active' | 'done' | 'dead';

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
  /** How often it was redriven. */
  redrives: number;
}

/** A place in the list of dead letters: that of the letter which died then and has this storage id. */
export interface DeadLetterPlace {
  finishedAt: number;
  storageId: string;
}

export interface ActorCounts {
  waiting: number;
  delayed: number;
  active: number;
  done: number;
  dead: number;
}

export interface FinishedTurn {
  /** When the message could first be handled: when it was sent, or due if delayed. */
  readyAt: number;
  startedAt: number;
  finishedAt: number;
}

export interface ScheduleSpec {
  /** `<actor>.<name>`; also the type of the messages it sends. */
  id: `${string}.${string}`;
  actor: string;
  cron: string;
  /** IANA zone in which `cron` is read. */
  tz: string;
  priority: number;
}

export interface ScheduleRecord extends ScheduleSpec {
  next: number | undefined;
}

/** How many failed attempts a message remembers. */
export const HISTORY_LIMIT = 50;
