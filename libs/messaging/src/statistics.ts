import type { FinishedTurn } from './engine.js';

/** Throughput T = N / t and latency L = t - t0 of one actor, from its most recent finished turns. */
export interface Statistics {
  /** Turns the figures are made from. */
  sample: number;
  /** T: turns finished per second within the last minute, or since the oldest of a full sample if that is shorter. */
  throughput: number;
  /** L: milliseconds from when the message could be handled to when it was. Undefined without a sample. */
  latency: Percentiles | undefined;
  /** The part of L before the turn that succeeded started: failed attempts and their waits included. */
  wait: Percentiles | undefined;
  /** The part of L in the turn that succeeded. */
  run: Percentiles | undefined;
}

export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
}

/** Turns that statistics look at. */
export const SAMPLE = 200;
const WINDOW = 60_000;

/**
 * @param turns at most {@link SAMPLE}, newest first
 * @param now epoch milliseconds
 */
export function statisticsOf(turns: readonly FinishedTurn[], now: number): Statistics {
  const recent = turns.filter((turn) => now - turn.finishedAt < WINDOW);
  const full = recent.length === SAMPLE;
  const oldest = recent.at(-1)?.finishedAt ?? now;
  const seconds = (full ? Math.max(1, now - oldest) : WINDOW) / 1_000;
  return {
    sample: turns.length,
    throughput: round(recent.length / seconds),
    latency: percentiles(turns.map((turn) => turn.finishedAt - turn.readyAt)),
    wait: percentiles(turns.map((turn) => turn.startedAt - turn.readyAt)),
    run: percentiles(turns.map((turn) => turn.finishedAt - turn.startedAt)),
  };
}

/** Nearest-rank percentiles; negative values (clocks of two machines) count as 0. */
function percentiles(values: number[]): Percentiles | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.map((value) => Math.max(0, value)).sort((a, b) => a - b);
  const rank = (p: number): number => sorted[Math.ceil(p * sorted.length) - 1] ?? 0;
  return { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
