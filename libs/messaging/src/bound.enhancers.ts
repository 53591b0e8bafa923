import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/internal';
import type { ApplicationConfig } from '@nestjs/core';
import type { Wrapper } from './actor.explorer.js';
import { DeclarationError } from './messaging.errors.js';

/** What is bound around a handler: globally, to its class or to its method. */
export class BoundEnhancers {
  readonly hasFilters: boolean;
  /** Whether there are filters, guards, interceptors, pipes or parameter decorators: whether a plain call is not enough. */
  readonly hasAny: boolean;
  private readonly own: readonly unknown[];

  constructor(
    private readonly config: ApplicationConfig,
    target: { name: string; prototype: object },
    method: string,
  ) {
    const callback = (target.prototype as Record<string, object>)[method] as object;
    const bound = (key: string): unknown[] => [
      ...listOf(Reflect.getMetadata(key, target)),
      ...listOf(Reflect.getMetadata(key, callback)),
    ];
    const filters = bound(EXCEPTION_FILTERS_METADATA);
    const parameters = Object.values(
      (Reflect.getMetadata(ROUTE_ARGS_METADATA, target, method) ?? {}) as Record<string, object>,
    );
    this.own = [
      ...filters,
      ...[GUARDS_METADATA, INTERCEPTORS_METADATA, PIPES_METADATA].flatMap(bound),
      ...parameters.flatMap((each) => listOf((each as { pipes?: unknown }).pipes)),
    ];
    const globalFilters = [...config.getGlobalFilters(), ...config.getGlobalRequestFilters()];
    this.hasFilters = filters.length + globalFilters.length > 0;
    const globals = [
      ...config.getGlobalGuards(),
      ...config.getGlobalInterceptors(),
      ...config.getGlobalPipes(),
      ...this.scoped(),
    ];
    this.hasAny =
      this.hasFilters || this.own.length > 0 || globals.length > 0 || parameters.length > 0;
  }

  /**
   * Makes sure that Nest has, or will make, an instance of every class bound: it passes over the others in silence, and a
   * guard that does not run guards nothing.
   *
   * @throws DeclarationError
   */
  require(wrapper: Wrapper, target: { name: string }): void {
    for (const type of this.own) {
      if (typeof type !== 'function' || wrapper.host?.injectables.has(type)) continue;
      throw new DeclarationError(
        `${target.name} comes from a factory, a value or an alias, for which Nest makes no ${type.name}: provide the actor as a class, or bind an instance, new ${type.name}(...)`,
      );
    }
    for (const scoped of this.scoped()) {
      if (wrapper.metatype && wrapper.getEnhancersMetadata()?.includes(scoped)) continue;
      // Nest prepares it for controllers and for classes it knows as entries; a value or a factory is neither.
      if (!wrapper.metatype || scoped.isDependencyTreeStatic()) {
        throw new DeclarationError(
          `Nest cannot make the ${scoped.isTransient ? 'transient' : 'request-scoped'} ${String(scoped.name)} for ${target.name}: provide the actor as a class, or the enhancer without scope`,
        );
      }
      wrapper.addEnhancerMetadata(scoped);
    }
  }

  /** Global ones that are made per turn or per actor. */
  private scoped(): Wrapper[] {
    return [
      ...this.config.getGlobalRequestGuards(),
      ...this.config.getGlobalRequestInterceptors(),
      ...this.config.getGlobalRequestPipes(),
      ...this.config.getGlobalRequestFilters(),
    ];
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
