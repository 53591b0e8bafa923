import { describe, expect, it } from 'vitest';
import type { FinishedTurn } from './engine.js';
import { SAMPLE, statisticsOf } from './statistics.js';

const NOW = 1_700_000_000_000;

/** A turn that ended `ago` ms before NOW after waiting and running so long. */
function turn(ago: number, wait = 0, run = 0): FinishedTurn {
  const finishedAt = NOW - ago;
  return { readyAt: finishedAt - run - wait, startedAt: finishedAt - run, finishedAt };
}

/** Turns, newest first, one every `step` ms. */
function turns(count: number, step: number): FinishedTurn[] {
  return Array.from({ length: count }, (_, n) => turn(n * step));
}

describe('statisticsOf', () => {
  it('knows nothing without turns', () => {
    expect(statisticsOf([], NOW)).toEqual({
      sample: 0,
      throughput: 0,
      latency: undefined,
      wait: undefined,
      run: undefined,
    });
  });

  it('T is turns per second over the last minute while the sample is not full', () => {
    expect(statisticsOf(turns(30, 1_000), NOW).throughput).toBe(0.5);
    expect(statisticsOf(turns(120, 1_000), NOW)).toMatchObject({ throughput: 1, sample: 120 });
    expect(statisticsOf([turn(0)], NOW).throughput).toBe(0.02);
  });

  it('T is turns per second since the oldest when a full sample is younger than a minute', () => {
    expect(statisticsOf(turns(SAMPLE, 10), NOW).throughput).toBe(100.5);
    expect(statisticsOf(turns(SAMPLE, 100), NOW).throughput).toBe(10.05);
    // All in one millisecond: finite.
    expect(statisticsOf(turns(SAMPLE, 0), NOW).throughput).toBe(200_000);
  });

  it('T forgets turns of more than a minute ago, L does not', () => {
    expect(statisticsOf([turn(59_999, 5), turn(60_000, 7)], NOW)).toMatchObject({
      sample: 2,
      throughput: 0.02,
      wait: { p50: 5, p99: 7 },
    });
    expect(statisticsOf([turn(60_000, 7)], NOW)).toMatchObject({ sample: 1, throughput: 0 });
  });

  it('L is wait plus run', () => {
    expect(statisticsOf([turn(0, 30, 12)], NOW)).toMatchObject({
      latency: { p50: 42, p95: 42, p99: 42 },
      wait: { p50: 30, p95: 30, p99: 30 },
      run: { p50: 12, p95: 12, p99: 12 },
    });
  });

  it.each([
    [[10, 20], { p50: 10, p95: 20, p99: 20 }],
    [[30, 10, 20], { p50: 20, p95: 30, p99: 30 }],
    [Array.from({ length: 100 }, (_, n) => 100 - n), { p50: 50, p95: 95, p99: 99 }],
    [Array.from({ length: 200 }, (_, n) => n + 1), { p50: 100, p95: 190, p99: 198 }],
    // Numbers, not texts, are sorted.
    [[9, 100, 1_000], { p50: 100, p95: 1_000, p99: 1_000 }],
  ])('percentiles are of nearest rank: %j', (waits, expected) => {
    expect(
      statisticsOf(
        waits.map((wait) => turn(0, wait)),
        NOW,
      ).latency,
    ).toEqual(expected);
  });

  it('counts negative times, of clocks that differ, as 0', () => {
    const skewed = { readyAt: NOW + 500, startedAt: NOW + 200, finishedAt: NOW };
    expect(statisticsOf([skewed], NOW)).toMatchObject({
      latency: { p50: 0, p99: 0 },
      wait: { p50: 0 },
      run: { p50: 0 },
    });
  });

  it('takes a turn that ended in the future of this clock', () => {
    expect(statisticsOf([turn(-5_000)], NOW).throughput).toBe(0.02);
    const { throughput } = statisticsOf(
      Array.from({ length: SAMPLE }, () => turn(-5_000)),
      NOW,
    );
    expect(throughput).toBe(200_000);
  });
});
