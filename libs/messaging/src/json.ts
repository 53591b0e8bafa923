import type { Violation } from './messaging.errors.js';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** What a message may carry at most. Far above what belongs in a queue; larger content goes to a store, its reference here. */
export const LIMITS = { bytes: 256 * 1024, depth: 32, keys: 1_000 } as const;

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Everything in `value` that JSON would change or a store would refuse: functions, symbols, BigInt, NaN, class instances
 * (Date, Map, ...), cycles, NUL characters, lone surrogates, keys that pollute prototypes, and what is over {@link LIMITS}.
 * `undefined` properties are allowed: JSON leaves them out. Stops at the first ten.
 */
export function jsonViolations(value: unknown): Violation[] {
  const found: Violation[] = [];
  let keys = 0;
  const visit = (node: unknown, path: string, depth: number): void => {
    const problem = scalarProblem(node);
    if (problem) found.push({ path, message: problem });
    if (problem !== undefined || node === null || typeof node !== 'object') return;
    if (depth > LIMITS.depth) {
      found.push({ path: '', message: `is nested deeper than ${LIMITS.depth} levels` });
      keys = Infinity;
      return;
    }
    // Index by index, so that holes are seen: JSON fills them with null.
    for (const [name, child] of Array.isArray(node) ? node.entries() : Object.entries(node)) {
      if (found.length >= 10) return;
      if (++keys > LIMITS.keys) {
        if (keys !== Infinity) found.push({ path: '', message: `has over ${LIMITS.keys} values` });
        keys = Infinity;
        return;
      }
      if (child === undefined && !Array.isArray(node)) continue;
      const key = String(name);
      const where = path ? `${path}/${key}` : key;
      const keyProblem = FORBIDDEN_KEYS.has(key) ? 'is not an allowed key' : stringProblem(key);
      if (keyProblem) found.push({ path: where, message: keyProblem });
      else visit(child, where, depth + 1);
    }
  };
  visit(value, '', 1);
  if (found.length === 0 && Buffer.byteLength(JSON.stringify(value)) > LIMITS.bytes) {
    found.push({ path: '', message: `is larger than ${LIMITS.bytes} bytes` });
  }
  return found;
}

function scalarProblem(node: unknown): string | undefined {
  switch (typeof node) {
    case 'string':
      return stringProblem(node);
    case 'number':
      return Number.isFinite(node) ? undefined : 'must be a finite number';
    case 'boolean':
      return undefined;
    case 'object': {
      if (node === null || Array.isArray(node)) return undefined;
      const prototype: unknown = Object.getPrototypeOf(node);
      if (prototype === null || prototype === Object.prototype) return undefined;
      return `cannot be carried: ${node.constructor?.name ?? 'object'} is not plain JSON`;
    }
    default:
      return `cannot be carried: ${typeof node} is not JSON`;
  }
}

/** NUL and lone surrogates are valid in JavaScript strings, yet PostgreSQL's jsonb refuses both. */
export function stringProblem(text: string): string | undefined {
  if (text.includes('\0')) return 'must not contain the NUL character';
  return LONE_SURROGATE.test(text) ? 'must be well-formed Unicode' : undefined;
}

const LONE_SURROGATE = /\p{Surrogate}/u;
