import { rendezvous } from './rendezvous.js';
import type { Receiver, RoutedEvent, Route } from './route.js';

/** A receiver of an event. */
export interface Reached {
  /** An actor, or several of which the one with the least load is to be chosen: `hash` is decided. */
  receiver: Receiver;
  /** What led there first: `actor:<name>` or `route:<id>`. */
  by: string;
  set?: Route['set'];
}

/** The receivers of one event so far, each once. */
export class Reach {
  /** In the order in which they were reached. */
  readonly reached: Reached[] = [];
  private readonly known = new Set<string>();

  constructor(private readonly event: RoutedEvent) {}

  has(actor: string): boolean {
    return this.known.has(actor);
  }

  add(wanted: Receiver, by: string, set: Route['set']): void {
    const receiver = decided(wanted, this.event);
    // No name of an actor has a comma.
    const name = typeof receiver === 'string' ? receiver : `${receiver.oneOf.toSorted().join()},`;
    if (this.known.has(name)) return;
    this.known.add(name);
    this.reached.push({ receiver, by, ...(set && { set }) });
  }
}

/** What can be decided without knowing the load. */
function decided(receiver: Receiver, { key, type, topic }: RoutedEvent): Receiver {
  if (typeof receiver === 'string') return receiver;
  const { oneOf, by } = receiver;
  if (by === 'hash') return rendezvous(oneOf, key ?? `${type} ${topic}`);
  return oneOf.length === 1 ? (oneOf[0] as string) : receiver;
}
