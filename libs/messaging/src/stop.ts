/**
 * Tells a turn to stop, once, as an AbortController does. Few turns are told, and few handlers look: the AbortSignal, which takes
 * one part in twenty of a worker's time ([0010](../../../docs/decisions/0010-speed.md)), is made for who asks for it.
 */
export class Stop {
  /** Why, once it was told. */
  reason: unknown;
  private isTold = false;
  private controller?: AbortController;
  private listener?: () => void;

  get aborted(): boolean {
    return this.isTold;
  }

  /** Aborts with this, or has. */
  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.isTold) this.controller.abort(this.reason);
    return this.controller.signal;
  }

  /** The first reason counts. */
  abort(reason: unknown): void {
    if (this.isTold) return;
    this.isTold = true;
    this.reason = reason;
    this.listener?.();
    this.controller?.abort(reason);
  }

  /** Calls `listener` when it is told, in place of an earlier one; none any more without it. */
  listen(listener?: () => void): void {
    this.listener = listener;
  }
}
