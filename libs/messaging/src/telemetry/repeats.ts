/** How many of the same trouble are told within {@link WINDOW}. */
const TOLD = 5;
const WINDOW = 10_000;
/** Kinds of trouble that are remembered. */
const MOST = 1_000;

/** Lets the first few of the same trouble be told and counts the rest, so that a mail server that is down is not a flood. */
export class Repeats {
  private readonly seen = new Map<string, { since: number; count: number }>();

  /**
   * @param trouble what makes it the same
   * @param now epoch milliseconds
   * @returns how many were held back before this one; undefined to hold this one back too
   */
  tell(trouble: string, now: number): number | undefined {
    const known = this.seen.get(trouble);
    if (known && now >= known.since && now - known.since < WINDOW) {
      known.count++;
      return known.count > TOLD ? undefined : 0;
    }
    // Anew, so that the oldest comes first.
    this.seen.delete(trouble);
    this.seen.set(trouble, { since: now, count: 1 });
    const [oldest] = this.seen.keys();
    if (this.seen.size > MOST && oldest !== undefined) this.seen.delete(oldest);
    return Math.max(0, (known?.count ?? 0) - TOLD);
  }
}
