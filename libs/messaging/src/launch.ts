import type { INestApplicationContext } from '@nestjs/common';
import { CallsheetError } from './messaging.errors.js';

/** How long after SIGTERM or SIGINT a process ends at the latest, beyond its own grace: the hard stop when the store is gone. */
const HARD_STOP = 5_000;

/**
 * Starts a Nest application as a process of its own: an error at start is one readable line and exit code 1, SIGTERM and
 * SIGINT close it in order, and the process ends even if closing hangs.
 *
 * @param create makes and starts the application
 * @param grace milliseconds that running turns have after the signal; the process ends at the latest 5 s after that
 */
export async function launch(
  create: () => Promise<INestApplicationContext>,
  { grace = 20_000 }: { grace?: number } = {},
): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      setTimeout(() => process.exit(1), grace + HARD_STOP).unref();
    });
  }
  try {
    const app = await create();
    app.enableShutdownHooks();
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
