import { expect, it } from 'vitest';
import { each } from './each.js';

it('goes on behind a call that fails, and says which did', async () => {
  const called: string[] = [];
  const call = async (id: string) => {
    called.push(id);
    if (id === 'b') throw new Error('is gone');
  };
  await expect(each(['a', 'b', 'c'], call)).rejects.toThrow('2 of 3 done\nb: is gone');
  expect(called).toEqual(['a', 'b', 'c']);
  await expect(each(['a'], call)).resolves.toBeUndefined();
});
