import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FINISH_KEYS, FinishArguments, type Taking } from './redis.finish.js';

const KEEP = { age: 60_000, count: 9 };
const KEYS = Array.from({ length: FINISH_KEYS }, (_, at) => `key ${at}`);

describe('the arguments of an end', () => {
  let now: number;
  let taking: Taking;
  let finishes: FinishArguments;
  beforeEach(() => {
    now = 1_000;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    taking = { lockDuration: 30_000 };
    const made = ['', 0, 'returnvalue', 'null', 'completed', 0, 'queue:', 'packed'];
    finishes = new FinishArguments(
      (fields) => [...KEYS, ...made, fields && JSON.stringify(fields)],
      () => taking,
    );
  });
  afterEach(() => void vi.restoreAllMocks());

  const argsOf = (...args: Parameters<FinishArguments['of']>) => {
    const all = finishes.of(...args);
    expect(all.slice(0, FINISH_KEYS)).toEqual(KEYS);
    return all.slice(FINISH_KEYS);
  };
  const wakesAt = (time: number): boolean => {
    now = time;
    return argsOf('a', 'null', true)[5] === 2;
  };

  it('are those of the message, whatever came before it', () => {
    argsOf('before', '{"not":"this"}', true);
    expect(argsOf('a', '{"n":1}', false)).toEqual([
      ...['a', 0, 'returnvalue', '{"n":1}', 'completed', 0, 'queue:', 30_000],
      undefined,
    ]);
  });

  it('have what changes of one message, and not for the next', () => {
    expect(argsOf('a', 'null', false, { progress: '1' })[8]).toBe('{"progress":"1"}');
    expect(argsOf('b', 'null', false)[8]).toBeUndefined();
  });

  it('wake another worker with the next message, at most each 50 ms', () => {
    expect([1_000, 1_001, 1_049, 1_050, 1_051, 9_000].map(wakesAt)).toEqual([
      ...[true, false, false],
      ...[true, false, true],
    ]);
  });

  it('wake nobody without a next message, and that does not count', () => {
    expect(argsOf('a', 'null', false)[5]).toBe(0);
    expect(wakesAt(1_000)).toBe(true);
  });

  it('look at what is kept every seventeenth time', () => {
    const all = Array.from({ length: 35 }, () => finishes.bounds(KEEP));
    const looks = all.flatMap((text, at) => (text === '' ? [] : [at]));
    expect(looks).toEqual([0, 17, 34]);
    expect(JSON.parse(all[17]!)).toEqual({ keepJobs: { age: 60, count: 9 } });
  });

  it.each([{ age: 0 }, { count: 0 }])('look each time where none is kept: %j', (none) => {
    const keep = { ...KEEP, ...none };
    expect(finishes.bounds(keep)).not.toBe('');
    expect(finishes.bounds(keep)).toBe(finishes.bounds(keep));
  });

  it('have the limit of the worker each time', () => {
    const limiter = { max: 3, duration: 1_000 };
    taking = { ...taking, limiter };
    finishes.bounds(KEEP);
    expect(JSON.parse(finishes.bounds(KEEP))).toEqual({ limiter });
  });
});
