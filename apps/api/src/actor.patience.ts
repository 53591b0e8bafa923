import { AskTimeoutError } from '@callsheet/messaging';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { catchError, type Observable } from 'rxjs';
import { ProblemError } from './problem.js';

/** What is decided by an actor is decided in a process that runs it: who asks is told when none answers. */
export class ActorPatience implements NestInterceptor {
  /**
   * @param does what such a process does: 'runs schedules'
   * @param needed what must be up: 'a worker'
   */
  constructor(
    private readonly does: string,
    private readonly needed: string,
  ) {}

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      catchError((error: unknown) => {
        if (!(error instanceof AskTimeoutError)) throw error;
        const detail =
          `no process that ${this.does} has answered within ${error.timeout / 1_000} s: it is not known ` +
          `whether it was done, or will be; see that ${this.needed} is up, and ask again`;
        throw new ProblemError('ask_timeout', detail, {
          headers: { 'retry-after': '1' },
          cause: error,
        });
      }),
    );
  }
}
