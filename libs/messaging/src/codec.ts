import SuperJSON from 'superjson';
import { carriageViolations, LIMITS, TOO_LARGE, type Json } from './json.js';
import type { Violation } from './messaging.errors.js';

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
    deserialize: (text) => new Uint8Array(Buffer.from(String(text), 'base64')),
  },
  'bytes',
);

/** What `value` is as it travels. Only what {@link violations} finds nothing in. */
export function encode(value: unknown): Carried {
  if (isPlain(value)) return { data: value as Json };
  const { json, meta } = superjson.serialize(value);
  return { data: json as Json, ...(meta && { types: meta as unknown as Json }) };
}

/** The value that was carried, a new one each time. Throws when `types` do not fit `data`. */
export function decode({ data, types }: Carried): unknown {
  if (types === undefined) return structuredClone(data);
  return superjson.deserialize({ json: structuredClone(data), meta: types as never });
}

/** Everything in `value` that cannot be carried, at most ten, each with its path. */
export function violations(value: unknown): Violation[] {
  const found = carriageViolations(value);
  if (found.length > 0) return found;
  const size = Buffer.byteLength(JSON.stringify(encode(value)));
  return size > LIMITS.bytes ? [{ path: '', message: TOO_LARGE }] : [];
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null)
    return typeof value !== 'bigint' && value !== undefined;
  if (Array.isArray(value)) return value.every(isPlain);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return false;
  return Object.values(value).every(isPlain);
}
