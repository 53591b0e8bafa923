import type { BackendFactory, IQueueBackend, Job } from 'bullmq';
import type { DeadLetterPlace, StoreInfo } from '../../engine.js';
import type { Envelope } from '../../envelope.js';
import type { JobProgress } from './bullmq.job.js';

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
  send(envelopes: readonly Envelope[]): Promise<void>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** BullMQ's backend with what BullMQ does not have. The ends of a turn are one step each, fenced by the lock token. */
export interface TurnBackend extends IQueueBackend {
  /** A failed attempt: due again after `delay` ms. */
  postpone(job: Job, token: string, delay: number, failure: Failure): Promise<void>;
  /** Given up: the job moves to the queue of dead letters. */
  bury(job: Job, token: string, failure: Failure): Promise<void>;
  /** Drops handled jobs beyond the age (ms) and count to keep, where BullMQ's own retention is too slow for that. */
  forgetDone?(keep: { age: number; count: number }): Promise<void>;
  /** Ids of the dead letters in this backend's queue, as `Engine.deadLetters` orders them. */
  deadIds(after: DeadLetterPlace | undefined, limit: number): Promise<string[]>;
  /** A dead letter (this backend is of its queue) goes back to its actor's. False when it is not there. */
  redrive(id: string, progress: unknown): Promise<boolean>;
}

/** What a failed attempt leaves on its job. */
export interface Failure {
  reason: string;
  stacktrace: string[];
  progress: JobProgress;
}
