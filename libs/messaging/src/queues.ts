/** Injection token of the {@link Queues} behind the actors, for dashboards. */
export const QUEUES = Symbol('callsheet:queues');

/** The BullMQ queues behind the actors: for each actor its own, and `<actor>.dead` with its dead letters. */
export interface Queues {
  /** Empty on the memory store. Typed loosely, because only drivers know BullMQ: each is a BullMQ `Queue`. */
  all(): readonly object[];
}
