import { AskTimeoutError } from '@callsheet/messaging';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { catchError, type Observable } from 'rxjs';
import { ProblemError } from '../problem.js';

/** A route is changed by an actor, in a process that runs it; who asks it is told when none answers. */
export class RoutePatience implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      catchError((error: unknown) => {
        if (!(error instanceof AskTimeoutError)) throw error;
        const detail =
          `no process that keeps routes has answered within ${error.timeout / 1_000} s: it is not known ` +
          'whether it was done, or will be; see that a worker is up, and ask again';
        throw new ProblemError('ask_timeout', detail, {
          headers: { 'retry-after': '1' },
          cause: error,
        });
      }),
    );
  }
}
