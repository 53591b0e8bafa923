import type { MessageRecord } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import { cursorAfter, offsetOf, placeOf } from './dead.letter.cursor.js';

/** Dead letters by id, newest first, with the time each died at. */
function letters(...all: [id: string, finishedAt: number][]): MessageRecord[] {
  return all.map(([id, finishedAt]) => ({ envelope: { id }, finishedAt }) as MessageRecord);
}

async function find(place: [number, number, string], all: MessageRecord[]): Promise<number> {
  return offsetOf(place, async ({ offset, limit }) => all.slice(offset, offset + limit));
}

describe('a cursor', () => {
  it('keeps its place', () => {
    const [last] = letters(['ü/%', 7]);
    expect(placeOf(cursorAfter(3, last!))).toEqual([3, 7, 'ü/%']);
  });

  it.each(['', '!', 'bm90IGpzb24', '////'])('is not %o', (text) => {
    expect(placeOf(text)).toBeUndefined();
  });
});

describe('the place to go on', () => {
  const many = letters(
    ...Array.from({ length: 350 }, (_, i): [string, number] => [`n${i}`, 9_000 - i]),
  );

  it.each([
    ['nothing changed', letters(['c', 3], ['b', 2], ['a', 1]), 2],
    ['new ones came', letters(['d', 4], ['c', 3], ['b', 2], ['a', 1]), 3],
    ['one before is gone', letters(['b', 2], ['a', 1]), 1],
    ['the last itself is gone', letters(['c', 3], ['a', 1]), 1],
    ['all before are gone', letters(['a', 1]), 0],
    ['all are gone', [], 0],
    ['only newer ones are left', letters(['d', 4]), 1],
    ['the last is gone and another died with it', letters(['c', 3], ['x', 2], ['a', 1]), 1],
    ['many came', [...many, ...letters(['b', 2], ['a', 1])], 351],
    ['many came and the last is gone', [...many, ...letters(['a', 1])], 350],
  ])('when %s', async (_, all, offset) => {
    expect(await find([2, 2, 'b'], all)).toBe(offset);
  });
});
