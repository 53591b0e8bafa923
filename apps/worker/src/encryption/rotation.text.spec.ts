import type { RotationReport } from '@callsheet/messaging';
import { expect, it } from 'vitest';
import { isRotated, rotationText } from './rotation.text.js';

const nothing: RotationReport = {
  ...{ actor: 'a', rotated: 0, rewritten: 0, states: 0, rows: 0, waiting: 0, ended: 0, dead: 0 },
  isPartial: false,
};

it('a rotation is a line for each actor with something done or left, and whether old keys may go', () => {
  const rotated = { ...nothing, actor: 'b', rotated: 3 };
  expect([nothing, rotated].map(isRotated)).toEqual([true, true]);
  const letters = { ...nothing, actor: 'd', rewritten: 4 };
  expect(rotationText([nothing, rotated, letters])).toBe(
    'b: 3 states rotated\nd: 0 states and 4 dead letters rotated\neverything is encrypted with the first key: the others may go\n',
  );
  const left = { ...nothing, actor: 'c', states: 1, waiting: undefined, dead: 2, isPartial: true };
  expect(isRotated(left)).toBe(false);
  expect(rotationText([rotated, left])).toMatch(
    /^b: 3 states rotated\nc: 0 states rotated; left: at least 1 states, 2 dead letters\n.*keep the others/,
  );
});
