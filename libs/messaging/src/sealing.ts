import { MAX_DURATION, toMilliseconds, type Duration } from './duration.js';
import type { Transaction } from './engine.js';
import { fingerprintOf, generateId, type Envelope, type NotifyTarget } from './envelope.js';
import { stringProblem, type Json } from './json.js';
import {
  carriedOf,
  isMessageType,
  keyOf,
  metaOf,
  type MessageInstance,
  type MessageType,
} from './message.js';
import { OptionError } from './messaging.errors.js';
import { toPriority, type Priority } from './priority.js';
import { toRetryPolicy, type RetryOptions } from './retry.js';
import { checkedTopic } from './routing/topic.js';
import { termsOf } from './search.term.js';
import type { Turn } from './turn.js';

/** What every way of sending has in common. */
export interface SendOptions {
  /**
   * Idempotency key, 1 to 200 characters. The same id with the same body is accepted again and changes nothing; with
   * another body it is refused. Remembered for `idempotencyWindow`, and as long as the message is kept.
   */
  id?: string;
  /** Lane or number; default 'normal'. */
  priority?: Priority;
  /** Give up if not started this long after it could have been: a dead letter with reason 'expired'. */
  ttl?: Duration;
  /** At most 32 headers; names of letters, digits, `_.-` up to 64, values up to 1,024 characters. */
  headers?: Record<string, string>;
  /** On whose behalf, 1 to 200 characters. Default: that of the turn in which it is sent. */
  tenant?: string;
  /** Overrides single fields of the actor's retry policy. */
  retry?: RetryOptions;
}

/** Options of {@link Actors.tell}. */
export interface TellOptions extends SendOptions {
  /** Not before this much time has passed. Not together with `at`. */
  delay?: Duration;
  /** Not before this moment, at most a year ahead. A past one means at once. Not together with `delay`. */
  at?: Date;
  /**
   * Takes the place of the message with this `id`, if that one is not in work: so a timer is moved. Without it the same id
   * with the same body changes nothing. Default false.
   */
  replace?: boolean;
  /** Inside a handler: send at once, whatever becomes of the turn, instead of with its commit. Default false. */
  now?: boolean;
  /**
   * A transaction of your own, on PostgreSQL or PGlite: the client (of `pg`, or anything with its `query`) on which you have
   * begun it. The message is stored if it commits, and not if it rolls back. What refuses the message aborts it. Not inside a
   * handler, whose sends join its turn. Default: none.
   */
  tx?: Transaction;
}

/** Options of {@link Actors.publish}: one `id` makes the copies of all subscribers idempotent. */
export interface PublishOptions extends Omit<TellOptions, 'replace'> {
  /**
   * Under which topic, for subscribers and routes that go by it: up to ten words of letters, digits, `_` and `-` with dots
   * between them, such as `orders.eu.created`. Default: the event's type.
   */
  topic?: string;
  /**
   * What becomes of it when nobody receives it: 'drop', or 'keep' as a dead letter of the actor `unrouted`, which is published
   * again when it is redriven. An application with {@link UnroutedActor} makes it one. Default 'drop'.
   */
  unrouted?: 'drop' | 'keep';
}

/** Options of {@link Actors.forward}. */
export interface ForwardOptions extends TellOptions {
  /** Nominal time of the message, when it is an occurrence of a schedule: `turn.occurrence` of its handler. Default: none. */
  occurrence?: Date;
  /**
   * Who is told when the message ends through a turn: a message of this type and key, with an {@link EndNotice} as its data, is
   * stored in the commit of that end. The actor that is told should not limit its mailboxes: while one of them is full, what
   * is to be told to it cannot end. Default: nobody.
   */
  notify?: NotifyTarget;
}

const EVERY: readonly (keyof SendOptions)[] = [
  'id',
  'priority',
  'ttl',
  'headers',
  'tenant',
  'retry',
];
const TIMES: readonly (keyof TellOptions)[] = ['delay', 'at', 'now', 'tx'];

