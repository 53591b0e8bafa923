import { Injectable, type ContextType } from '@nestjs/common';
import { ROUTE_ARGS_METADATA, PARAMTYPES_METADATA } from '@nestjs/common/internal';
import {
  ApplicationConfig,
  ExternalContextCreator,
  ModuleRef,
  ModulesContainer,
  type ContextId,
} from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { handlersOf } from './actor.decorators.js';
import { classOf, type Wrapper } from './actor.explorer.js';
import { BoundEnhancers } from './bound.enhancers.js';
import { markDenial } from './guard.denial.js';
import { handlerArguments, parameterValues } from './handler.arguments.js';
import { HandlerFilters } from './handler.filters.js';
import type { MessageClass } from './message.js';
import { DeclarationError } from './messaging.errors.js';
import { TurnContext } from './turn.context.js';
import type { Turn } from './turn.js';
import { TurnRequest } from './turn.request.js';

/** Runs a handler. A batch handler gets lists of messages and turns. */
export type RunHandler = (message: unknown, turn: Turn) => Promise<unknown>;

type Run = (message: unknown, context: TurnContext) => Promise<unknown>;
type Method = (...args: unknown[]) => unknown;
type Instance = Record<string, Method>;
/** Puts everything bound around the handler of an instance. */
type Surround = (instance: Instance, id?: ContextId) => Run;

const RPC: ContextType = 'rpc';

/**
 * Puts Nest around handlers: guards, interceptors, pipes and exception filters in Nest's order, bound globally, to the class
 * or to the method; an actor per turn where it, or something it needs, is request-scoped.
 */
@Injectable()
export class HandlerPipeline {
  private readonly filters: HandlerFilters;

  constructor(
    private readonly nest: ExternalContextCreator,
    private readonly config: ApplicationConfig,
    modules: ModulesContainer,
  ) {
    this.filters = new HandlerFilters(modules, config);
  }

  /**
   * Makes what runs the handler. What is bound by now counts: call it when the application starts, not before, so that
   * `app.useGlobalGuards()` and the like have been called. A handler with nothing around it is called directly.
   *
   * @throws DeclarationError when something bound could never run
   */
  create(wrapper: Wrapper, method: string, message: MessageClass | undefined): RunHandler {
    const target = classOf(wrapper) as { name: string; prototype: object };
    const bound = new BoundEnhancers(this.config, target, method);
    bound.require(wrapper, target);
    const creator = turnCreator(this.nest, target, method, message);
    const surround: Surround = (instance, id) => {
      const handler = instance[method] as Method;
      if (!bound.hasAny) {
        return async (given, context) => last(await handler.call(instance, given, context.given));
      }
      const run = creator.create(
        instance,
        handler,
        method,
        ROUTE_ARGS_METADATA,
        parameterValues,
        id,
        wrapper.id,
        // Nest's own would log every error that is going to be retried.
        { guards: true, interceptors: true, filters: false },
        RPC,
      ) as Run;
      return bound.hasFilters ? this.filters.around(run, wrapper, instance, method, id) : run;
    };
    const run = wrapper.isDependencyTreeStatic()
      ? surround(wrapper.instance as Instance)
      : perTurn(wrapper, target, method, surround);
    return (given, turn) => run(given, new TurnContext(turn));
  }
}

/**
 * An instance for each turn, or for each tenant when the actor is durable; Nest forgets it with its context. An error while
 * it is made is the turn's, and goes past exception filters: they may need what could not be made.
 */
function perTurn(
  wrapper: Wrapper,
  target: { name: string },
  method: string,
  surround: Surround,
): Run {
  const isDurable = wrapper.isDependencyTreeDurable();
  if (isDurable && handlersOf(target).some((each) => each.method === method && each.batch)) {
    throw new DeclarationError(
      `${target.name}.${method} cannot get batches: the actor is durable, and a batch may hold messages of several tenants`,
    );
  }
  const module = wrapper.host?.getProviderByKey(ModuleRef).instance as ModuleRef;
  return async (message, context) => {
    const id = new TurnRequest(message, context).open(
      (request, contextId) => module.registerRequestByContextId(request, contextId),
      isDurable,
    );
    const instance = await module.resolve<Instance>(wrapper.token, id);
    return surround(instance, id)(message, context);
  };
}

/** Nest's creator, different where turns are: arguments, denials, and handlers that answer with an empty Observable. */
function turnCreator(
  nest: ExternalContextCreator,
  target: { prototype: object },
  method: string,
  message: MessageClass | undefined,
): ExternalContextCreator {
  const types = Reflect.getMetadata(PARAMTYPES_METADATA, target.prototype, method) as unknown[];
  // Without decorator metadata (esbuild) the message's own class is known; a batch handler gets a list.
  const type = types?.[0] === Array ? Array : (message ?? types?.[0]);
  const creator = Object.create(nest) as ExternalContextCreator;
  creator.createPipesFn = (pipes, declared) => handlerArguments(nest, pipes, declared, type);
  creator.createGuardsFn = (...guards) => {
    const activate = nest.createGuardsFn(...guards);
    if (!activate) return null;
    return async (args: unknown[]) => {
      try {
        await activate(args);
      } catch (error) {
        markDenial(error);
        throw error;
      }
    };
  };
  creator.transformToResult = async (result: unknown) => last(await result);
  return creator;
}

/** An Observable stands for its last value, an empty one for none. */
function last(value: unknown): unknown {
  return isObservable(value) ? lastValueFrom(value, { defaultValue: undefined }) : value;
}
