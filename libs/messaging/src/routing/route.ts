import { toMilliseconds, type Duration } from '../duration.js';
import type { JsonObject } from '../json.js';
import { ACTOR_NAME, isMessageType } from '../message.js';
import { OptionError } from '../messaging.errors.js';
import { toPriority, type Priority } from '../priority.js';
import { checkedHeaders, checkedText } from '../sealing.js';
import { compileFilter } from './event.filter.js';
import { checkedPattern } from './topic.js';
import { ROUTES, UNROUTED } from './own.actors.js';

/** An event, as far as it matters for where it goes. */
export interface RoutedEvent {
  type: string;
  topic: string;
  key?: string;
  data: JsonObject;
  headers: Readonly<Record<string, string>>;
  /** 1 is served first. */
  priority: number;
  tenant?: string;
  /** Epoch milliseconds. */
  sentAt: number;
}

/** What an actor wants copies of. All that is given must match. */
export interface Subscription {
  type?: string;
  /** A pattern: `*` is any one word, `**` any number of words. */
  topic?: string;
  /** A filter: an expression of CEL. */
  when?: string;
}

/** Who gets a copy: an actor by its name, or one of several. */
export type Receiver = string | { oneOf: readonly string[]; by: 'load' | 'hash' };

/** A stored rule that leads events to actors. */
export interface Route {
  id: string;
  /** Lower ones are looked at first, equal ones by id. */
  order: number;
  /** All that is given must match; nothing given: every event. */
  match: {
    type?: string;
    /** A pattern, as in {@link Subscription}. */
    topic?: string;
    /** Each must be there with this value. */
    headers?: Record<string, string>;
    /** From the one to the other, both included. */
    priority?: { min?: number; max?: number };
    tenant?: string;
    /** A filter: an expression of CEL. */
    when?: string;
  };
  to: readonly Receiver[];
  /** What is said anew in the copies. */
  set?: {
    priority?: number;
    /** Milliseconds. */
    delay?: number;
    headers?: Record<string, string>;
  };
  /** No rule behind it is looked at when it matches; subscriptions still are. */
  last?: boolean;
  disabled?: boolean;
}

const MOST_RECEIVERS = 20;

type Fields = Record<string, unknown>;

/** Checks a filter. @throws OptionError */
type CheckWhen = (when: unknown, path: string) => string;

const compiled: CheckWhen = (when, path) => compileFilter(when as string, path).expression;

/**
 * A rule as it is stored. Priorities may be given as lanes and the delay as `'10s'`; they are numbers in what is returned.
 *
 * @param path prefixes the names in errors: '' or `3.`, say
 * @param checkWhen for who has many rules and compiles their filters later
 * @throws OptionError
 */
export function checkedRoute(value: unknown, path: string, checkWhen = compiled): Route {
  const route = fieldsOf(value, path, [
    ...['id', 'order', 'match', 'to', 'set', 'last', 'disabled'],
  ]);
  const id = checkedText(route.id as string, `${path}id`);
  if (!Number.isSafeInteger(route.order)) {
    throw new OptionError(`${path}order`, 'must be a whole number');
  }
  const set = optional(route.set, `${path}set.`, toSet);
  const last = optional(route.last, `${path}last`, toFlag);
  const disabled = optional(route.disabled, `${path}disabled`, toFlag);
  return {
    id,
    order: route.order as number,
    match: toMatch(route.match, `${path}match.`, checkWhen),
    to: toReceivers(route.to, `${path}to`),
    ...(set && { set }),
    ...(last !== undefined && { last }),
    ...(disabled !== undefined && { disabled }),
  };
}

/** As {@link checkedRoute}. @throws OptionError */
export function checkedSubscription(
  value: unknown,
  path: string,
  checkWhen = compiled,
): Subscription {
  const { type, topic, when } = fieldsOf(value, path, ['type', 'topic', 'when']);
  if (type === undefined && topic === undefined && when === undefined) {
    throw new OptionError(
      nameOf(path),
      "must say type, topic or when; { topic: '**' } is every event",
    );
  }
  return wanted({ type, topic, when }, path, checkWhen);
}

function wanted({ type, topic, when }: Fields, path: string, checkWhen: CheckWhen): Subscription {
  if (type !== undefined && !isMessageType(type)) {
    throw new OptionError(`${path}type`, "must be '<topic>.<event>'");
  }
  return {
    ...(type !== undefined && { type }),
    ...(topic !== undefined && { topic: checkedPattern(topic, `${path}topic`) }),
    ...(when !== undefined && { when: checkWhen(when, `${path}when`) }),
  };
}

