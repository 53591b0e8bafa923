import { ownerOf } from './actor.binding.js';
import type { EventFilter } from './event.filter.js';
import type { Receiver, RoutedEvent, Route, Subscription } from './route.js';

/** A rule, or one subscription of an actor, as it is looked at for an event. */
export interface Candidate {
  readonly owner: string;
  /** The actor whose subscription it is; undefined for a rule. */
  readonly subscriber?: string;
  readonly match: Route['match'];
  readonly to: readonly Receiver[];
  readonly set: Route['set'];
  readonly isLast: boolean;
  /** Its place among all. */
  place: number;
  /** Compiled when it is needed first. */
  filter?: EventFilter;
}

export function ofRoute({ id, match, to, set, last: isLast = false }: Route): Candidate {
  return { owner: `route:${id}`, match, to, set, isLast, place: 0 };
}

export function ofSubscription(subscriber: string, match: Subscription): Candidate {
  return {
    owner: ownerOf(subscriber),
    subscriber,
    match,
    to: [subscriber],
    set: undefined,
    isLast: false,
    place: 0,
  };
}

/** Whether all fits that is neither indexed nor a filter. */
export function fits({ tenant, priority, headers }: Route['match'], event: RoutedEvent): boolean {
  if (tenant !== undefined && tenant !== event.tenant) return false;
  if (priority) {
    const { min = 0, max = Infinity } = priority;
    if (event.priority < min || event.priority > max) return false;
  }
  for (const name in headers) {
    if (!Object.hasOwn(event.headers, name) || event.headers[name] !== headers[name]) return false;
  }
  return true;
}
