import { Injectable } from '@nestjs/common';

/**
 * How many webhooks of a source one process takes: a source that goes astray must not fill the store. Counted are those whose
 * signature is right, so that nobody else can use it up.
 */
@Injectable()
export class HookRate {
  /** On average. */
  perSecond = 100;
  /** At once. */
  burst = 500;

  /** By source, when what it sent would have come at the average rate, ms. */
  private readonly due = new Map<string, number>();

  /**
   * Counts one.
   *
   * @param source one that is known: each is remembered
   * @param now milliseconds of a clock that does not go back
   * @returns 0, or how many milliseconds it comes too early; then it is not counted
   */
  take(source: string, now = performance.now()): number {
    const each = 1_000 / this.perSecond;
    const due = Math.max(now, this.due.get(source) ?? now) + each;
    const early = due - now - this.burst * each;
    if (early > 0) return early;
    this.due.set(source, due);
    return 0;
  }
}
