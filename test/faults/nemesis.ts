import { monotonic, type Ledger } from './ledger.js';

/** The number that makes the schedule of faults: `FAULT_SEED` repeats a run, else a new one. */
export function faultSeed(): number {
  const given = process.env['FAULT_SEED'];
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

/**
 * Who does harm. The same seed chooses the same faults in the same order; when exactly they hit, the machine decides. Each is
 * written down when it is over, with the time it took: only what really happened counts.
 */
export class Nemesis {
  private state: number;

  constructor(
    private readonly ledger: Ledger,
    readonly seed = faultSeed(),
  ) {
    this.state = seed;
  }

  /** A number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1));
  }

  /** @param victim pid of the one process that it touches; without it, everybody */
  async harm(name: string, act: () => unknown, victim?: number): Promise<void> {
    const t = monotonic();
    await act();
    const until = monotonic();
    this.ledger.write({ kind: 'fault', name, until, ...(victim !== undefined && { victim }) }, t);
  }

  /** mulberry32: small, and good enough to choose victims. */
  private random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  }
}
