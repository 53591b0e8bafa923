import { LIMITS, type Json } from './json.js';

/** What the `types` beside a value say of it, and of what is inside it, by key. */
export interface Notes {
  kind?: Kind;
  inside: Map<string, Notes>;
}

/** What JSON has no word for, by superjson's names: each makes its value of the JSON that stands for it. */
const KINDS = {
  undefined: (value: unknown) => {
    if (value !== null) throw misfit('undefined');
    return undefined;
  },
  bigint: (value: unknown) => {
    if (typeof value !== 'string' || !/^-?\d+$/.test(value)) throw misfit('a BigInt');
    return BigInt(value);
  },
  Date: (value: unknown) => {
    const date = new Date(typeof value === 'string' ? value : NaN);
    if (Number.isNaN(date.getTime())) throw misfit('a Date');
    return date;
  },
  set: (value: unknown) => {
    if (!Array.isArray(value)) throw misfit('a Set');
    return new Set<unknown>(value);
  },
  map: (value: unknown) => {
    if (!Array.isArray(value) || !value.every(isPair)) throw misfit('a Map');
    return new Map(value);
  },
  bytes: (value: unknown) => {
    if (typeof value !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw misfit('bytes');
    return new Uint8Array(Buffer.from(value, 'base64'));
  },
} satisfies Record<string, (value: unknown) => unknown>;
export type Kind = keyof typeof KINDS;

/** @throws Error when the value cannot stand for one of this kind */
export function ofKind(kind: Kind, value: unknown): unknown {
  return KINDS[kind](value);
}

function misfit(kind: string): Error {
  return new Error(`types say ${kind} where the data is none`);
}

function isPair(value: unknown): value is [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}

/**
 * Reads superjson's meta: `{ values, v }`, where values is a tree of `[kind, children]` and `{ path: tree }`.
 *
 * @throws Error for anything that {@link encode} does not write
 */
export function readNotes(types: Json): Notes {
  const root = emptyNotes();
  if (!isObject(types) || types['v'] !== 1) throw unreadable();
  read(types['values'] ?? null, root, { left: LIMITS.keys + 1 });
  return root;
}

function read(tree: Json, at: Notes, budget: { left: number }): void {
  if (!Array.isArray(tree)) return readInside(tree, at, budget);
  const [name = null, children, ...rest] = tree;
  if (rest.length > 0 || at.kind !== undefined) throw unreadable();
  at.kind = kindOf(name);
  budget.left -= 1;
  if (budget.left < 0) throw new Error(`types are over ${LIMITS.keys}`);
  if (children !== undefined) readInside(children, at, budget);
}

function readInside(tree: Json, at: Notes, budget: { left: number }): void {
  if (!isObject(tree)) throw unreadable();
  for (const [path, child] of Object.entries(tree)) {
    read(child, descend(at, path), budget);
  }
}

/** The notes at a path. */
function descend(from: Notes, path: string): Notes {
  let at = from;
  for (const key of keysOf(path)) {
    let next = at.inside.get(key);
    if (!next) at.inside.set(key, (next = emptyNotes()));
    at = next;
  }
  return at;
}

/** Keys have dots between; a dot or backslash in a key has a backslash before it. */
function keysOf(path: string): string[] {
  if (!path.includes('\\')) return path.split('.');
  const keys = [''];
  for (const part of path.match(/\\?[^]/g) ?? []) {
    if (part === '.') keys.push('');
    else if (part.length === 1 && part !== '\\') keys[keys.length - 1] += part;
    else if (part === '\\.' || part === '\\\\') keys[keys.length - 1] += part[1] as string;
    else throw unreadable();
  }
  return keys;
}

function kindOf(name: Json): Kind {
  if (typeof name === 'string' && name !== 'bytes' && Object.hasOwn(KINDS, name))
    return name as Kind;
  if (Array.isArray(name) && name.length === 2 && name[0] === 'custom' && name[1] === 'bytes') {
    return 'bytes';
  }
  throw unreadable();
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function emptyNotes(): Notes {
  return { inside: new Map() };
}

function unreadable(): Error {
  return new Error('types are not those of this codec');
}
