/** At most `max` starts within any `per` milliseconds. */
export class RateLimit {
  /** The last `max` starts, as a ring. */
  private readonly starts: number[] = [];
  private next = 0;

  constructor(
    readonly max: number,
    readonly per: number,
  ) {}

  /** Milliseconds until one more may start. */
  wait(now: number): number {
    const oldest = this.starts[this.next];
    return oldest === undefined ? 0 : Math.max(0, oldest + this.per - now);
  }

  count(now: number): void {
    this.starts[this.next] = now;
    this.next = (this.next + 1) % this.max;
  }
}
