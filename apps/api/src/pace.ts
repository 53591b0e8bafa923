/** The most that are remembered; the ones that were counted longest ago are forgotten. */
const MOST = 10_000;

/** Counts what comes, by who sends it, and tells when it comes too fast. */
export class Pace {
  /** By name, when what came would have come at the average rate, ms. */
  private readonly due = new Map<string, number>();

  constructor(
    /** On average. */
    public perSecond: number,
    /** At once. */
    public burst: number,
  ) {}

  /**
   * Counts one.
   *
   * @param now milliseconds of a clock that does not go back
   * @returns 0, or how many milliseconds it comes too early; then it is not counted
   */
  take(name: string, now = performance.now()): number {
    const each = 1_000 / this.perSecond;
    const due = Math.max(now, this.due.get(name) ?? now) + each;
    const early = due - now - this.burst * each;
    if (early > 0) return early;
    this.due.delete(name);
    if (this.due.size >= MOST) this.due.delete(this.due.keys().next().value!);
    this.due.set(name, due);
    return 0;
  }
}
