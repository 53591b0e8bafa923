import type { DiscoveryService } from '@nestjs/core';
import { actorOptionsOf, handlersOf, type HandlerDeclaration } from './actor.decorators.js';
import { ACTOR_NAME, type MessageClass } from './message.js';
import { DeclarationError, OptionError } from './messaging.errors.js';
import { toRetryPolicy, type RetryPolicy } from './retry.js';
import type { Handler } from './turn.runner.js';
import type { Turn } from './turn.js';

/** An actor found in this process. */
export interface FoundActor {
  readonly name: string;
  /** Its class. */
  readonly target: object;
  readonly concurrency: number;
  readonly retry: Partial<RetryPolicy>;
  readonly handlers: ReadonlyMap<string, Handler>;
}

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];
type Instance = Record<string, (message: unknown, turn: Turn) => unknown>;

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
    const target = classOf(wrapper);
    if (typeof target !== 'function') continue;
    if (!actorOptionsOf(target)) {
      if (handlersOf(target).length === 0) continue;
      throw new DeclarationError(`${target.name} has handlers but is not an actor: add @Actor()`);
    }
    if (wrapper.isTransient || !wrapper.isDependencyTreeStatic()) {
      throw new DeclarationError(
        `${target.name} must not be ${wrapper.isTransient ? 'transient' : 'request-scoped'}: actors live as long as the process`,
      );
    }
    const actor = describe(target, wrapper.instance as Instance);
    const other = found.get(actor.name);
    if (other && other.target !== target) {
      throw new DeclarationError(
        `two classes are the actor '${actor.name}': ${(other.target as { name: string }).name} and ${target.name}`,
      );
    }
    found.set(actor.name, actor);
  }
  const actors = [...found.values()];
  for (const actor of actors) requireHandlers(actor, known);
  return actors;
}

/** The class behind a provider, one made by a factory or given as a value too. */
function classOf(wrapper: Wrapper): unknown {
  if (wrapper.metatype && !wrapper.isFactory) return wrapper.metatype;
  return (wrapper.instance as { constructor?: unknown } | null | undefined)?.constructor;
}

function describe(target: { name: string }, instance: Instance): FoundActor {
  const options = actorOptionsOf(target) ?? {};
  const declared = handlersOf(target);
  const name = nameOf(target, declared, options.name);
  const concurrency = options.concurrency ?? 10;
  if (!Number.isSafeInteger(concurrency) || concurrency < 1 || concurrency > 10_000) {
    throw new OptionError(
      `@Actor ${target.name} concurrency`,
      'must be a whole number from 1 to 10000',
    );
  }
  const handlers = new Map<string, Handler>();
  for (const { handles, method } of declared) {
    const type = 'meta' in handles ? handles.meta.type : `${name}.${handles.verb}`;
    if (handlers.has(type)) {
      throw new DeclarationError(`${target.name} has two handlers for '${type}'`);
    }
    handlers.set(type, {
      message: 'meta' in handles ? handles : undefined,
      run: (message, turn) => instance[method]?.(message, turn),
    });
  }
  return {
    name,
    target,
    concurrency,
    retry: toRetryPolicy(options.retry ?? {}, `@Actor ${target.name} retry`),
    handlers,
  };
}

function nameOf(
  target: { name: string },
  declared: readonly HandlerDeclaration[],
  given: string | undefined,
): string {
  const names = new Set(
    declared.flatMap(({ handles }) => ('meta' in handles ? [handles.meta.actor] : [])),
  );
  if (given !== undefined) names.add(given);
  const [name, other] = names;
  if (declared.length === 0)
    throw new DeclarationError(`${target.name} is an actor without handlers`);
  if (name === undefined) {
    throw new DeclarationError(
      `${target.name} handles only schedules: name it, @Actor({ name: '...' }), or add the @Handle that is missing`,
    );
  }
  if (other !== undefined) {
    throw new DeclarationError(
      `${target.name} would be two actors, '${name}' and '${other}': an actor handles messages of one name`,
    );
  }
  if (!ACTOR_NAME.test(name)) {
    throw new OptionError(`@Actor ${target.name} name`, `must match ${ACTOR_NAME}, got '${name}'`);
  }
  return name;
}

function requireHandlers(actor: FoundActor, known: readonly MessageClass[]): void {
  for (const { meta } of known) {
    if (meta.actor !== actor.name || actor.handlers.has(meta.type)) continue;
    throw new DeclarationError(
      `actor '${actor.name}' runs here but has no handler for '${meta.type}'`,
    );
  }
}
