import { CallsheetError } from '../messaging.errors.js';

/** Lines of the trace in the message. */
const SHOWN = 40;

/** The scenario failed with one order of events. The same seed gives that order again. */
export class ExplorationError extends CallsheetError {
  readonly code = 'exploration_failed';

  constructor(
    readonly seed: number,
    /** What happened, step by step. */
    readonly trace: readonly string[],
    cause: unknown,
  ) {
    const shown = trace.slice(-SHOWN).map((line) => `  ${line}`);
    const left = trace.length - shown.length;
    const heading = left > 0 ? `What happened, after ${left} other steps:` : 'What happened:';
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      [
        `seed ${seed} fails: ${reason}`,
        `Replay it with explore({ seed: ${seed}, ... }), or with CALLSHEET_SEED=${seed} in the environment.`,
        heading,
        ...shown,
      ].join('\n'),
      { cause },
    );
  }
}
