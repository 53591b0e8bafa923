import { Injectable, SetMetadata, applyDecorators } from '@nestjs/common';
import { ENTRY_PROVIDER_WATERMARK } from '@nestjs/common/internal';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { StateOptions } from './actor.state.js';
import type { Duration } from './duration.js';
import type { Delivery } from './engine.js';
import type { MessageClass, MessageInstance, ReplyInput, ReplyOf } from './message.js';
import { OptionError } from './messaging.errors.js';
import type { ActorRetryOptions } from './retry.js';
import type { TopicEvent } from './routing/topic.event.js';
import type { Supervision } from './supervision.js';
import type { TurnContext } from './turn.context.js';
import type { Turn } from './turn.js';

/** Options of {@link Actor}. */
export interface ActorOptions {
  /**
   * Name of the actor and of its queue. Default: the part before the dot of the messages it handles; needed only by an
   * actor that handles nothing but events and schedules.
   */
  name?: string;
  /**
   * Schema of the state that each key has. What it makes of `{}` is the state of a new key, so give its fields defaults. All
   * messages of the actor must have a key then. With a version, upcasts or a limit of its own:
   * `{ schema, version, upcast, maxBytes }`.
   */
  state?: StandardSchemaV1 | StateOptions;
  /** When a failed message is tried again. Defaults: 5 attempts, 1 s doubling up to 5 min, 20 % jitter. */
  retry?: ActorRetryOptions;
  /** What errors mean: pairs of an error class and a directive, the first that matches counts. Anything else is retried. */
  on?: Supervision;
  /** How long a pause lasts before one message is tried; doubled up to `max` while that fails. Default { for: '30s', max: '10m' }. */
  pause?: { for?: Duration; max?: Duration };
  /** Turns at the same time in one process, 1 to 10,000. Default 10; at least the largest batch. */
  concurrency?: number;
  /** At most `max` starts within each `per`, over all processes. Default: no limit. */
  rateLimit?: { max: number; per: Duration };
  /**
   * How many of these turns only messages of the lane 'high' or better get, less than `concurrency`: a flood of others cannot
   * take them. Per process. Default 0.
   */
  reserved?: number;
  /**
   * How long a message may wait: then it is served like one of the lane 'normal' at least, after twice as long like one of
   * 'high', so that none waits for ever behind others. false: each keeps its priority. Default '10m'.
   */
  aging?: Duration | false;
  /** The most messages that may wait per key, 1 or more; sending one more rejects with MailboxFullError. Default: no limit. */
  mailbox?: { max: number };
  /**
   * How many rows of the journal of a key are kept, the newest, 1 to 100,000: see `turn.journal`. Applied when a turn adds
   * some. Default { keep: 1000 }.
   */
  journal?: { keep: number };
}

/** Options of {@link Handle}. */
export interface HandleOptions {
  /** The longest a turn may take; then its signal aborts and the attempt fails with TurnTimeoutError. Default: no limit. */
  timeout?: Duration;
}

/** Options of {@link On}. */
export interface OnOptions extends HandleOptions {
  /**
   * Only events for which this expression is true, in CEL: `data.amount > 1000 && headers.region == 'eu'`. It knows `data`,
   * `headers`, `type`, `topic`, `priority`, `tenant` and `time`. An event that it cannot be asked of, because a field is
   * missing say, does not match. Default: all.
   */
  when?: string;
  /** Only events published under a topic of this pattern: words or `*` (one word) or `**` (any number). Default: all. */
  topic?: string;
  /** Subscribes to nothing: handles what stored routes lead to the actor. Not together with `when` or `topic`. Default false. */
  routed?: boolean;
}

/** Options of {@link Handle} for a handler of several messages at once. */
export interface BatchOptions extends HandleOptions {
  /** Up to `max` messages (1 to 1,000) in one call, not waiting for more longer than `wait` (default '20ms') after the first. */
  batch: { max: number; wait?: Duration };
}