/** Names of the options of each way of sending. */
export const SEND: ReadonlySet<string> = new Set(EVERY);
export const PUBLISH: ReadonlySet<string> = new Set([
  ...EVERY,
  ...TIMES,
  ...(['topic', 'unrouted'] satisfies (keyof PublishOptions)[]),
]);
export const GATHER: ReadonlySet<string> = new Set([
  ...EVERY,
  'topic' satisfies keyof PublishOptions,
]);
export const TELL: ReadonlySet<string> = new Set([...EVERY, ...TIMES, 'replace']);
export const FORWARD: ReadonlySet<string> = new Set([
  ...TELL,
  ...(['occurrence', 'notify'] satisfies (keyof ForwardOptions)[]),
]);

const HEADER_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** Where a message is sent from. */
export interface Origin {
  /** Epoch milliseconds. */
  now: number;
  /** The turn it is sent in. */
  turn?: Turn;
}

/** What of an envelope is the message itself. */
export interface Parts {
  readonly type: MessageType;
  readonly actor: string;
  readonly version: number;
  readonly data: Envelope['data'];
  readonly types: Json | undefined;
  readonly key: string | undefined;
  /** Fields by whose values it is found. */
  readonly search: readonly string[];
}

/** @throws OptionError for what is no message */
export function partsOf(message: MessageInstance, path: string): Parts {
  const { type, actor, version, search } = metaOf(message, path);
  const { data, types } = carriedOf(message);
  return {
    type,
    actor,
    version,
    data: data as Envelope['data'],
    types,
    key: keyOf(message),
    search,
  };
}

/**
 * Message and options become an envelope.
 *
 * @param path prefixes the names in errors
 * @param allowed names of the options that may be given
 * @throws OptionError
 */
export function seal(
  message: MessageInstance,
  options: TellOptions & PublishOptions,
  origin: Origin,
  path: string,
  allowed: ReadonlySet<string> = TELL,
): Envelope {
  return sealParts(partsOf(message, `${path}message`), options, origin, path, allowed);
}

/** As {@link seal}, for a message that was taken apart before. */
export function sealParts(
  { type, actor, version, data, types, key, search }: Parts,
  options: ForwardOptions & PublishOptions,
  { now, turn }: Origin,
  path: string,
  allowed: ReadonlySet<string>,
): Envelope {
  if (typeof options !== 'object' || options === null) {
    throw new OptionError(`${path}options`, 'must be an object');
  }
  for (const field of Object.keys(options)) {
    if (!allowed.has(field)) {
      throw new OptionError(`${path}${field}`, 'is not an option');
    }
  }
  const { delay, at, ttl, retry, headers = {}, replace, tenant = turn?.tenant } = options;
  if (delay !== undefined && at !== undefined) {
    throw new OptionError(`${path}at`, 'cannot be combined with delay');
  }
  for (const [name, flag] of Object.entries({ replace, now: options.now })) {
    if (flag !== undefined && typeof flag !== 'boolean') {
      throw new OptionError(`${path}${name}`, 'must be true or false');
    }
  }
  if (replace === true && options.id === undefined) {
    throw new OptionError(`${path}replace`, 'needs the id of what is to be replaced');
  }
  const wait =
    delay === undefined ? until(at, now, `${path}at`) : toMilliseconds(delay, `${path}delay`);
  const priority = toPriority(options.priority ?? 'normal', `${path}priority`);
  const policy = retry === undefined ? undefined : toRetryPolicy(retry, `${path}retry`);
  const life = ttl === undefined ? undefined : toMilliseconds(ttl, `${path}ttl`);
  if (life === 0) throw new OptionError(`${path}ttl`, 'must be longer than 0');
  const given =
    options.topic === undefined ? undefined : checkedTopic(options.topic, `${path}topic`);
  const topic = given === type ? undefined : given;
  if (![undefined, 'drop', 'keep'].includes(options.unrouted)) {
    throw new OptionError(`${path}unrouted`, "must be 'drop' or 'keep'");
  }
  const id = options.id === undefined ? generateId(actor) : checkedText(options.id, `${path}id`);
  const occurrence = toTime(options.occurrence, `${path}occurrence`);
  const notify = toTarget(options.notify, now, `${path}notify`);
  if (tenant !== undefined) checkedText(tenant, `${path}tenant`);
  const terms = termsOf(search, data, tenant);
  // Named one by one: V8 takes forty times as long for an object that begins with what is spread.
  return {
    type,
    version,
    data,
    priority,
    retry: policy,
    actor,
    id,
    sentAt: now,
    headers: checkedHeaders(headers, `${path}headers`),
    ...(types !== undefined && { types }),
    ...(topic !== undefined && { topic }),
    ...(key !== undefined && { key }),
    ...(wait > 0 && { dueAt: now + wait }),
    ...(life !== undefined && { deadline: now + wait + life }),
    ...(turn && { correlationId: turn.correlationId, causationId: turn.id }),
    ...(tenant !== undefined && { tenant }),
    ...(terms.length > 0 && { terms }),
    ...(replace === true && { replace }),
    ...(occurrence !== undefined && { occurrence }),
    ...(notify && { notify }),
    ...(options.id !== undefined && {
      // An occurrence is the same whatever is said beside it: one that was sent is not sent again.
      fingerprint: fingerprintOf(
        occurrence !== undefined
          ? { type, tenant, occurrence }
          : {
              type,
              version,
              data,
              types,
              topic,
              priority,
              retry: policy,
              delay: delay && wait,
              at: at?.getTime(),
              ttl: life,
              // One tenant must not learn of what another has sent.
              tenant,
              notify,
            },
      ),
    }),
  };
}

