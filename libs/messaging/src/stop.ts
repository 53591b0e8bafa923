/**
 * Tells a turn to stop, once, as an AbortController does. Few turns are told, and few handlers look: the AbortSignal, which takes
 * one part in twenty of a worker's time ([0010](../../../docs/decisions/0010-speed.md)), is made for who asks for it.
 */
export class Stop {
  private told?: Error;
  private controller?: AbortController;
  private listener?: (reason: Error) => void;

  get aborted(): boolean {
    return this.told !== undefined;
  }

  /** Why, once it was told. */
  get reason(): Error | undefined {
    return this.told;
  }

  /** Aborts with this, or has. */
  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.told) this.controller.abort(this.told);
    return this.controller.signal;
  }

  /** The first reason counts. */
  abort(reason: Error): void {
    if (this.told) return;
    this.told = reason;
    this.listener?.(reason);
    this.controller?.abort(reason);
  }

  /** Calls `listener` with the reason when it is told, in place of an earlier one; none any more without it. */
  listen(listener?: (reason: Error) => void): void {
    this.listener = listener;
  }
}