/** How a method handles messages: commands of its own actor, reads of a key's state, events, occurrences of a schedule. */
export type HandlerKind = 'handle' | 'read' | 'on' | 'occurrence';

/** What a handler without a message class handles. */
export interface VerbDeclaration {
  /** Its messages have the type `<actor>.<verb>`. */
  readonly verb: string;
  /** Name of the actor that sends them, without which the handler would never run: it must be in the process too. */
  readonly sentBy?: string;
  /** Makes of a delivery what the handler gets. Default: the data of its message, frozen. */
  readonly open?: (delivery: Delivery) => unknown;
}

/** What a handler of events of any type handles. */
export interface PatternDeclaration {
  /** For their topics. */
  readonly pattern: string;
  /** As of a {@link VerbDeclaration}. Default: a {@link TopicEvent}. */
  readonly open?: (delivery: Delivery) => unknown;
}

/**
 * A handler as declared: for a message class, for a verb of the actor itself (occurrences of a schedule), or for events whose
 * topics have a pattern.
 */
export interface HandlerDeclaration {
  readonly kind: HandlerKind;
  readonly handles: MessageClass | VerbDeclaration | PatternDeclaration;
  readonly method: string;
  readonly timeout?: Duration;
  /** What a handler of events subscribes to, beside its class or pattern; 'none': to nothing. */
  readonly filter?: { topic?: string; when?: string } | 'none';
  readonly batch?: { max: number; wait?: Duration };
}

/** Which state a turn has is the handler's own word: a method decorator does not see the class's. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyTurn = Turn<any>;

/** What a handler answers: what its message declares as reply; without one, anything, which is dropped. */
type Answer<M> = [ReplyOf<M>] extends [undefined]
  ? unknown
  : ReplyInput<M> | Promise<ReplyInput<M>>;
/** The second parameter: the turn, or with `@Ctx()` its context. */
type Second = AnyTurn & TurnContext;
type Method<M> = (message: M, turn: Second) => Answer<M>;
type Outcomes = void | readonly (Error | undefined)[];
type BatchMethod<M> = (
  messages: readonly M[],
  turns: readonly AnyTurn[],
) => Outcomes | Promise<Outcomes>;
type EventMethod<M> = (event: M, turn: Second) => Answer<M>;
/** A method decorator that takes only methods of this type. */
type Decorate<F> = <G extends F>(
  target: object,
  method: string,
  descriptor: TypedPropertyDescriptor<G>,
) => void;

const ACTOR = Symbol('callsheet:actor');
const HANDLERS = Symbol('callsheet:handlers');
const OPTIONS = new Set<string>([
  'name',
  'state',
  'retry',
  'on',
  'pause',
  'concurrency',
  'rateLimit',
  'reserved',
  'aging',
  'mailbox',
  'journal',
] satisfies (keyof ActorOptions)[]);
const ON_OPTIONS = new Set<string>([
  'timeout',
  'when',
  'topic',
  'routed',
] satisfies (keyof OnOptions)[]);
const HANDLE_OPTIONS = new Set<string>(['timeout', 'batch'] satisfies (keyof BatchOptions)[]);

/**
 * Marks a class as an actor: a Nest provider whose methods handle messages.
 *
 * @throws OptionError at declaration for an option that does not exist; values are checked at start
 */
export function Actor(options: ActorOptions = {}): ClassDecorator {
  for (const option of Object.keys(options)) {
    if (!OPTIONS.has(option)) throw new OptionError(`@Actor ${option}`, 'is not an option');
  }
  // An entry, like a controller: Nest makes transient enhancers for those only.
  return applyDecorators(
    Injectable(),
    SetMetadata(ACTOR, options),
    SetMetadata(ENTRY_PROVIDER_WATERMARK, true),
  );
}

