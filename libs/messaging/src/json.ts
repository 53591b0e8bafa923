import type { Violation } from './messaging.errors.js';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** What a message may carry at most. Far above what belongs in a queue; larger content goes to a store, its reference here. */
export const LIMITS = { bytes: 256 * 1024, depth: 32, keys: 1_000 } as const;

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Everything in `value` that cannot be carried or that a store would refuse: functions, symbols, class instances other than
 * Date, Map, Set and bytes, cycles, holes, invalid dates, NaN, NUL characters, lone surrogates, keys that pollute
 * prototypes, and what is over {@link LIMITS}. Stops at the first ten.
 */
export function carriageViolations(value: unknown): Violation[] {
  const found: Violation[] = [];
  const above = new Set<object>();
  let count = 0;
  let bytes = 0;
  const complain = (path: string, message: string): void => {
    found.push({ path, message });
  };
  const visit = (node: unknown, path: string, depth: number): void => {
    if (found.length >= 10 || count === Infinity) return;
    if (typeof node === 'bigint' || node === undefined) return;
    if (node instanceof Date) {
      if (Number.isNaN(node.getTime())) complain(path, 'must be a valid date');
      return;
    }
    if (node instanceof Uint8Array) {
      bytes += node.byteLength * 1.4;
      return;
    }
    const children = childrenOf(node);
    const problem = children ? undefined : scalarProblem(node);
    if (problem) complain(path, problem);
    if (!children) return;
    if (above.has(node as object)) return complain(path, 'is a cycle: it contains itself');
    if (depth > LIMITS.depth) {
      complain('', `is nested deeper than ${LIMITS.depth} levels`);
      count = Infinity;
      return;
    }
    above.add(node as object);
    for (const [name, child, isKey] of children) {
      if (++count > LIMITS.keys) {
        if (count !== Infinity) complain('', `has over ${LIMITS.keys} values`);
        count = Infinity;
        break;
      }
      const where = path ? `${path}/${name}` : name;
      const keyProblem =
        isKey && (FORBIDDEN_KEYS.has(name) ? 'is not an allowed key' : stringProblem(name));
      if (keyProblem) complain(where, keyProblem);
      else visit(child, where, depth + 1);
    }
    above.delete(node as object);
  };
  visit(value, '', 1);
  if (found.length === 0 && bytes > LIMITS.bytes) complain('', TOO_LARGE);
  return found;
}

/** What {@link carriageViolations} finds too large only once it is JSON. */
export const TOO_LARGE = `is larger than ${LIMITS.bytes} bytes`;

type Child = readonly [name: string, value: unknown, isKey: boolean];

/** What is inside a list, plain object, Map or Set; undefined for anything else. */
function childrenOf(node: unknown): Child[] | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  // Index by index, so that holes are seen: JSON fills them with null.
  if (Array.isArray(node)) {
    return Array.from(node.keys(), (index) => [
      String(index),
      index in node ? node[index] : HOLE,
      false,
    ]);
  }
  if (node instanceof Map) {
    return [...(node as Map<unknown, unknown>)].flatMap(([key, value], index): Child[] => [
      [`${index}/key`, key, false],
      [`${index}`, value, false],
    ]);
  }
  if (node instanceof Set) {
    return [...(node as Set<unknown>)].map((value, index) => [String(index), value, false]);
  }
  const prototype: unknown = Object.getPrototypeOf(node);
  if (prototype !== null && prototype !== Object.prototype) return undefined;
  return Object.entries(node).map(([name, value]) => [name, value, true]);
}

/** Stands for what is not there. */
const HOLE = Symbol('hole');

function scalarProblem(node: unknown): string | undefined {
  switch (typeof node) {
    case 'string':
      return stringProblem(node);
    case 'number':
      return Number.isFinite(node) ? undefined : 'must be a finite number';
    case 'boolean':
      return undefined;
    case 'object':
      if (node === null) return undefined;
      return `cannot be carried: a ${node.constructor?.name ?? 'class'} is neither plain data nor one of Date, Map, Set, Uint8Array`;
    default:
      return node === HOLE ? 'is a hole in the list' : `cannot be carried: ${typeof node}`;
  }
}

/** NUL and lone surrogates are valid in JavaScript strings, yet PostgreSQL's jsonb refuses both. */
export function stringProblem(text: string): string | undefined {
  if (text.includes('\0')) return 'must not contain the NUL character';
  return LONE_SURROGATE.test(text) ? 'must be well-formed Unicode' : undefined;
}

const LONE_SURROGATE = /\p{Surrogate}/u;
