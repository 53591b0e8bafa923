import { describe, expect, it } from 'vitest';
import { OptionError } from './messaging.errors.js';
import {
  DEFAULT_RETRY,
  retryDelay,
  toActorRetryPolicy,
  toRetryPolicy,
  type RetryOptions,
} from './retry.js';

describe('toRetryPolicy', () => {
  it('leaves out what is not given, so that policies can be laid over each other', () => {
    expect(toRetryPolicy({}, 'retry')).toStrictEqual({});
    expect(toRetryPolicy({ attempts: 3, max: undefined } as RetryOptions, 'retry')).toStrictEqual({
      attempts: 3,
    });
  });

  it.each<[RetryOptions, object]>([
    [{ attempts: 1 }, { attempts: 1 }],
    [{ attempts: 100 }, { attempts: 100 }],
    [{ factor: 1 }, { factor: 1 }],
    [{ factor: 1.5 }, { factor: 1.5 }],
    [{ factor: 10 }, { factor: 10 }],
    [{ jitter: 0 }, { jitter: 0 }],
    [{ jitter: 1 }, { jitter: 1 }],
    [{ delay: 0 }, { delay: 0 }],
    [
      { delay: '10s', max: '1h' },
      { delay: 10_000, max: 3_600_000 },
    ],
  ])('takes %j', (given, expected) => {
    expect(toRetryPolicy(given, 'retry')).toStrictEqual(expected);
  });

  it.each<[object, string, string]>([
    [{ attempts: 0 }, 'attempts', 'must be a whole number from 1 to 100, got 0'],
    [{ attempts: 101 }, 'attempts', 'must be a whole number from 1 to 100, got 101'],
    [{ attempts: 1.5 }, 'attempts', 'must be a whole number from 1 to 100, got 1.5'],
    [{ attempts: NaN }, 'attempts', 'must be a whole number from 1 to 100, got NaN'],
    [{ attempts: '3' }, 'attempts', 'must be a whole number from 1 to 100, got string'],
    [{ attempts: null }, 'attempts', 'must be a whole number from 1 to 100, got object'],
    [{ attempts: { toString: 1 } }, 'attempts', 'must be a whole number from 1 to 100, got object'],
    [{ factor: 0.99 }, 'factor', 'must be a number from 1 to 10, got 0.99'],
    [{ factor: 10.1 }, 'factor', 'must be a number from 1 to 10, got 10.1'],
    [{ factor: '2' }, 'factor', 'must be a number from 1 to 10, got string'],
    [{ factor: 5n }, 'factor', 'must be a number from 1 to 10, got bigint'],
    [{ factor: [2] }, 'factor', 'must be a number from 1 to 10, got object'],
    [{ jitter: -0.1 }, 'jitter', 'must be a number from 0 to 1, got -0.1'],
    [{ jitter: 1.1 }, 'jitter', 'must be a number from 0 to 1, got 1.1'],
    [{ jitter: null }, 'jitter', 'must be a number from 0 to 1, got object'],
    [{ jitter: true }, 'jitter', 'must be a number from 0 to 1, got boolean'],
    [{ delay: 'soon' }, 'delay', `must be milliseconds or a string such as '10s', got "soon"`],
    [{ delay: null }, 'delay', `must be milliseconds or a string such as '10s', got null`],
    [{ max: '366d' }, 'max', 'must be at most 365d'],
    [{ backoff: 1 }, 'backoff', 'is not an option'],
    [JSON.parse('{"__proto__":1}') as object, '__proto__', 'is not an option'],
  ])('refuses %o', (given, field, problem) => {
    expect(() => toRetryPolicy(given, '@Actor Mailer retry')).toThrow(
      new OptionError(`@Actor Mailer retry.${field}`, problem),
    );
  });

  it.each([[null], [5], ['3'], [[]], [true]])('refuses %o in place of options', (given) => {
    expect(() => toRetryPolicy(given as never, 'retry')).toThrow(
      new OptionError('retry', 'must be an object'),
    );
  });
});

