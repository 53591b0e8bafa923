import {
  ConsoleLogger,
  type INestApplicationContext,
  type LoggerService,
  type LogLevel,
} from '@nestjs/common';
import { CallsheetError, OptionError } from './messaging.errors.js';
import { KeyRing } from './encryption/key.ring.js';
import { exportTraces } from './telemetry/trace.exporter.js';
import { OPTIONS, type EncryptionOptions, type ResolvedOptions } from './messaging.options.js';

/** What NestFactory must be given, so that errors at start come here and nothing else prints them. */
export interface LaunchOptions {
  abortOnError: false;
  logger: LoggerService;
}

/** What closing may take after running turns have had their grace: handing back, queues, connections, each bounded itself. */
const CLOSING = 12_000;

/**
 * Starts a Nest application as a process of its own: an error at start is one readable line and exit code 1, SIGTERM and
 * SIGINT close it in order, also while it starts, and the process ends even if that hangs, at the latest 12 s after
 * `shutdownGrace`. Its spans go where {@link exportTraces} reads from the environment.
 *
 * @param create makes and starts the application; it must hand the options it gets to NestFactory
 */
export async function launch(
  create: (options: LaunchOptions) => Promise<INestApplicationContext>,
): Promise<void> {
  let deadline: number | undefined;
  let isTold = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      // Turns may have begun before it has started: it is closed in order as soon as it has.
      isTold = true;
      setTimeout(() => process.exit(1), deadline ?? CLOSING).unref();
    });
  }
  try {
    await exportTraces();
    const app = await create({
      abortOnError: false,
      logger: new ProcessLogger({ logLevels: LEVELS }),
    });
    if (isTold) {
      await app.close();
      process.exit(0);
    }
    app.enableShutdownHooks();
    deadline = app.get<ResolvedOptions>(OPTIONS, { strict: false }).shutdownGrace + CLOSING;
  } catch (error) {
    process.stderr.write(`callsheet: ${explain(error)}\n`);
    process.exit(1);
  }
}

/**
 * The store of a process that is only a part, `an api` or `a worker`.
 *
 * @throws OptionError for an embedded store, or none: it belongs to one process, so the other part would never see its messages
 */
export function requireSharedStore(url: string | undefined, part: string): string {
  if (url && !/^(pglite|memory):/i.test(url)) return url;
  throw new OptionError(
    'CALLSHEET_URL',
    `must be redis:// or postgres:// for ${part} of its own; \`npm start\` runs api and worker together on an embedded store`,
  );
}

/**
 * Keys from the environment, `CALLSHEET_ENCRYPTION_KEYS`: see {@link EncryptionOptions}. Not set, or empty: nothing is encrypted.
 *
 * @throws OptionError naming the variable, without its value
 */
export function encryptionOf(env: Readonly<Record<string, string | undefined>>): EncryptionOptions {
  const name = 'CALLSHEET_ENCRYPTION_KEYS';
  return { keys: KeyRing.parse(env[name], name) };
}

/** Our own errors say what to do; anything else is a fault whose stack is needed. */
function explain(error: unknown): string {
  if (error instanceof CallsheetError) return error.message;
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string'
    ? error.message
    : (error.stack ?? error.message);
}

/** What an operator reads. */
const LEVELS: LogLevel[] = ['fatal', 'error', 'warn', 'log'];

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
