import { describe, expect, it } from 'vitest';
import { KnownInForce, ReleaseWatch, prevails } from './release.js';

const releases = [
  { id: 'one', seenAt: 0 },
  { id: 'two', seenAt: 100_000 },
];

describe('a release of which a process starts', () => {
  it.each([
    ['one', { releases: [] }, true],
    ['two', { current: 'two', releases }, true],
    ['three', { current: 'two', releases }, true],
    ['one', { current: 'two', releases }, false],
    ['one', { current: 'unseen', releases }, false],
  ])('%s: %j: %s', (id, standing, expected) => {
    expect(prevails(id, standing)).toBe(expected);
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

  it('is not gone because the one before it was missed', () => {
    const watch = new ReleaseWatch();
    const look = (current: string) => watch.isGone('a', { current, releases }, 140_000);
    expect([look('one'), look('two'), look('one'), look('one')]).toEqual([
      ...[false, false, false],
      true,
    ]);
  });
});

describe('what is known to be in force', () => {
  it('is what the store says, but not one that it had before, or none', () => {
    const known = new KnownInForce();
    const [one, two] = [
      { release: 'one', revision: 2 },
      { release: 'two', revision: 4 },
    ];
    expect(known.hear('a', undefined)).toBeUndefined();
    expect(known.hear('a', one)).toEqual(one);
    expect(known.hear('a', two)).toEqual(two);
    expect(known.hear('a', one)).toEqual(two);
    expect(known.hear('a', undefined)).toEqual(two);
    expect(known.hear('b', one)).toEqual(one);
    const again = { release: 'two', revision: 1 };
    expect(known.hear('a', again)).toEqual(again);
    expect(known.hear('a', one)).toEqual(one);
    known.forget('a');
    expect(known.hear('a', undefined)).toBeUndefined();
  });
});
