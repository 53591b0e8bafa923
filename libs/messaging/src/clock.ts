/** Time as the framework sees it; tests put their own in its place. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /**
   * Calls `ring` once, `ms` milliseconds from now or later. Does not keep the process alive.
   *
   * @returns what cancels it
   */
  after(ms: number, ring: () => void): () => void;
}

/** Injection token of the {@link Clock}. */
export const CLOCK = Symbol('callsheet:clock');

/** setTimeout cannot wait longer. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, ring) {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      const part = Math.min(left, LONGEST_TIMER);
      timer = setTimeout(() => (left > part ? wait(left - part) : ring()), part).unref();
    };
    wait(ms);
    return () => clearTimeout(timer);
  },
};
