import SuperJSON from 'superjson';
import { FORBIDDEN_KEYS, Inspection, LIMITS, type Json } from './json.js';
import type { Violation } from './messaging.errors.js';
import { unreadable } from './encryption/encrypted.js';
import { ofKind, readNotes, type Notes } from './codec.notes.js';

/** A value as it travels and is stored: plain JSON, readable on any dashboard, and what JSON cannot say of it. */
export interface Carried {
  data: Json;
  /** Which values of `data` stand for a Date, a BigInt, a Map, a Set, bytes or undefined. Absent: none. */
  types?: Json;
}

const superjson = new SuperJSON();
superjson.registerCustom<Uint8Array, string>(
  {
    isApplicable: (value): value is Uint8Array => value instanceof Uint8Array,
    serialize: (bytes) => Buffer.from(bytes).toString('base64'),
    deserialize: (text) => new Uint8Array(Buffer.from(text, 'base64')),
  },
  'bytes',
);

/**
 * What `value` is as it travels; what cannot be carried is left as it is, so ask {@link violations} first. -0 becomes 0, and
 * what stands in two places becomes two.
 */
export function encode(value: unknown): Carried {
  const inspection = new Inspection(value);
  return inspection.found.length === 0 ? encodeCopy(inspection) : encodeRich(value);
}

/** As {@link encode}, in the same walk as the check. @throws what `refuse` makes of what is found */
export function carry(value: unknown, refuse: (found: readonly Violation[]) => Error): Carried {
  return encodeCopy(inspect(value, refuse));
}

/**
 * As {@link carry}, with a limit of its own in place of that of messages.
 *
 * @param most bytes of JSON
 * @throws what `refuse` makes of what is found; what `refuseSize` makes of the size of what is larger
 */
export function carryWithin(
  value: unknown,
  most: number,
  refuse: (found: readonly Violation[]) => Error,
  refuseSize: (size: number) => Error,
): Carried {
  const inspection = new Inspection(value);
  if (inspection.found.length > 0) throw refuse(inspection.found);
  const carried = encodeCopy(inspection);
  if (inspection.bound <= most) return carried;
  const size = sizeOf(carried);
  if (size > most) throw refuseSize(size);
  return carried;
}

/** Walks over a value once. @throws what `refuse` makes of everything that cannot be carried, at most ten, each with its path */
export function inspect(
  value: unknown,
  refuse: (found: readonly Violation[]) => Error,
): Inspection {
  const inspection = new Inspection(value);
  const found = findings(inspection);
  if (found.length > 0) throw refuse(found);
  return inspection;
}

/** Everything in `value` that cannot be carried, at most ten, each with its path. */
export function violations(value: unknown): readonly Violation[] {
  return findings(new Inspection(value));
}

function findings(inspection: Inspection): readonly Violation[] {
  const { found, bound } = inspection;
  if (found.length > 0 || bound <= LIMITS.bytes) return found;
  if (sizeOf(encodeCopy(inspection)) <= LIMITS.bytes) return found;
  return [{ path: '', message: `is larger than ${LIMITS.bytes} bytes` }];
}

function sizeOf({ data, types }: Carried): number {
  return bytesOf(data) + (types === undefined ? 0 : bytesOf(types));
}

function bytesOf(json: Json): number {
  return Buffer.byteLength(JSON.stringify(json));
}

function encodeCopy({ plain, copy }: Pick<Inspection, 'plain' | 'copy'>): Carried {
  return plain ? { data: copy as Json } : encodeRich(copy);
}

function encodeRich(value: unknown): Carried {
  const { json, meta } = superjson.serialize(value);
  // What superjson notes of values that stand in two places is left out: what travels is a tree.
  return {
    data: json as Json,
    ...(meta?.values && { types: { values: meta.values, v: 1 } as unknown as Json }),
  };
}

/**
 * The value that was carried, a new one each time. Not with superjson: what a store holds is not to be trusted, and superjson
 * follows any path and makes what `types` ask for.
 *
 * @throws Error when `types` do not fit `data`, and for what is still encrypted
 */
export function decode(carried: Carried): unknown {
  const { data, types } = carried;
  const problem = unreadable(carried);
  if (problem !== undefined) throw new Error(problem);
  return types === undefined ? rebuild(data, undefined) : rebuild(data, readNotes(types));
}

/** A copy of a value that can be carried; shares nothing with it. What cannot be carried is refused where it is stored. */
export function cloneOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(cloneOf);
  if (value instanceof Date) return new Date(value);
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (value instanceof Set) return new Set([...value].map(cloneOf));
  if (value instanceof Map) {
    return new Map([...value].map(([key, child]) => [cloneOf(key), cloneOf(child)]));
  }
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value))
    copy[key] = cloneOf((value as Record<string, unknown>)[key]);
  return copy;
}

function rebuild(data: Json, notes: Notes | undefined): unknown {
  const value = rebuildInside(data, notes?.inside);
  return notes?.kind === undefined ? value : ofKind(notes.kind, value);
}

function rebuildInside(data: Json, notes: ReadonlyMap<string, Notes> | undefined): unknown {
  let met = 0;
  const child = (key: string, value: Json): unknown => {
    const inner = notes?.get(key);
    if (inner) met += 1;
    return rebuild(value, inner);
  };
  let copy: unknown = data;
  if (Array.isArray(data)) {
    copy = data.map((value, index) => child(notes ? String(index) : '', value));
  } else if (typeof data === 'object' && data !== null) {
    const fields: Record<string, unknown> = {};
    for (const key of Object.keys(data)) {
      if (FORBIDDEN_KEYS.has(key)) throw new Error(`${key} is not an allowed key`);
      fields[key] = child(key, data[key] as Json);
    }
    copy = fields;
  }
  if (met !== (notes?.size ?? 0)) throw new Error('types name what is not in the data');
  return copy;
}