function toMatch(value: unknown, path: string, checkWhen: CheckWhen): Route['match'] {
  const match = fieldsOf(value, path, [
    ...['type', 'topic', 'headers', 'priority', 'tenant', 'when'],
  ]);
  const headers = optional(match.headers, `${path}headers`, toHeaders);
  const priority = optional(match.priority, `${path}priority.`, toSpan);
  const tenant = optional(match.tenant, `${path}tenant`, toText);
  return {
    ...wanted(match, path, checkWhen),
    ...(headers && { headers }),
    ...(priority && { priority }),
    ...(tenant !== undefined && { tenant }),
  };
}

function toSpan(value: unknown, path: string): { min?: number; max?: number } {
  const span = fieldsOf(value, path, ['min', 'max']);
  const min = optional(span.min, `${path}min`, toNumber);
  const max = optional(span.max, `${path}max`, toNumber);
  if (min !== undefined && max !== undefined && min > max) {
    throw new OptionError(`${path}max`, 'must not be less than min');
  }
  return { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
}

function toSet(value: unknown, path: string): NonNullable<Route['set']> {
  const set = fieldsOf(value, path, ['priority', 'delay', 'headers']);
  const priority = optional(set.priority, `${path}priority`, toNumber);
  const delay = optional(set.delay, `${path}delay`, toDelay);
  const headers = optional(set.headers, `${path}headers`, toHeaders);
  return {
    ...(priority !== undefined && { priority }),
    ...(delay !== undefined && { delay }),
    ...(headers && { headers }),
  };
}

function toReceivers(value: unknown, path: string): readonly Receiver[] {
  if (!Array.isArray(value) || value.length > MOST_RECEIVERS) {
    throw new OptionError(path, `must be a list of at most ${MOST_RECEIVERS} receivers`);
  }
  return value.map((receiver: unknown, index) => {
    if (typeof receiver === 'string') return toName(receiver, `${path}.${index}`);
    const { oneOf, by } = fieldsOf(receiver, `${path}.${index}.`, ['oneOf', 'by']);
    if (by !== 'load' && by !== 'hash') {
      throw new OptionError(`${path}.${index}.by`, "must be 'load' or 'hash'");
    }
    return { oneOf: toNames(oneOf, `${path}.${index}.oneOf`), by };
  });
}

function toNames(value: unknown, path: string): readonly string[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > MOST_RECEIVERS) {
    throw new OptionError(path, `must be a list of 1 to ${MOST_RECEIVERS} names of actors`);
  }
  const names = value.map((name: unknown, index) => toName(name, `${path}.${index}`));
  if (new Set(names).size < names.length) throw new OptionError(path, 'must not name one twice');
  return names;
}

function toName(value: unknown, path: string): string {
  if (typeof value !== 'string' || !ACTOR_NAME.test(value)) {
    throw new OptionError(path, 'must be the name of an actor');
  }
  if (value === UNROUTED || value === ROUTES) {
    throw new OptionError(path, `must not be '${value}', whose messages are its own`);
  }
  return value;
}

function toFlag(value: unknown, path: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new OptionError(path, 'must be true or false');
}

const toText = (value: unknown, path: string) => checkedText(value as string, path);
const toNumber = (value: unknown, path: string) => toPriority(value as Priority, path);
const toDelay = (value: unknown, path: string) => toMilliseconds(value as Duration, path);
const toHeaders = (value: unknown, path: string) =>
  checkedHeaders(value as Record<string, string>, path);

function optional<T>(
  value: unknown,
  path: string,
  checked: (value: unknown, path: string) => T,
): T | undefined {
  return value === undefined ? undefined : checked(value, path);
}

/** The fields of an object that has no others. */
function fieldsOf(value: unknown, path: string, allowed: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OptionError(nameOf(path), 'must be an object');
  }
  for (const field of Object.keys(value)) {
    if (!allowed.includes(field)) {
      throw new OptionError(`${path}${field.slice(0, 64)}`, 'is not an option');
    }
  }
  return value as Fields;
}

/** Of the whole, where a path only prefixes the names of fields. */
function nameOf(path: string): string {
  return path === '' ? 'it' : path.slice(0, -1);
}
