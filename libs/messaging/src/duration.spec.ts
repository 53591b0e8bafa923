import { describe, expect, it } from 'vitest';
import { MAX_DURATION, toMilliseconds, type Duration } from './duration.js';
import { OptionError } from './messaging.errors.js';

const DAY = 86_400_000;

describe('toMilliseconds', () => {
  it.each<[Duration, number]>([
    [0, 0],
    [1, 1],
    [1_500, 1_500],
    [0.4, 0],
    [0.5, 1],
    ['0s', 0],
    ['250ms', 250],
    ['10s', 10_000],
    ['1.5s', 1_500],
    ['0.0004s', 0],
    ['5m', 300_000],
    ['24h', DAY],
    ['90d', 90 * DAY],
    ['365d', MAX_DURATION],
    [MAX_DURATION, MAX_DURATION],
  ])('reads %j as %d', (given, expected) => {
    expect(toMilliseconds(given, 'delay')).toBe(expected);
  });

  it.each<[unknown, string]>([
    [-1, '-1'],
    [-0.4, '-0.4'],
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    ['', '""'],
    ['10', '"10"'],
    ['s', '"s"'],
    ['-1s', '"-1s"'],
    ['+1s', '"+1s"'],
    ['1e3s', '"1e3s"'],
    ['.5s', '".5s"'],
    ['1.s', '"1.s"'],
    ['1 s', '"1 s"'],
    [' 1s', '" 1s"'],
    ['1s\n', String.raw`"1s\n"`],
    ['1S', '"1S"'],
    ['1w', '"1w"'],
    ['1y', '"1y"'],
    ['1h30m', '"1h30m"'],
    ['١s', '"١s"'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'boolean'],
    [{}, 'object'],
    [['1s'], 'object'],
    [new Date(), 'object'],
    [10n, 'bigint'],
    [Symbol('x'), 'symbol'],
    [() => 1, 'function'],
  ])('refuses %o', (given, shown) => {
    expect(() => toMilliseconds(given as Duration, 'retry.delay')).toThrow(
      new OptionError(
        'retry.delay',
        `must be milliseconds or a string such as '10s', got ${shown}`,
      ),
    );
  });

  it.each<Duration>([MAX_DURATION + 1, '366d', '8761h', '99999999999999999999d', 1e300])(
    'refuses %j: more than a year',
    (given) => {
      expect(() => toMilliseconds(given, 'ttl')).toThrow(
        new OptionError('ttl', 'must be at most 365d'),
      );
    },
  );

  it('refuses a cyclic object like any other', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(() => toMilliseconds(cycle as never, 'delay')).toThrow(OptionError);
  });

  it('does not repeat a long text, nor take long to refuse it', () => {
    const start = performance.now();
    const long = `${'9'.repeat(1_000_000)}x`;
    expect(() => toMilliseconds(long as Duration, 'delay')).toThrow(
      new OptionError(
        'delay',
        `must be milliseconds or a string such as '10s', got "${'9'.repeat(32)}…"`,
      ),
    );
    expect(performance.now() - start).toBeLessThan(100);
  });
});
