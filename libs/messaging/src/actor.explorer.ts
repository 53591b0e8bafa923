import type { DiscoveryService } from '@nestjs/core';
import type { PausePolicy } from './actor.breaker.js';
import {
  actorOptionsOf,
  handlersOf,
  type ActorOptions,
  type HandlerDeclaration,
  type HandlerKind,
  type PatternDeclaration,
  type VerbDeclaration,
} from './actor.decorators.js';
import { actorNameOf } from './actor.name.js';
import { toActorState, type ActorState } from './actor.state.js';
import type { BatchPolicy } from './batch.js';
import { toMilliseconds } from './duration.js';
import { KEEP, MOST_KEPT } from './journal.js';
import type { MessageClass } from './message.js';
import { DeclarationError, OptionError } from './messaging.errors.js';
import { checkedSubscription, type Subscription } from './routing/route.js';
import { checkedPattern } from './routing/topic.js';
import { toActorRetryPolicy, type ActorRetryPolicy } from './retry.js';
import { toSupervision, type Supervision } from './supervision.js';

/** An actor found in this process. */
export interface FoundActor {
  readonly name: string;
  /** Its class. */
  readonly target: object;
  readonly wrapper: Wrapper;
  /** Turns at the same time; at least the largest batch. */
  readonly concurrency: number;
  readonly retry: ActorRetryPolicy;
  readonly supervision: Supervision;
  readonly pause: PausePolicy;
  readonly rateLimit?: { max: number; per: number };
  /** How many turns are kept for urgent messages. */
  readonly reserved: number;
  /** How long a message may wait until it comes into a better lane, ms. */
  readonly aging?: number;
  /** The most messages that wait per key. */
  readonly mailbox?: number;
  readonly state?: ActorState;
  /** How many rows of the journal of a key are kept. */
  readonly journal: { readonly keep: number };
  /** By type of the message. */
  readonly handlers: ReadonlyMap<string, FoundHandler>;
  /** By pattern for topics: who handles events for whose types there is no handler. */
  readonly patterns: ReadonlyMap<string, FoundHandler>;
  /** Of which events it gets copies. */
  readonly subscriptions: readonly Subscription[];
}

/** A handler as found, checked. */
export interface FoundHandler {
  readonly kind: HandlerKind;
  /** None for occurrences of a schedule, and for events of any type. */
  readonly message: MessageClass | undefined;
  /** What there is in place of a message class. */
  readonly verb?: VerbDeclaration;
  readonly pattern?: PatternDeclaration;
  readonly method: string;
  readonly timeout?: number;
  readonly batch?: BatchPolicy;
}

/** Nest's record of a provider. */
export type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

const DEFAULT_AGING = '10m';
const DEFAULT_PAUSE: PausePolicy = { for: 30_000, max: 600_000 };

/**
 * Finds the actors among all providers and checks them: what is declared wrongly is an error at start, not at the first
 * message.
 *
 * @param known the messages registered by name: those of an actor that runs here must have a handler
 * @throws DeclarationError, OptionError
 */
export function exploreActors(
  discovery: DiscoveryService,
  known: readonly MessageClass[],
): FoundActor[] {
  const found = new Map<string, FoundActor>();
  for (const wrapper of discovery.getProviders()) {
    // Another name for one that is found under its own.
    if (wrapper.isAlias) continue;
    const target = classOf(wrapper);
    if (typeof target !== 'function') continue;
    if (!actorOptionsOf(target)) {
      const declared = handlersOf(target);
      if (declared.length === 0) continue;
      // A schedule needs nothing else of an actor.
      if (!declared.every(({ kind }) => kind === 'occurrence')) {
        throw new DeclarationError(`${target.name} has handlers but is not an actor: add @Actor()`);
      }
    }
    if (wrapper.isTransient) {
      throw new DeclarationError(
        `${target.name} must not be transient: nobody injects an actor, so it would have no instance`,
      );
    }
    const actor = describe(target, wrapper);
    const other = found.get(actor.name);
    if (other && other.target !== target) {
      throw new DeclarationError(
        `two classes are the actor '${actor.name}': ${(other.target as { name: string }).name} and ${target.name}`,
      );
    }
    found.set(actor.name, actor);
  }
  const actors = [...found.values()];
  for (const actor of actors) requireHandlers(actor, actors, known);
  return actors;
}

/**
 * The class behind a provider, one made by a factory or given as a value too. A factory that runs once per turn has made
 * nothing yet: then the class is what it is provided as.
 */
export function classOf({ metatype, isFactory, instance, token }: Wrapper): unknown {
  if (metatype && !isFactory) return metatype;
  const made = (instance as { constructor?: unknown } | null | undefined)?.constructor;
  return typeof token === 'function' && (made === undefined || made === Object) ? token : made;
}

