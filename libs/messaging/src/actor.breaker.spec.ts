import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ActorBreaker } from './actor.breaker.js';
import { VirtualClock } from './testing/virtual.clock.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));

let clock: VirtualClock;
let limits: number[];
let breaker: ActorBreaker;
const consumer = {
  limit: (concurrency: number) => void limits.push(concurrency),
  stop: async () => undefined,
};

beforeEach(() => {
  clock = new VirtualClock();
  limits = [];
  breaker = new ActorBreaker('bank', { for: 1_000, max: 3_000 }, 20, clock);
  breaker.attach(consumer);
});

describe('a breaker', () => {
  it('leaves its consumer alone while nothing pauses', () => {
    breaker.pass();
    expect(limits).toEqual([]);
    expect(breaker.isPaused).toBe(false);
  });

  it('stops the consumer, lets one message through after the wait, and goes on when that ends well', async () => {
    breaker.trip('away');
    expect(breaker.isPaused).toBe(true);
    expect(limits).toEqual([0]);
    await clock.advance(999);
    expect(limits).toEqual([0]);
    await clock.advance(1);
    expect(limits).toEqual([0, 1]);
    expect(breaker.isPaused).toBe(false);
    breaker.pass();
    expect(limits).toEqual([0, 1, 20]);
  });

  it('counts the errors of turns that were under way once', async () => {
    breaker.trip('away');
    breaker.trip('away');
    expect(limits).toEqual([0]);
    expect(clock.pending).toBe(1);
    await clock.advance(1_000);
    expect(limits).toEqual([0, 1]);
  });

  it('is not closed by a turn that was under way when it opened', () => {
    breaker.trip('away');
    breaker.pass();
    expect(breaker.isPaused).toBe(true);
    expect(limits).toEqual([0]);
  });

  it('doubles the wait when the probe pauses it again, up to the longest', async () => {
    breaker.trip('away');
    let wait = 1_000;
    for (const next of [2_000, 3_000, 3_000]) {
      await clock.advance(wait);
      breaker.trip('still away');
      expect(clock.next).toBe(clock.now() + next);
      wait = next;
    }
    expect(limits).toEqual([0, 1, 0, 1, 0, 1, 0]);
  });

  it('begins with the shortest wait again after it went on', async () => {
    breaker.trip('away');
    await clock.advance(1_000);
    breaker.trip('still away');
    await clock.advance(2_000);
    breaker.pass();
    breaker.trip('away again');
    expect(clock.next).toBe(clock.now() + 1_000);
  });

  it('that opened before it knew its consumer stops it then', () => {
    const early = new ActorBreaker('bank', { for: 1_000, max: 3_000 }, 20, clock);
    early.trip('away');
    early.attach(consumer);
    expect(limits).toEqual([0]);
  });
});

describe('a turn that began before the probe', () => {
  it('neither closes the breaker nor opens it again', async () => {
    const old = breaker.enter();
    breaker.trip('away', old);
    await clock.advance(1_000);
    breaker.pass(old);
    breaker.trip('away', old);
    expect(limits).toEqual([0, 1]);
    breaker.pass(breaker.enter());
    expect(limits).toEqual([0, 1, 20]);
  });

  it('says how long its message should stay away: until there may be a probe', async () => {
    expect(breaker.trip('away', breaker.enter())).toBe(1_000);
    await clock.advance(1_000);
    expect(breaker.trip('still away', breaker.enter())).toBe(2_000);
  });
});

describe('a breaker that was stopped', () => {
  it('lets its timer go', async () => {
    breaker.trip('away');
    breaker.stop();
    expect(clock.pending).toBe(0);
    await clock.advance('1h');
    expect(limits).toEqual([0]);
  });

  it('sets no other one for what the last turns throw', () => {
    breaker.stop();
    breaker.trip('away');
    expect(clock.pending).toBe(0);
    expect(limits).toEqual([]);
  });

  it('does not set a stopping consumer going again', async () => {
    breaker.trip('away');
    await clock.advance(1_000);
    breaker.stop();
    breaker.pass();
    expect(limits).toEqual([0, 1]);
  });
});
