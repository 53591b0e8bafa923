import type { Percentiles } from './statistics.js';

/** Buckets grow by this factor, so that what is shown is within 5 % of what was measured. */
const GROWTH = 1.1;
const LOG = Math.log(GROWTH);
/** Longer than a year. */
const LAST = 260;

/** How many there were in which bucket. */
export type LatencyCounts = [bucket: number, count: number][];

/**
 * How long things took, in buckets that grow: any number of them in bounded space, of which several can be put together, as
 * percentiles cannot.
 */
export class Latencies {
  private readonly counts = new Map<number, number>();

  /** @param ms below 0, as clocks of two machines may have it, is 0 */
  add(ms: number): void {
    const bucket = ms < 1 ? 0 : Math.min(LAST, 1 + Math.ceil(Math.log(ms) / LOG));
    this.counts.set(bucket, (this.counts.get(bucket) ?? 0) + 1);
  }

  /** Puts others to these. What is no bucket is left out. */
  merge(counts: LatencyCounts): void {
    for (const [bucket, count] of counts) {
      if (bucket < 0 || bucket > LAST) continue;
      this.counts.set(bucket, (this.counts.get(bucket) ?? 0) + count);
    }
  }

  /** By bucket. */
  all(): LatencyCounts {
    return [...this.counts].sort(([a], [b]) => a - b);
  }

  /** By the nearest rank, whole milliseconds; undefined when there are none. */
  percentiles(): Percentiles | undefined {
    const all = this.all();
    const total = all.reduce((sum, [, count]) => sum + count, 0);
    if (total === 0) return undefined;
    const rank = (p: number): number => {
      let before = 0;
      const found = all.find(([, count]) => (before += count) >= Math.ceil(p * total));
      return middleOf(found?.[0] ?? 0);
    };
    return { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) };
  }
}

function middleOf(bucket: number): number {
  return bucket === 0 ? 0 : Math.round((2 * GROWTH ** (bucket - 1)) / (GROWTH + 1));
}
