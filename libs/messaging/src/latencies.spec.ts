import { expect, it } from 'vitest';
import { Latencies } from './latencies.js';

const of = (...values: number[]): Latencies => {
  const latencies = new Latencies();
  for (const value of values) latencies.add(value);
  return latencies;
};

it('answer percentiles within 5 % of what was measured', () => {
  for (const value of [1, 2, 3, 10, 999, 60_000, 86_400_000]) {
    const { p50, p99 } = of(value).percentiles()!;
    expect(Math.abs(p50 - value)).toBeLessThanOrEqual(Math.max(0.5, value * 0.05));
    expect(p99).toBe(p50);
  }
  const hundred = of(...Array.from({ length: 100 }, (_, n) => n + 1)).percentiles()!;
  expect(hundred.p50).toBeGreaterThanOrEqual(47);
  expect(hundred.p50).toBeLessThanOrEqual(53);
  expect(hundred.p95).toBeGreaterThanOrEqual(90);
  expect(hundred.p95).toBeLessThanOrEqual(100);
  expect(hundred.p99).toBeGreaterThanOrEqual(94);
  expect(hundred.p99).toBeLessThanOrEqual(104);
});

it('have none without any, and none below 0', () => {
  expect(of().percentiles()).toBeUndefined();
  expect(of(-5, 0, 0.4).percentiles()).toEqual({ p50: 0, p95: 0, p99: 0 });
});

it('are the same put together as measured together, in bounded space', () => {
  const [one, two] = [of(1, 5, 900), of(5, 7_000)];
  one.merge(two.all());
  expect(one.all()).toEqual(of(1, 5, 5, 900, 7_000).all());
  one.merge([
    [-1, 5],
    [5_000, 5],
  ]);
  expect(one.all()).toEqual(of(1, 5, 5, 900, 7_000).all());
  const many = of(...Array.from({ length: 2_000 }, (_, n) => 1.05 ** n));
  expect(many.all().length).toBeLessThanOrEqual(261);
});
