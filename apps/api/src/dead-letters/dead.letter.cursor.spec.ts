import { describe, expect, it } from 'vitest';
import { cursorAfter, placeOf } from './dead.letter.cursor.js';

describe('a cursor', () => {
  it('keeps its place', () => {
    const place = { storageId: 'h-12', finishedAt: 7 };
    expect(placeOf(cursorAfter(place))).toEqual(place);
  });

  it.each(['', '!', 'bm90IGpzb24', '////', encode([1]), encode([-1, 'x']), encode([1, 'a\0'])])(
    'is not %o',
    (text) => {
      expect(placeOf(text)).toBeUndefined();
    },
  );
});

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
