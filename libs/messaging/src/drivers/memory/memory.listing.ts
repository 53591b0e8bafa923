import type { MessageListing, MessagePage, MessagePlace } from '../../engine.js';
import { recordOf, type Entry } from './memory.entry.js';

/** A page of the messages of one state, of all of an actor's. */
export function listing(
  entries: Iterable<Entry>,
  { state, after, limit }: MessagePage,
): MessageListing {
  const found = [...entries]
    .filter((entry) => entry.state === state)
    .map((entry) => ({ entry, place: placeOf(entry) }))
    .filter(({ place }) => after === undefined || compare(place, after) > 0)
    .sort((a, b) => compare(a.place, b.place));
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  return {
    items: page.map(({ entry, place }) => ({ record: recordOf(entry), place })),
    ...(last && { next: last.place }),
  };
}

function placeOf(entry: Entry): MessagePlace {
  const { storageId, state, rank, seq, arrival, slot, startedAt = 0, finishedAt = 0 } = entry;
  switch (state) {
    case 'waiting':
      return { rank, order: seq, storageId };
    case 'parked':
      return { rank: 0, order: arrival, storageId };
    case 'delayed':
      return { rank: 0, order: slot?.rank ?? 0, storageId };
    case 'active':
      return { rank: 0, order: startedAt, storageId };
    default:
      // Newest first.
      return { rank: 0, order: -finishedAt, storageId };
  }
}

function compare(a: MessagePlace, b: MessagePlace): number {
  const byId = a.storageId < b.storageId ? -1 : a.storageId === b.storageId ? 0 : 1;
  return a.rank - b.rank || a.order - b.order || byId;
}
