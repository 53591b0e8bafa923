/** Injection token of the {@link Queues} behind the actors, for dashboards. */
export const QUEUES = Symbol('callsheet:queues');

/** The BullMQ queues behind the actors: for each actor its own, and `<actor>.dead` with its dead letters. */
export interface Queues {
  /** Empty on the memory store. Typed loosely, because only drivers know BullMQ: each is a BullMQ `Queue`. */
  all(): readonly ActorQueue[];
}

/** What a queue behind an actor knows beyond a BullMQ `Queue`. */
export interface ActorQueue {
  readonly name: string;
  /**
   * How many messages stand before each of these jobs in the mailbox of its key, by id, at most {@link MOST_BEFORE}: 0 is the next,
   * or in work. Jobs that stand in no mailbox are left out: they ended, are due later, or only read. One step.
   */
  standingBefore(jobs: readonly KeyedJob[]): Promise<ReadonlyMap<string, number>>;
}

/** A job with a key. */
export interface KeyedJob {
  id: string;
  key: string;
}

/** So many are counted before a job, and no more. */
export const MOST_BEFORE = 1_000;
