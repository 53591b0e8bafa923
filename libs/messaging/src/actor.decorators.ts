import { Injectable, SetMetadata, applyDecorators } from '@nestjs/common';
import type { MessageClass, MessageInstance } from './message.js';
import { OptionError } from './messaging.errors.js';
import type { RetryOptions } from './retry.js';
import type { Turn } from './turn.js';

/** Options of {@link Actor}. */
export interface ActorOptions {
  /**
   * Name of the actor and of its queue. Default: the part before the dot of the messages it handles; needed only by an
   * actor that handles nothing but schedules.
   */
  name?: string;
  /** When a failed message is tried again. Defaults: 5 attempts, 1 s doubling up to 5 min, 20 % jitter. */
  retry?: RetryOptions;
  /** Turns at the same time in one process, 1 to 10,000. Default 10. */
  concurrency?: number;
}

const ACTOR = Symbol('callsheet:actor');
const HANDLERS = Symbol('callsheet:handlers');
const OPTIONS = new Set<string>(['name', 'retry', 'concurrency'] satisfies (keyof ActorOptions)[]);

/** A handler as declared: for a message class, or for a verb of the actor itself (occurrences of a schedule). */
export interface HandlerDeclaration {
  readonly handles: MessageClass | { readonly verb: string };
  readonly method: string;
}

type Method<M extends MessageInstance> = (message: M, turn: Turn) => void | Promise<void>;

/**
 * Marks a class as an actor: a Nest provider whose methods handle messages.
 *
 * @throws OptionError at declaration for an option that does not exist; values are checked at start
 */
export function Actor(options: ActorOptions = {}): ClassDecorator {
  for (const option of Object.keys(options)) {
    if (!OPTIONS.has(option)) throw new OptionError(`@Actor ${option}`, 'is not an option');
  }
  return applyDecorators(Injectable(), SetMetadata(ACTOR, options));
}

/**
 * Marks a method as the handler of a message. It gets the message and its {@link Turn}; the message counts as handled when
 * it returns or resolves. If it throws, the message is retried by the actor's policy, then becomes a dead letter;
 * RejectError gives up at once, RetryLaterError chooses the wait.
 */
export function Handle<M extends MessageInstance>(message: MessageClass<M>) {
  return <F extends Method<M>>(
    target: object,
    method: string,
    _descriptor: TypedPropertyDescriptor<F>,
  ): void => declareHandler(target, { handles: message, method });
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
