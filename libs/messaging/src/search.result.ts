import type { MessageRecord, SearchPlace } from './engine.js';

/** The place of a message among those that are found. */
export function placeOf({ envelope, storageId }: MessageRecord): SearchPlace {
  return { sentAt: envelope.sentAt, storageId };
}

/** Order of what is found: sent last first; equal times by storage id. */
export function sentLastFirst(a: SearchPlace, b: SearchPlace): number {
  const byId = a.storageId < b.storageId ? 1 : a.storageId > b.storageId ? -1 : 0;
  return b.sentAt - a.sentAt || byId;
}

/** A page of what is found, and where it goes on. */
export interface Found<T> {
  items: T[];
  next?: SearchPlace;
}

/** Pages of several searches from the same place on as one page of at most `limit`: nothing is skipped that one of them did not reach. */
export function merged<T>(
  pages: readonly Found<T>[],
  limit: number,
  place: (item: T) => SearchPlace,
): Found<T> {
  const all = pages.flatMap(({ items }) => items);
  all.sort((a, b) => sentLastFirst(place(a), place(b)));
  const ends = pages.flatMap(({ next }) => (next ? [next] : []));
  // Behind the end of the page that reached least, others may have more in between.
  const end = ends.sort(sentLastFirst)[0];
  const known = end ? all.filter((each) => sentLastFirst(place(each), end) <= 0) : all;
  const items = known.slice(0, limit);
  const next = known.length > limit ? place(items[limit - 1]!) : end;
  return { items, ...(next && { next }) };
}
