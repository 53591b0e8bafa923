import { describe, expect, it } from 'vitest';
import { fingerprintOfDeath, type Death } from './dead.letter.fingerprint.js';

const death = (message: string, more: Partial<Death> = {}): string =>
  fingerprintOfDeath({
    actor: 'bank',
    type: 'bank.pay',
    reason: 'exhausted',
    error: { name: 'Error', message, code: 'E_NO' },
    ...more,
  });

describe('what a message died of', () => {
  it.each([
    ['order 42 not found', 'order 1017 not found'],
    ['no user ada@example.org', 'no user grace@example.com'],
    ["unknown item 'book'", "unknown item 'lamp'"],
    ['GET http://10.0.0.1:80/a failed', 'GET https://example.org/b?c failed'],
    ['job 0f3a-77b2 lost', 'job 9e1c-0012 lost'],
    ['took 1.5s', 'took 22.25s'],
  ])('is the same for %j and %j', (one, two) => {
    expect(death(one)).toBe(death(two));
    expect(death(one)).toMatch(/^[0-9a-f]{12}$/);
  });

  it('differs by what is said, by name, code, reason, type and actor', () => {
    const all = [
      death('not found'),
      death('not allowed'),
      death('not found', { reason: 'rejected' }),
      death('not found', { type: 'bank.refund' }),
      death('not found', { actor: 'shop' }),
      death('not found', { error: { name: 'TypeError', message: 'not found', code: 'E_NO' } }),
      death('not found', { error: { name: 'Error', message: 'not found' } }),
      death('', { error: undefined }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('takes a hostile message in bounded time', () => {
    const started = performance.now();
    for (const part of ["'", '"', '@', 'a1-', 'http', '1 ', '\\']) death(part.repeat(2_000));
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