function toTime(date: Date | undefined, path: string): number | undefined {
  if (date === undefined) return undefined;
  const time = date instanceof Date ? date.getTime() : NaN;
  if (Number.isNaN(time)) throw new OptionError(path, 'must be a valid Date');
  return time;
}

function toTarget(
  target: NotifyTarget | undefined,
  now: number,
  path: string,
): NotifyTarget | undefined {
  if (target === undefined) return undefined;
  if (typeof target !== 'object' || target === null || Array.isArray(target)) {
    throw new OptionError(path, 'must be an object { type, key, notBefore }');
  }
  for (const field of Object.keys(target)) {
    if (field !== 'type' && field !== 'key' && field !== 'notBefore') {
      throw new OptionError(`${path}.${field}`, 'is not an option');
    }
  }
  const { type, key, notBefore } = target;
  if (!isMessageType(type)) throw new OptionError(`${path}.type`, "must be '<actor>.<verb>'");
  if (notBefore !== undefined) checkedTime(notBefore, now, `${path}.notBefore`);
  return {
    type,
    ...(key !== undefined && { key: checkedText(key, `${path}.key`) }),
    ...(notBefore !== undefined && { notBefore }),
  };
}

function checkedTime(time: number, now: number, path: string): void {
  if (!Number.isSafeInteger(time) || time < 0) {
    throw new OptionError(path, 'must be a number of milliseconds since 1970');
  }
  if (time > now + MAX_DURATION) throw new OptionError(path, 'must be within a year');
}

function until(at: Date | undefined, now: number, path: string): number {
  if (at === undefined) return 0;
  const wait = at instanceof Date ? at.getTime() - now : NaN;
  if (Number.isNaN(wait)) throw new OptionError(path, 'must be a valid Date');
  if (wait > MAX_DURATION) throw new OptionError(path, 'must be within a year');
  return Math.max(0, wait);
}

/** @throws OptionError for what is no text of 1 to 200 characters */
export function checkedText(text: string, path: string): string {
  if (typeof text !== 'string' || text.length < 1 || text.length > 200 || stringProblem(text)) {
    throw new OptionError(path, 'must be a string of 1 to 200 characters');
  }
  return text;
}

/** @throws OptionError */
export function checkedHeaders(
  headers: Record<string, string>,
  path: string,
): Record<string, string> {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw new OptionError(path, 'must be an object');
  }
  const entries = Object.entries(headers);
  if (entries.length > 32) throw new OptionError(path, 'must be at most 32');
  for (const [name, value] of entries) {
    if (!HEADER_NAME.test(name) || name === '__proto__') {
      throw new OptionError(`${path}.${name.slice(0, 64)}`, 'is not a valid header name');
    }
    if (typeof value !== 'string' || value.length > 1_024 || stringProblem(value)) {
      throw new OptionError(`${path}.${name}`, 'must be a string of at most 1024 characters');
    }
  }
  return { ...headers };
}