describe('retryDelay', () => {
  const policy = { attempts: 10, delay: 1_000, factor: 2, max: 10_000, jitter: 0.2 };

  it.each([
    [1, 800, 1_000, 1_200],
    [2, 1_600, 2_000, 2_399],
    [3, 3_200, 4_000, 4_798],
    [4, 6_400, 8_000, 9_597],
    [5, 8_000, 10_000, 11_996],
    [100, 8_000, 10_000, 11_996],
  ])('is delay * factor^(n-1), capped, with jitter: failure %d', (failure, least, middle, most) => {
    expect(retryDelay(policy, failure, 0)).toBe(least);
    expect(retryDelay(policy, failure, 0.5)).toBe(middle);
    expect(retryDelay(policy, failure, 0.999)).toBe(most);
  });

  it('is fixed with factor 1 and exact without jitter', () => {
    const fixed = { ...policy, factor: 1, jitter: 0 };
    for (const random of [0, 0.5, 0.999]) {
      expect(retryDelay(fixed, 1, random)).toBe(1_000);
      expect(retryDelay(fixed, 9, random)).toBe(1_000);
    }
  });

  it('goes from nothing to double with jitter 1, never below zero', () => {
    const wild = { ...policy, jitter: 1 };
    expect(retryDelay(wild, 1, 0)).toBe(0);
    expect(retryDelay(wild, 1, 0.999)).toBe(1_998);
  });

  it('has no delay to grow when it is 0, and never exceeds what stores can wait', () => {
    expect(retryDelay({ ...policy, delay: 0 }, 50, 0.5)).toBe(0);
    expect(retryDelay({ ...policy, factor: 10 }, 1_000, 0.5)).toBe(10_000);
  });

  it('spreads by itself over the whole range', () => {
    const delays = Array.from({ length: 200 }, () => retryDelay(policy, 1));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(800);
    expect(Math.max(...delays)).toBeLessThanOrEqual(1_200);
    expect(new Set(delays).size).toBeGreaterThan(20);
  });

  it('of the defaults is 1 s, doubling up to 5 min', () => {
    const delays = Array.from({ length: 10 }, (_, n) => retryDelay(DEFAULT_RETRY, n + 1, 0.5));
    expect(delays.map((delay) => delay / 1_000)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
  });
});

describe('a function in place of the delay', () => {
  const policy = { attempts: 10, delay: 1_000, factor: 2, max: 10_000, jitter: 0 };

  it('is for actors alone, beside the other options', () => {
    const delay = () => '2s' as const;
    expect(toActorRetryPolicy({ delay, attempts: 3 }, 'retry')).toStrictEqual({
      attempts: 3,
      backoff: delay,
    });
    expect(toActorRetryPolicy({ delay: '3s' }, 'retry')).toStrictEqual({ delay: 3_000 });
    expect(() => toRetryPolicy({ delay } as never, 'retry')).toThrow(OptionError);
  });

  it('does not keep the other options from being checked', () => {
    const options = { delay: () => 1, attempts: 0 };
    expect(() => toActorRetryPolicy(options, 'retry')).toThrow('retry.attempts must be');
    expect(() => toActorRetryPolicy(null as never, 'retry')).toThrow('retry must be an object');
  });

  it('computes the wait, capped and with jitter', () => {
    expect(retryDelay(policy, 4, 0.5, () => '3s')).toBe(3_000);
    expect(retryDelay(policy, 4, 0.5, () => 0)).toBe(0);
    expect(retryDelay(policy, 1, 0.5, () => '1h')).toBe(10_000);
    expect(retryDelay({ ...policy, jitter: 0.2 }, 1, 0, () => '1h')).toBe(8_000);
  });

  it.each(['soon', -1, NaN, undefined, '400d'])('may not answer %o', (answer) => {
    expect(() => retryDelay(policy, 1, 0.5, () => answer as '1s')).toThrow(OptionError);
  });
});