function describe(target: { name: string }, wrapper: Wrapper): FoundActor {
  const options = actorOptionsOf(target) ?? {};
  const declared = handlersOf(target);
  const name = actorNameOf(target);
  const path = `@Actor ${target.name}`;
  const state = options.state && toActorState(name, options.state, path);
  const [handlers, patterns] = [new Map<string, FoundHandler>(), new Map<string, FoundHandler>()];
  for (const declaration of declared) {
    const { handles } = declaration;
    const isPattern = 'pattern' in handles;
    const type = isPattern
      ? checkedPattern(handles.pattern, `${target.name}.${declaration.method} pattern`)
      : 'meta' in handles
        ? handles.meta.type
        : `${name}.${handles.verb}`;
    const group = isPattern ? patterns : handlers;
    if (group.has(type)) {
      throw new DeclarationError(`${target.name} has two handlers for '${type}'`);
    }
    group.set(type, toHandler(target, declaration, options));
  }
  const largest = Math.max(0, ...[...handlers.values()].map(({ batch }) => batch?.max ?? 0));
  const { rateLimit, mailbox, reserved = 0, aging = DEFAULT_AGING } = options;
  const wanted = whole(options.concurrency ?? 10, 10_000, `${path} concurrency`);
  const kept = toReserved(reserved, Math.max(wanted, largest), `${path} reserved`);
  return {
    name,
    target,
    wrapper,
    // A batch fills only with messages that have turns.
    concurrency: Math.max(wanted, largest + kept),
    reserved: kept,
    retry: toActorRetryPolicy(options.retry ?? {}, `${path} retry`),
    supervision: toSupervision(options.on ?? [], `${path} on`),
    pause: toPause(options.pause ?? {}, `${path} pause`),
    ...(rateLimit && { rateLimit: toRateLimit(rateLimit, `${path} rateLimit`) }),
    ...(aging !== false && { aging: longer(aging, `${path} aging`) }),
    ...(mailbox && { mailbox: whole(mailbox.max, 1_000_000, `${path} mailbox.max`) }),
    ...(state && { state }),
    journal: { keep: whole(options.journal?.keep ?? KEEP, MOST_KEPT, `${path} journal.keep`) },
    handlers,
    patterns,
    subscriptions: declared.flatMap((declaration) => subscriptionOf(target, declaration)),
  };
}

function subscriptionOf(
  target: { name: string },
  { kind, handles, filter = {}, method }: HandlerDeclaration,
): Subscription[] {
  if (kind !== 'on' || filter === 'none' || 'verb' in handles) return [];
  const wanted = 'meta' in handles ? { type: handles.meta.type } : { topic: handles.pattern };
  return [checkedSubscription({ ...wanted, ...filter }, `${target.name}.${method} `)];
}

function toHandler(
  target: { name: string },
  { kind, handles, method, timeout, batch }: HandlerDeclaration,
  { state }: ActorOptions,
): FoundHandler {
  const message = 'meta' in handles ? handles : undefined;
  const path = `${target.name}.${method}`;
  const key = message?.meta.key;
  if (message && key === undefined && (state || kind === 'read')) {
    throw new DeclarationError(
      `${path} handles '${message.meta.type}', which has no key: ${kind === 'read' ? '@Read reads the state of a key' : 'the state of an actor belongs to a key'}, so declare Message(..., { key })`,
    );
  }
  if ('pattern' in handles && state) {
    throw new DeclarationError(
      `${path} handles events of any type, and the state of an actor belongs to a key`,
    );
  }
  if (kind === 'read' && !state) {
    throw new DeclarationError(`${path} is a @Read, but its actor has no state to read`);
  }
  if (batch && key !== undefined) {
    throw new DeclarationError(
      `${path} cannot get '${message?.meta.type}' in batches: messages of one key are handled one by one`,
    );
  }
  if (batch && message?.meta.reply) {
    throw new DeclarationError(`${path} cannot get messages with a reply in batches`);
  }
  return {
    kind,
    message,
    ...('verb' in handles && { verb: handles }),
    ...('pattern' in handles && { pattern: handles }),
    method,
    ...(timeout !== undefined && { timeout: longer(timeout, `${path} timeout`) }),
    ...(batch && {
      batch: {
        max: whole(batch.max, 1_000, `${path} batch.max`),
        wait: toMilliseconds(batch.wait ?? 20, `${path} batch.wait`),
      },
    }),
  };
}

function toPause(given: NonNullable<ActorOptions['pause']>, path: string): PausePolicy {
  const first = given.for === undefined ? DEFAULT_PAUSE.for : longer(given.for, `${path}.for`);
  const most = given.max === undefined ? DEFAULT_PAUSE.max : longer(given.max, `${path}.max`);
  return { for: first, max: Math.max(first, most) };
}

function toRateLimit(
  { max, per }: NonNullable<ActorOptions['rateLimit']>,
  path: string,
): { max: number; per: number } {
  return { max: whole(max, 1_000_000, `${path}.max`), per: longer(per, `${path}.per`) };
}

function whole(value: number, most: number, path: string): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw new OptionError(path, `must be a whole number from 1 to ${most}`);
}

function toReserved(value: number, concurrency: number, path: string): number {
  if (Number.isSafeInteger(value) && value >= 0 && value < concurrency) return value;
  const range = `from 0 to ${concurrency - 1}`;
  throw new OptionError(path, `must be a whole number ${range}: one turn at least is for any`);
}

function longer(duration: Parameters<typeof toMilliseconds>[0], path: string): number {
  const value = toMilliseconds(duration, path);
  if (value === 0) throw new OptionError(path, 'must be longer than 0');
  return value;
}

/** An event needs no handler where its topic has the name of an actor: whoever subscribes handles it. */
function requireHandlers(
  actor: FoundActor,
  actors: readonly FoundActor[],
  known: readonly MessageClass[],
): void {
  for (const { meta } of known) {
    if (meta.actor !== actor.name || actor.handlers.has(meta.type)) continue;
    if (actors.some(({ handlers }) => handlers.get(meta.type)?.kind === 'on')) continue;
    throw new DeclarationError(
      `actor '${actor.name}' runs here but has no handler for '${meta.type}'`,
    );
  }
}
