import { ConsoleLogger, type INestApplicationContext, type LoggerService } from '@nestjs/common';
import { CallsheetError } from './messaging.errors.js';

/** What NestFactory must be given, so that errors at start come here and nothing else prints them. */
export interface LaunchOptions {
  abortOnError: false;
  logger: LoggerService;
}

/** How long after SIGTERM or SIGINT a process ends at the latest, beyond its own grace: the hard stop when the store is gone. */
const HARD_STOP = 5_000;

/**
 * Starts a Nest application as a process of its own: an error at start is one readable line and exit code 1, SIGTERM and
 * SIGINT close it in order, and the process ends even if closing hangs.
 *
 * @param create makes and starts the application; it must hand the options it gets to NestFactory
 * @param grace milliseconds that running turns have after the signal; the process ends at the latest 5 s after that
 */
export async function launch(
  create: (options: LaunchOptions) => Promise<INestApplicationContext>,
  { grace = 20_000 }: { grace?: number } = {},
): Promise<void> {
  let started = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      if (!started) process.exit(1);
      setTimeout(() => process.exit(1), grace + HARD_STOP).unref();
    });
  }
  try {
    const app = await create({ abortOnError: false, logger: new ProcessLogger() });
    app.enableShutdownHooks();
    started = true;
  } catch (error) {
    process.stderr.write(`callsheet: ${explain(error)}\n`);
    process.exit(1);
  }
}

/** Our own errors say what to do; anything else is a fault whose stack is needed. */
function explain(error: unknown): string {
  if (error instanceof CallsheetError) return error.message;
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string'
    ? error.message
    : (error.stack ?? error.message);
}

/** Nest's own account of its modules and routes, which no operator reads. */
const ROUTINE = new Set<unknown>([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
]);

/** Leaves out Nest's routine, and the stack that it would print for an error at start: `launch` says it in one line. */
class ProcessLogger extends ConsoleLogger {
  override log(message: unknown, ...rest: unknown[]): void {
    if (!ROUTINE.has(rest.at(-1))) super.log(message, ...rest);
  }

  override error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) !== 'ExceptionHandler') super.error(message, ...rest);
  }
}
