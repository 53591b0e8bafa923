import { ConsoleLogger } from '@nestjs/common';

const NEST = new Set<unknown>(['NestFactory', 'InstanceLoader']);

/** Leaves out what Nest tells of its modules, and errors at start: the caller prints those in one line, Nest would add the stack. */
export class StartLogger extends ConsoleLogger {
  override log(message: unknown, ...rest: unknown[]): void {
    if (!NEST.has(rest.at(-1))) super.log(message, ...rest);
  }

  override error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) !== 'ExceptionHandler') super.error(message, ...rest);
  }
}
