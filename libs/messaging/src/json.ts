import type { Violation } from './messaging.errors.js';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** What a message may carry at most. Far above what belongs in a queue; larger content goes to a store, its reference here. */
export const LIMITS = { bytes: 256 * 1024, depth: 32, keys: 1_000 } as const;

/** Keys that reach a prototype when they are assigned. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set([
  '__proto__',
  'constructor',
  'prototype',
]);

const MOST_VIOLATIONS = 10;

/** Stands for what is not there. */
const HOLE = Symbol('hole');

/**
 * One walk over a value: everything in it that cannot be carried or that a store would refuse, and a copy that shares
 * nothing with it. Refused are functions, symbols, class instances other than Date, Map, Set and bytes, cycles, holes,
 * invalid dates, NaN, NUL characters, lone surrogates, keys that pollute prototypes, and what is over {@link LIMITS}.
 */
export class Inspection {
  /** At most ten, each with its path. */
  readonly found: Violation[] = [];
  /** Means something only when nothing is found. -0 is 0 in it: JSON and its readers know one zero. */
  readonly copy: unknown;
  /** Whether the copy is JSON as it is. */
  plain = true;
  /** The copy as JSON has at most so many bytes; seldom as many. */
  bound = 0;

  private readonly trail: (string | number)[] = [];
  private readonly above: object[] = [];
  private count = 0;
  private over = false;

  constructor(value: unknown) {
    this.copy = this.visit(value, 0);
  }

  private visit(node: unknown, depth: number): unknown {
    switch (typeof node) {
      case 'string':
        return this.text(node, depth);
      case 'number':
        this.bound += 26;
        if (!Number.isFinite(node)) this.complain(depth, 'must be a finite number');
        return node === 0 ? 0 : node;
      case 'boolean':
        this.bound += 6;
        return node;
      case 'object':
        this.bound += 5;
        return node === null ? null : this.inside(node, depth);
      case 'undefined':
        return this.noted(node, 4);
      case 'bigint':
        return this.noted(node, node.toString().length + 2);
      default:
        this.complain(
          depth,
          node === HOLE ? 'is a hole in the list' : `cannot be carried: ${typeof node}`,
        );
        return undefined;
    }
  }

  private text(text: string, depth: number): string {
    // A character is at most six bytes: `\u0001`.
    this.bound += text.length * 6 + 3;
    const problem = stringProblem(text);
    if (problem !== undefined) this.complain(depth, problem);
    return text;
  }

  /** What JSON cannot say stands in the notes beside it, with its path: a key for each level. */
  private noted<T>(node: T, bytes: number): T {
    this.plain = false;
    this.bound += bytes + 32;
    for (const step of this.trail) this.bound += String(step).length * 12 + 1;
    return node;
  }

  private inside(node: object, depth: number): unknown {
    if (node instanceof Uint8Array) return this.noted(Uint8Array.from(node), node.length * 1.4 + 8);
    if (this.above.includes(node)) {
      return this.complain(depth, 'is a cycle: it contains itself');
    }
    const prototype: unknown = Object.getPrototypeOf(node);
    if (prototype === Date.prototype) return this.date(node as Date, depth);
    if (!CONTAINERS.has(prototype)) return this.complain(depth, classProblem(node));
    if (depth >= LIMITS.depth) return this.stop(`is nested deeper than ${LIMITS.depth} levels`);
    this.above.push(node);
    const copy = this.contents(node, prototype, depth);
    this.above.pop();
    this.trail.length = depth;
    return copy;
  }

  private date(date: Date, depth: number): Date {
    if (Number.isNaN(date.getTime())) this.complain(depth, 'must be a valid date');
    return this.noted(new Date(date), 27);
  }

  private contents(node: object, prototype: unknown, depth: number): unknown {
    if (prototype === Array.prototype) return this.list(node as unknown[], depth);
    if (prototype === Map.prototype) return this.map(node as Map<unknown, unknown>, depth);
    if (prototype === Set.prototype) return this.set(node as Set<unknown>, depth);
    return this.fields(node as Record<string, unknown>, depth);
  }

  private fields(node: Record<string, unknown>, depth: number): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    if (Object.getOwnPropertySymbols(node).length > 0) {
      this.complain(depth, 'cannot be carried: a symbol as key');
    }
    for (const key of Object.keys(node)) {
      if (!this.enter(key, depth)) break;
      this.bound += key.length * 6 + 4;
      const problem = FORBIDDEN_KEYS.has(key) ? 'is not an allowed key' : stringProblem(key);
      if (problem === undefined) copy[key] = this.visit(node[key], depth + 1);
      else this.complain(depth + 1, problem);
    }
    return copy;
  }

  private list(node: readonly unknown[], depth: number): unknown[] {
    const copy: unknown[] = [];
    // Index by index, so that holes are seen: JSON fills them with null.
    for (let index = 0; index < node.length; index += 1) {
      if (!this.enter(index, depth)) break;
      copy.push(this.visit(index in node ? node[index] : HOLE, depth + 1));
    }
    // What String.match() answers, say.
    if (!this.over && Object.keys(node).length > node.length) {
      this.complain(depth, 'cannot be carried: a list with fields beside its items');
    }
    return copy;
  }

  private map(node: ReadonlyMap<unknown, unknown>, depth: number): Map<unknown, unknown> {
    const copy = new Map<unknown, unknown>();
    this.noted(node, 4);
    let index = 0;
    for (const [key, value] of node) {
      if (!this.enter(`${index}/key`, depth)) break;
      const copied = this.visit(key, depth + 1);
      if (!this.enter(index, depth)) break;
      copy.set(copied, this.visit(value, depth + 1));
      this.bound += 4;
      index += 1;
    }
    return copy;
  }

  private set(node: ReadonlySet<unknown>, depth: number): Set<unknown> {
    const copy = new Set<unknown>();
    this.noted(node, 4);
    let index = 0;
    for (const value of node) {
      if (!this.enter(index, depth)) break;
      copy.add(this.visit(value, depth + 1));
      index += 1;
    }
    return copy;
  }

  /** Steps to a child; false when the walk is to end. */
  private enter(step: string | number, depth: number): boolean {
    if (this.over || this.found.length >= MOST_VIOLATIONS) return false;
    this.count += 1;
    if (this.count > LIMITS.keys) {
      this.stop(`has over ${LIMITS.keys} values`);
      return false;
    }
    this.trail.length = depth;
    this.trail.push(step);
    return true;
  }

  private complain(depth: number, message: string): undefined {
    if (this.found.length >= MOST_VIOLATIONS) return;
    this.found.push({ path: this.trail.slice(0, depth).join('/'), message });
  }

  /** A fault of the whole, after which there is no point in looking on. */
  private stop(message: string): undefined {
    this.over = true;
    this.trail.length = 0;
    return this.complain(0, message);
  }
}

const CONTAINERS = new Set<unknown>([
  null,
  Object.prototype,
  Array.prototype,
  Map.prototype,
  Set.prototype,
]);

function classProblem(node: object): string {
  const name = typeof node.constructor === 'function' ? node.constructor.name : '';
  return `cannot be carried: a ${name || 'class'} is neither plain data nor one of Date, Map, Set, Uint8Array`;
}

/** NUL and lone surrogates are valid in JavaScript strings, yet PostgreSQL's jsonb refuses both. */
export function stringProblem(text: string): string | undefined {
  if (text.includes('\0')) return 'must not contain the NUL character';
  return LONE_SURROGATE.test(text) ? 'must be well-formed Unicode' : undefined;
}

const LONE_SURROGATE = /\p{Surrogate}/u;
