import type { Clock } from './clock.js';
import { OptionError } from './messaging.errors.js';
import type { Turn } from './turn.js';
import { runBatch } from './turn.scope.js';

/** How many messages a batch handler gets at once, and how long it waits for more, ms. */
export interface BatchPolicy {
  max: number;
  wait: number;
}

/** Runs the handler on several messages; answers for each, by its place, an error or undefined. */
export type BatchFunction = (messages: readonly unknown[], turns: readonly Turn[]) => unknown;

interface Waiting {
  message: unknown;
  turn: Turn;
  /** Ends the watch over its turn's signal. */
  readonly unwatch: () => void;
  resolve(): void;
  reject(error: unknown): void;
}

/** Gathers messages until there are enough or the first has waited long enough, then hands them to one call of the handler. */
export class Batch {
  private waiting: Waiting[] = [];
  private cancelTimer?: () => void;

  constructor(
    private readonly policy: BatchPolicy,
    private readonly run: BatchFunction,
    private readonly clock: Clock,
  ) {}

  /**
   * Resolves when the handler is done with this message, rejects with its error. One that is told to stop while it waits
   * leaves at once, without the handler.
   */
  add(message: unknown, turn: Turn): Promise<void> {
    const { signal } = turn;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const leave = (): void => {
        this.waiting = this.waiting.filter((each) => each !== waiting);
        if (this.waiting.length === 0) this.stopWaiting();
        reject(signal.reason);
      };
      const unwatch = (): void => signal.removeEventListener('abort', leave);
      const waiting: Waiting = { message, turn, unwatch, resolve, reject };
      signal.addEventListener('abort', leave, { once: true });
      this.waiting.push(waiting);
      if (this.waiting.length >= this.policy.max) void this.flush();
      else this.cancelTimer ??= this.clock.after(this.policy.wait, () => void this.flush());
    });
  }

  private async flush(): Promise<void> {
    this.stopWaiting();
    const batch = this.waiting.splice(0);
    for (const { unwatch } of batch) unwatch();
    try {
      const result = await runBatch(async () =>
        this.run(
          batch.map(({ message }) => message),
          batch.map(({ turn }) => turn),
        ),
      );
      const errors = errorsOf(result, batch.length);
      for (const [index, each] of batch.entries()) {
        if (errors[index] === undefined) each.resolve();
        else each.reject(errors[index]);
      }
    } catch (error) {
      for (const each of batch) each.reject(error);
    }
  }

  private stopWaiting(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }
}

function errorsOf(result: unknown, size: number): readonly unknown[] {
  if (result === undefined) return [];
  const isOutcome = (each: unknown): boolean => each === undefined || each instanceof Error;
  if (Array.isArray(result) && result.length === size && result.every(isOutcome)) return result;
  throw new OptionError(
    'a batch handler',
    `must return nothing, or a list with an error or undefined for each of its ${size} messages`,
  );
}
