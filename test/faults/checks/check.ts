import type { History } from '../history.js';
import type { Event, EventOf } from '../ledger.js';

/** Says what is wrong in a history, one sentence each; nothing when nothing is. A pure function. */
export type Check = (history: History) => string[];

export function eventsOf<K extends Event['kind']>({ events }: History, kind: K): EventOf<K>[] {
  return events.filter((event): event is EventOf<K> => event.kind === kind);
}

export function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}

/** What occurs more than once. */
export function repeated(ids: readonly string[]): string[] {
  return [...groupBy(ids, (id) => id)].filter(([, all]) => all.length > 1).map(([id]) => id);
}
