import { ungrouped } from '../dashboard/board.names.js';
import type { AuditEntry } from './audit.entry.js';

/** Which entries; what is absent does not narrow. */
export interface AuditFilter {
  /** A word: {@link Deed.action}. */
  action?: string;
  /** A part of the name or of the id of who asked, in whatever case. */
  who?: string;
  /** Parts of {@link Deed.target} that follow one another: a kind, an id, or both. */
  target?: string;
}

/** What was done, and to what. */
export interface Deed {
  action: string;
  /** As its path, below `/v1`. */
  target: string;
}

/** Of calls that say with their method alone what they do. */
const METHODS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'change',
  PATCH: 'change',
  DELETE: 'delete',
};
/** Of those that the rest of the product calls otherwise. */
const WORDS: Readonly<Record<string, string>> = {
  'DELETE /v1/messages/:id': 'cancel',
  'DELETE /v1/dead-letters/:id': 'discard',
  'DELETE /v1/api-keys/:id': 'revoke',
};
const CREATED = 201;

/** What was done by a call, and to what: that which it has made, if it has made something. */
export function deedOf({ call, path, status, after }: AuditEntry): Deed {
  const [method = '', url = ''] = call.split(' ', 2);
  const isMade = status === CREATED;
  const { verb, depth } = readRoute(url);
  const isOfMany = verb !== '' && path.endsWith(`:${verb}`);
  const asked = (isOfMany ? path.slice(0, -1 - verb.length) : path)
    .split('/')
    .slice(1, depth)
    .filter((part, index) => !(index === 0 ? part === 'v1' : index === 1 && part === 'api'))
    .join('/');
  const target = ungrouped(asked);
  const id = isMade && method === 'POST' ? after?.['id'] : undefined;
  return {
    action: verb || WORDS[call] || (isMade ? 'create' : (METHODS[method] ?? method)),
    target: typeof id === 'string' ? `${target}/${encodeURIComponent(id)}` : target,
  };
}

/** What a route says is done, '' when its method says it, and how many parts of the path name that to which it is done. */
function readRoute(url: string): { verb: string; depth: number } {
  // What is done to all of one state is done to the queue.
  const [route = '', verb] = url.replace(/\/:queueStatus$/, '').split('::', 2);
  const parts = route.split('/');
  if (verb !== undefined) return { verb, depth: parts.length };
  const last = parts.findLastIndex((part) => part.startsWith(':'));
  // What the board does to all queues names none.
  const isOfAll = last < 0 && parts[1] === 'board';
  const depth = isOfAll ? parts.length - 1 : last < 0 ? parts.length : last + 1;
  return { verb: parts.slice(depth).at(-1) ?? '', depth };
}

/** What was done by an entry that is asked for; undefined for the others. */
export function deedAskedFor(entry: AuditEntry, filter: AuditFilter): Deed | undefined {
  const { action, who, target } = filter;
  const has = (text: string): boolean => text.toLowerCase().includes((who ?? '').toLowerCase());
  if (who !== undefined && !has(entry.who) && !has(entry.name)) return undefined;
  const deed = deedOf(entry);
  const isAsked =
    (action === undefined || action === deed.action) &&
    (target === undefined || isWithin(target, deed.target));
  return isAsked ? deed : undefined;
}

function isWithin(wanted: string, target: string): boolean {
  const parts = `/${wanted.replaceAll(/^\/(v1\/)?|\/$/g, '')}/`;
  return [target, decoded(target)].some((text) => `/${text}/`.includes(parts));
}

function decoded(target: string): string {
  try {
    return decodeURIComponent(target);
  } catch {
    // It was too long to be kept whole.
    return target;
  }
}
