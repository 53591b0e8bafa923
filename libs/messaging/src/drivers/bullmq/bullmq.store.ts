import type { BackendFactory, IQueueBackend, Job } from 'bullmq';
import type {
  AttemptRecord,
  Bindings,
  Cancellation,
  Edited,
  Effects,
  MessagePlace,
  MessageRecord,
  MessageState,
  SearchPage,
  SearchPlace,
  Sightings,
  Signal,
  StoredState,
  StoreInfo,
  Transaction,
} from '../../engine.js';
import type { Envelope } from '../../envelope.js';
import type { Json } from '../../json.js';
import type { Found } from '../../search.result.js';
import type { JobProgress } from './bullmq.job.js';
import type { Mailboxes } from './mailboxes.js';
import type { ReservedTurns } from './reserved.turns.js';

/** What the BullMQ engine needs of a database beyond BullMQ's own backend. */
export interface BullmqStore {
  /** Known once open. */
  readonly info: StoreInfo;
  /** What BullMQ's workers take as `connection`: waits for the store to come back. */
  readonly workerConnection: unknown;
  /** What BullMQ's queues take as `connection`: gives up in bounded time. */
  readonly queueConnection: unknown;
  readonly prefix?: string;
  readonly backend: BackendFactory<TurnBackend, never>;

