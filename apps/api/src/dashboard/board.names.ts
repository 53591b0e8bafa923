/** Stands between the actor and the queue in the board's names of queues, by which it groups them. No actor has it in its name. */
export const DELIMITER = ':';

const DEAD = /^(.+)\.dead$/;
/** The page of a queue by its own name, as the console and people have it. */
const QUEUE_PAGE = /^(\/board\/queue\/)([a-z][a-z0-9-]*)((?:\.dead)?(?:[/?].*)?)$/;
const GROUPED = /^(board\/queues\/)([a-z][a-z0-9-]*)(?::|%3A)(?=\2(?:\.dead)?(?:\/|$))/i;

/** The actor whose messages, or dead letters, a queue has. */
export function actorOf({ name }: { readonly name: string }): string {
  return DEAD.exec(name)?.[1] ?? name;
}

/** What the board calls a queue. */
export function boardName(queue: { readonly name: string }): string {
  return actorOf(queue) + DELIMITER + queue.name;
}

/** Where the page is that was asked for by the name of its queue; undefined for other pages. */
export function toGrouped(url: string): string | undefined {
  const [, page, actor, rest] = QUEUE_PAGE.exec(url) ?? [];
  return actor && `${page}${encodeURIComponent(actor + DELIMITER)}${actor}${rest}`;
}

/** A path below `board/queues`, with the queue's own name in place of the board's. */
export function ungrouped(path: string): string {
  return path.replace(GROUPED, '$1');
}
