import { expect, it } from 'vitest';
import { Repeats } from './repeats.js';

function tell(repeats: Repeats, times: number, now: number, trouble = 'down') {
  return Array.from({ length: times }, () => repeats.tell(trouble, now));
}

it('tells five of the same trouble in ten seconds, then how many more there were', () => {
  const repeats = new Repeats();
  const held = undefined;
  expect(tell(repeats, 8, 1_000)).toEqual([0, 0, 0, 0, 0, held, held, held]);
  expect(tell(repeats, 1, 10_999)).toEqual([held]);
  expect(tell(repeats, 6, 11_000)).toEqual([4, 0, 0, 0, 0, held]);
  expect(tell(repeats, 1, 99_000)).toEqual([1]);
  expect(tell(repeats, 1, 199_000)).toEqual([0]);
});

it('tells other trouble all the same', () => {
  const repeats = new Repeats();
  tell(repeats, 9, 1_000);
  expect(tell(repeats, 1, 1_000, 'other')).toEqual([0]);
});

it('goes on when a clock is set back', () => {
  const repeats = new Repeats();
  tell(repeats, 9, 50_000);
  expect(tell(repeats, 1, 1_000)).toEqual([4]);
});

it('forgets the oldest when there are too many', () => {
  const repeats = new Repeats();
  tell(repeats, 9, 1_000);
  for (let i = 0; i < 1_000; i++) repeats.tell(`trouble ${i}`, 1_000);
  expect(tell(repeats, 1, 1_000)).toEqual([0]);
  expect(tell(repeats, 6, 1_000, 'trouble 999').at(-1)).toBeUndefined();
  // Told anew, it is no longer the oldest.
  tell(repeats, 9, 20_000, 'trouble 1');
  for (let i = 0; i < 500; i++) repeats.tell(`news ${i}`, 20_000);
  expect(tell(repeats, 1, 20_000, 'trouble 1')).toEqual([undefined]);
});