/**
 * Marks a method as the handler of a message. It gets the message and its {@link Turn}; the message counts as handled when
 * it returns or resolves, and what it returns is the reply if the message declares one. If it throws, supervision decides:
 * by default the message is retried by the actor's policy, then becomes a dead letter.
 *
 * With `batch` it gets lists of messages and turns. If it throws, all of them failed; returning a list with an error or
 * undefined for each tells which.
 */
export function Handle<M extends MessageInstance>(
  message: MessageClass<M>,
  options: BatchOptions,
): Decorate<BatchMethod<M>>;
export function Handle<M extends MessageInstance>(
  message: MessageClass<M>,
  options?: HandleOptions & { batch?: undefined },
): Decorate<Method<M>>;
export function Handle(message: MessageClass, options: HandleOptions | BatchOptions = {}) {
  for (const option of Object.keys(options)) {
    if (!HANDLE_OPTIONS.has(option)) throw new OptionError(`@Handle ${option}`, 'is not an option');
  }
  return (target: object, method: string): void =>
    declareHandler(target, { ...options, kind: 'handle', handles: message, method });
}

/**
 * Marks a method as one that only reads the state of a key: it runs beside the turns of that key, sees what was last
 * committed, and can neither change it nor send.
 */
export function Read<M extends MessageInstance>(
  message: MessageClass<M>,
  options: HandleOptions = {},
): Decorate<Method<M>> {
  const { timeout } = checked(options, '@Read');
  return (target, method) =>
    declareHandler(target, { kind: 'read', handles: message, method, timeout });
}

/**
 * Marks a method as a subscriber of an event: every actor that subscribes gets its own copy of what is published, with its
 * own retries and dead letters.
 */
export function On<M extends MessageInstance>(
  event: MessageClass<M>,
  options?: OnOptions,
): Decorate<EventMethod<M>>;
/**
 * Marks a method as a subscriber of every event that is published under a topic of this pattern: words, `*` for one word, `**`
 * for any number. `@On('orders.*.created')`. Events for which the actor has a handler of their own go to that one.
 */
export function On(
  pattern: string,
  options?: Omit<OnOptions, 'topic'>,
): Decorate<(event: TopicEvent, turn: Second) => unknown>;
export function On(event: MessageClass | string, options: OnOptions = {}) {
  for (const option of Object.keys(options)) {
    const isKnown = ON_OPTIONS.has(option) && !(option === 'topic' && typeof event === 'string');
    if (!isKnown) throw new OptionError(`@On ${option}`, 'is not an option');
  }
  const { timeout, when, topic, routed } = options;
  if (routed && (when !== undefined || topic !== undefined)) {
    throw new OptionError('@On routed', 'cannot be combined with when or topic');
  }
  const filter = routed
    ? ('none' as const)
    : { ...(topic !== undefined && { topic }), ...(when !== undefined && { when }) };
  const handles = typeof event === 'string' ? { pattern: event } : event;
  return (target: object, method: string): void =>
    declareHandler(target, { kind: 'on', handles, method, timeout, filter });
}

function checked(options: HandleOptions, path: string): HandleOptions {
  for (const option of Object.keys(options)) {
    if (option !== 'timeout') throw new OptionError(`${path} ${option}`, 'is not an option');
  }
  return options;
}

/** Adds a handler to a class; for decorators that build on handlers, such as `@Cron`. */
export function declareHandler(target: object, declaration: HandlerDeclaration): void {
  Reflect.defineMetadata(
    HANDLERS,
    [...handlersOf(target.constructor), declaration],
    target.constructor,
  );
}

/** The options of an actor class, or undefined when `target` is not one. */
export function actorOptionsOf(target: object): ActorOptions | undefined {
  return Reflect.getMetadata(ACTOR, target) as ActorOptions | undefined;
}

/** The handlers declared on a class. */
export function handlersOf(target: object): readonly HandlerDeclaration[] {
  return (Reflect.getMetadata(HANDLERS, target) as HandlerDeclaration[] | undefined) ?? [];
}
