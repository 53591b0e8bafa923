import { describe, expect, it, vi } from 'vitest';
import { Stop } from './stop.js';

const reason = new Error('the process stops');

describe('a turn that is told to stop', () => {
  it('is told once, whoever asked for its signal before or asks afterwards', () => {
    const stop = new Stop();
    const before = stop.signal;
    const heard = vi.fn<() => void>();
    before.addEventListener('abort', heard);
    expect([stop.aborted, stop.reason, before.aborted]).toEqual([false, undefined, false]);
    stop.abort(reason);
    stop.abort(new Error('another reason'));
    expect([stop.aborted, stop.reason, before.reason]).toEqual([true, reason, reason]);
    expect(heard).toHaveBeenCalledTimes(1);
    expect(stop.signal).toBe(before);
  });

  it('has a signal that is aborted if nobody asked for one until then', () => {
    const stop = new Stop();
    stop.abort(reason);
    expect(stop.signal.aborted).toBe(true);
    expect(stop.signal.reason).toBe(reason);
  });

  it('is heard by the last that listens, before its signal aborts, and by nobody who ended that', () => {
    const order: string[] = [];
    const stop = new Stop();
    stop.signal.addEventListener('abort', () => order.push('signal'));
    stop.listen(() => order.push('first'));
    stop.listen(() => order.push('last'));
    stop.abort(reason);
    expect(order).toEqual(['last', 'signal']);

    const left = new Stop();
    left.listen(() => order.push('left'));
    left.listen();
    left.abort(reason);
    expect(order).toEqual(['last', 'signal']);
  });
});
