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

  /** Resolves when the handler is done with this message, rejects with its error. */
  add(message: unknown, turn: Turn): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ message, turn, resolve, reject });
      if (this.waiting.length >= this.policy.max) void this.flush();
      else this.cancelTimer ??= this.clock.after(this.policy.wait, () => void this.flush());
    });
  }

  private async flush(): Promise<void> {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    // One that has been told to stop while it waited ends without the handler.
    const batch = this.waiting.splice(0).filter((each) => {
      if (!each.turn.signal.aborted) return true;
      each.reject(each.turn.signal.reason);
      return false;
    });
    if (batch.length === 0) return;
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
}

function errorsOf(result: unknown, size: number): readonly unknown[] {
  if (result === undefined) return [];
  if (Array.isArray(result) && result.length === size) return result;
  throw new OptionError(
    'a batch handler',
    `must return nothing, or a list with an error or undefined for each of its ${size} messages`,
  );
}
