import { describe, expect, it } from 'vitest';
import { atEnd, cleanUp } from './cleanup.js';

describe('what a test leaves behind', () => {
  it('is ended last first, each once, whatever fails', async () => {
    const done: string[] = [];
    atEnd(() => done.push('first'));
    atEnd(() => {
      throw new Error('broken');
    });
    atEnd(async () => done.push('last'));
    await expect(cleanUp()).rejects.toThrow('cleaning up after the tests failed');
    expect(done).toEqual(['last', 'first']);
    await cleanUp();
    expect(done).toHaveLength(2);
  });
});
