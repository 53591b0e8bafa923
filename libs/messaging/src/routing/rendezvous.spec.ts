import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rendezvous } from './rendezvous.js';

const KEYS = Array.from({ length: 10_000 }, (_, index) => `key-${index}`);
const names = (count: number) => Array.from({ length: count }, (_, index) => `mail-${index}`);

describe('rendezvous', () => {
  it('gives the only name every key', () => {
    expect(KEYS.every((key) => rendezvous(['mail'], key) === 'mail')).toBe(true);
  });

  it('does not change', () => {
    // Written down: processes of different versions must agree.
    expect(
      KEYS.slice(0, 12)
        .map((key) => rendezvous(['a', 'b', 'c'], key))
        .join(''),
    ).toBe('abbcaaaaccca');
  });

  it('does not look at the order of the names', () => {
    const several = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(several, fc.string(), (all, key) => {
        const chosen = rendezvous(all, key);
        expect(all).toContain(chosen);
        expect(rendezvous(all.toReversed(), key)).toBe(chosen);
      }),
    );
  });

  it.each([2, 3, 5, 10, 20])('spreads keys evenly over %d names', (count) => {
    const counts = new Map<string, number>();
    for (const key of KEYS) {
      const name = rendezvous(names(count), key);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const fair = KEYS.length / count;
    expect(counts.size).toBe(count);
    for (const got of counts.values()) {
      // Five standard deviations.
      expect(Math.abs(got - fair)).toBeLessThan(5 * Math.sqrt(fair));
    }
  });

  it.each([1, 2, 5, 10])(
    'moves one key in n to a name that is added to %d, and no other',
    (count) => {
      const before = names(count);
      const after = [...before, 'new'];
      const moved = KEYS.filter((key) => rendezvous(before, key) !== rendezvous(after, key));
      expect(moved.every((key) => rendezvous(after, key) === 'new')).toBe(true);
      const fair = KEYS.length / after.length;
      expect(Math.abs(moved.length - fair)).toBeLessThan(5 * Math.sqrt(fair));
    },
  );
});
