import type { ApplicationConfig, ContextId, ModulesContainer, NestContainer } from '@nestjs/core';
import { ExternalExceptionFilterContext } from '@nestjs/core/exceptions/external-exception-filter-context.js';
import { ExecutionContextHost } from '@nestjs/core/internal';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Wrapper } from './actor.explorer.js';
import { carryDenial } from './guard.denial.js';
import { CallsheetError } from './messaging.errors.js';
import type { TurnContext } from './turn.context.js';

type Run = (message: unknown, context: TurnContext) => Promise<unknown>;

/**
 * Exception filters around handlers. The nearest one that catches the error's class has the word:
 * - what it throws, or what its Observable errors with, is the error of the turn, and supervision decides on it;
 * - when it returns nothing (`undefined`, or a promise of it) it has only looked: the error goes on as it is;
 * - anything else it returns is the handler's result, and the message counts as handled.
 */
export class HandlerFilters {
  private readonly filters: ExternalExceptionFilterContext;

  constructor(modules: ModulesContainer, config: ApplicationConfig) {
    // Nest asks the container for nothing but its modules here.
    const container = { getModules: () => modules } as unknown as NestContainer;
    this.filters = new ExternalExceptionFilterContext(container, config);
  }

  around(
    run: Run,
    wrapper: Wrapper,
    instance: Record<string, (...args: unknown[]) => unknown>,
    method: string,
    id?: ContextId,
  ): Run {
    const callback = instance[method] as (...args: unknown[]) => unknown;
    const handler = this.filters.create(
      instance,
      callback as never,
      wrapper.host?.token ?? '',
      id,
      wrapper.id,
    );
    return async (message, context) => {
      try {
        return await run(message, context);
      } catch (error) {
        const host = new ExecutionContextHost(
          [message, context],
          instance.constructor as never,
          callback,
        );
        host.setType('rpc');
        try {
          const answer: unknown = await handler.invokeCustomFilters(error, host);
          if (isObservable(answer)) {
            return await lastValueFrom(answer, { defaultValue: undefined });
          }
          if (answer !== undefined) return answer;
        } catch (translated) {
          // Callsheet's own errors say what is to happen, so they are taken at their word.
          if (!(translated instanceof CallsheetError)) carryDenial(error, translated);
          throw translated;
        }
        throw error;
      }
    };
  }
}