  open(): Promise<void>;
  /** As `Engine.send`. */
  send(envelopes: readonly Envelope[], tx?: Transaction): Promise<void>;
  /** As `Engine.listen`. */
  listen(inbox: string, ended: (id: string) => void): Promise<() => Promise<void>>;
  /** Calls `cancelled` with the storage id of each message in work that somebody cancels, on whatever queue. */
  onCancel(cancelled: (storageId: string) => void): Promise<() => Promise<void>>;
  /** As `Engine.signal`. */
  signal(signals: readonly Signal[]): Promise<void>;
  /** As `Engine.onSignal`. */
  onSignal(name: string, hear: (text: string) => void): Promise<() => Promise<void>>;
  /** As `Engine.bind`. */
  bind(owner: string, value: Json | undefined, only?: 'higher'): Promise<boolean>;
  /** As `Engine.bound`. */
  bound(owner: string): Promise<Json | undefined>;
  /** As `Engine.bindings`. */
  bindings(known?: string): Promise<Bindings | undefined>;
  /** As `Engine.note`. */
  note(name: string, value: Json, age: number): Promise<Json>;
  /** As `Engine.noted`. */
  noted(name: string): Promise<Json | undefined>;
  /** As `Engine.present`. */
  present(actor: string, release: string): Promise<void>;
  /** As `Engine.releases`. */
  releases(actor: string): Promise<Sightings>;
  /** As `Engine.search`: where messages stand that have the term. They may be gone, or have others, when they are looked at. */
  search(actors: readonly string[], term: string, page: SearchPage): Promise<Found<FoundPlace>>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Where a message stands that was found. */
export interface FoundPlace extends SearchPlace {
  actor: string;
}

/** The next job, as a backend answers it with the end of another; undefined when the worker has to fetch it. */
export type NextJob = Awaited<ReturnType<IQueueBackend['moveToCompleted']>>['result'] | undefined;

/**
 * BullMQ's backend with what BullMQ does not have. The ends of a turn are one step each, fenced by the lock token: a token
 * that no longer holds the lock rejects, and nothing changes. Each of complete, bury and quit also tells the inbox in the
 * message's `replyTo` that it ended, takes the message out of its mailbox, and makes the next of its key runnable.
 */
export interface TurnBackend extends IQueueBackend {
  readonly mailboxes: Mailboxes;
  /** Of the worker that has this backend, if it keeps turns for urgent messages: then not every fetch may bring any. */
  reserved?: ReservedTurns;
  /** The committed state of the key of a job just taken. Asked for once. */
  stateOf(job: Job): StoredState | undefined | Promise<StoredState | undefined>;
  /**
   * Handled, with what the turn leaves: sends are stored as by `BullmqStore.send`, the reply, and what was sent, is the job's return
   * value (`toAnswer`). Rejects with IdempotencyConflictError, MessageActiveError or MailboxFullError when a send is refused, with
   * LockLostError when the state is no longer the one the turn began with, with TurnSqlError when SQL of the user's fails: then
   * nothing changed.
   *
   * @param fetchNext the worker has room for another job; default false
   */
  complete(
    job: Job,
    token: string,
    effects: Effects,
    keep: Keep,
    fetchNext?: boolean,
  ): Promise<NextJob>;
  /** Stores a progress in place of that of a job in work. False, and nothing changed, when the token no longer holds its lock. */
  note(job: Job, token: string, progress: JobProgress): Promise<boolean>;
  /** Due again after `delay` ms: after a failed attempt, or without using one when there is no failure. */
  postpone(job: Job, token: string, delay: number, failure: Failure | undefined): Promise<void>;
  /**
   * Failed, and its key stops with this message at its head. False, and nothing changed, when the message stands in no
   * mailbox, because it only reads or has no key.
   */
  quarantine(job: Job, token: string, failure: Failure, attempt: AttemptRecord): Promise<boolean>;
  /** Given up: the job moves to the queue of dead letters, and `sends` are stored. */
  bury(job: Job, token: string, failure: Failure, sends: Effects['sends']): Promise<void>;
  /** In work, and stopped because it was cancelled: completed, with progress that says so, and `sends` are stored. */
  quit(
    job: Job,
    token: string,
    progress: JobProgress,
    keep: Keep,
    sends: Effects['sends'],
  ): Promise<void>;
  /**
   * Cancels by storage id. One that waits or is delayed is completed with progress that says `cancelled`; one in work has
   * `callsheetCancelled` added to its options, and every process is told (`BullmqStore.onCancel`).
   */
  cancel(id: string): Promise<Cancellation>;
  /** As `cancel`, of one that no turn has begun; any other stays as it is, and counts as ended. */
  withdraw(id: string): Promise<Cancellation>;
  /**
   * Ids of jobs that wait with a priority worse than this and could have been served since before that time, at most `limit`; the
   * first of them are looked for in each priority.
   */
  overdue(priority: number, before: number, limit: number): Promise<string[]>;
  /** As `Engine.oldest`. */
  oldest(): Promise<number | undefined>;
  /** A dead letter (this backend is of its queue) is removed for good. False when it is not there. */
  discard(id: string): Promise<boolean>;
  /** Drops handled jobs beyond the age (ms) and count to keep, where BullMQ's own retention is too slow for that. */
  forgetDone?(keep: Keep): Promise<void>;
  /** Drops dead letters of this backend's queue beyond the age (ms) and count to keep. */
  forgetDead(keep: Keep): Promise<void>;
  /**
   * Where the jobs of this backend's queue stand that are in a state, in the order of `Engine.list`; those done and those
   * cancelled are one list. The order of one that ended is when, epoch ms; equal times by id. Dead letters stand in a queue of
   * their own.
   */
  places(
    state: MessageState,
    after: MessagePlace | undefined,
    limit: number,
  ): Promise<MessagePlace[]>;
  /** As `Engine.rewrite`, with what its attempts left. This backend is of the queue of the dead letter. */
  rewrite(letter: MessageRecord, failure: Failure): Promise<boolean>;
  /** A dead letter (this backend is of its queue) goes back to its actor's. False when it is not there. */
  redrive(id: string, progress: unknown, edited?: Edited): Promise<boolean>;
}

/** How long (ms), and how many, ended messages stay. */
export interface Keep {
  age: number;
  count: number;
}

/** What a failed attempt leaves on its job. */
export interface Failure {
  reason: string;
  stacktrace: string[];
  progress: JobProgress;
}
