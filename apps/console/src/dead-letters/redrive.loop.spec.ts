import { describe, expect, it } from 'vitest';
import { redriveCounted } from './redrive.loop.js';

/** Letters that are redriven, as many of them as are there. */
function store(letters: number, onCall: () => void = () => undefined) {
  const limits: number[] = [];
  const call = (limit: number) => {
    limits.push(limit);
    onCall();
    const count = Math.min(limit, letters);
    letters -= count;
    return Promise.resolve({ count, more: letters > 0 });
  };
  return { call, limits };
}

function watching() {
  const seen: number[] = [];
  const watch = { stopped: false, progress: (done: number) => void seen.push(done) };
  return { watch, seen };
}

describe('redriving what was counted', () => {
  it('takes several calls, and tells how far it is', async () => {
    const { call, limits } = store(250);
    const { watch, seen } = watching();
    expect(await redriveCounted(call, 250, watch)).toBe('250 redriven.');
    expect(limits).toEqual([100, 100, 50]);
    expect(seen).toEqual([100, 200, 250]);
  });

  it('ends with the count, however many have died meanwhile', async () => {
    const { call, limits } = store(1_000_000);
    expect(await redriveCounted(call, 150, watching().watch)).toBe('150 redriven.');
    expect(limits).toEqual([100, 50]);
  });

  it('stops between two calls when somebody wants it', async () => {
    const { watch } = watching();
    const { call, limits } = store(500, () => {
      watch.stopped = true;
    });
    expect(await redriveCounted(call, 500, watch)).toBe('100 redriven; stopped, 400 are left.');
    expect(limits).toHaveLength(1);
  });

  it('says how many others have redriven before', async () => {
    const { call } = store(30);
    expect(await redriveCounted(call, 50, watching().watch)).toBe(
      '30 redriven; the other 20 were gone.',
    );
  });
});
