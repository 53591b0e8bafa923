import { describe, expect, it } from 'vitest';
import { ReleaseWatch, prevails } from './release.js';

const releases = [
  { id: 'one', seenAt: 0 },
  { id: 'two', seenAt: 100_000 },
];

describe('a release of which a process starts', () => {
  it.each([
    ['one', { releases: [] }, 0, true],
    ['two', { current: 'two', releases }, 100_000, true],
    ['three', { current: 'two', releases }, 100_000, true],
    ['one', { current: 'two', releases }, 130_000, false],
    ['one', { current: 'two', releases }, 130_001, true],
    ['one', { current: 'unseen', releases }, 100_000, false],
  ])('%s: %j at %i: %s', (id, standing, now, expected) => {
    expect(prevails(id, standing, now)).toBe(expected);
  });
});

describe('the release in force', () => {
  it('is gone when it was never seen', () => {
    const watch = new ReleaseWatch();
    const look = () => watch.isGone('a', { current: 'unseen', releases }, 100_000);
    expect([look(), look()]).toEqual([false, true]);
  });

  it('is gone when it is missed twice, each time anew, and for each actor apart', () => {
    const watch = new ReleaseWatch();
    const look = (now: number, actor = 'a') =>
      watch.isGone(actor, { current: 'two', releases }, now);
    expect([look(130_000), look(138_000), look(138_000, 'b')]).toEqual([false, false, false]);
    expect(look(146_000)).toBe(true);
    expect(look(154_000)).toBe(true);
    // It was heard of in between.
    expect([look(120_000), look(162_000), look(170_000)]).toEqual([false, false, true]);
  });
});
