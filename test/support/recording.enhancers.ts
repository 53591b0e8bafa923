import {
  Catch,
  Injectable,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type ExceptionFilter,
  type NestInterceptor,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { tap, type Observable } from 'rxjs';
import { afterEach } from 'vitest';

/** What the enhancers below did in this test, in order. */
export const steps: unknown[] = [];

/** A guard that lets everything pass. */
export function guard(name: string): Type<CanActivate> {
  @Injectable()
  class Recording implements CanActivate {
    canActivate(): boolean {
      steps.push(`guard ${name}`);
      return true;
    }
  }
  return Recording;
}

/** An interceptor that changes nothing. */
export function interceptor(name: string): Type<NestInterceptor> {
  @Injectable()
  class Recording implements NestInterceptor {
    intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
      steps.push(`before ${name}`);
      return next.handle().pipe(tap(() => steps.push(`after ${name}`)));
    }
  }
  return Recording;
}

/** A pipe that changes nothing. */
export function pipe(name: string): Type<PipeTransform> {
  @Injectable()
  class Recording implements PipeTransform {
    transform(value: unknown): unknown {
      steps.push(`pipe ${name}`);
      return value;
    }
  }
  return Recording;
}

/** A filter that throws on what it catches. */
export function filter(name: string): Type<ExceptionFilter> {
  @Catch()
  class Recording implements ExceptionFilter {
    catch(error: unknown): never {
      steps.push(`filter ${name}`);
      throw error;
    }
  }
  return Recording;
}

afterEach(() => {
  steps.length = 0;
});
