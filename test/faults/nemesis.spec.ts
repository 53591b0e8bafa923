import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../support/temp.js';
import { Ledger, progressOf, readLedger } from './ledger.js';
import { Nemesis } from './nemesis.js';

describe('Nemesis', () => {
  const chosen = (seed: number): number[] => {
    const nemesis = new Nemesis(new Ledger(tempDir()), seed);
    return Array.from({ length: 50 }, () => nemesis.between(0, 9));
  };

  it('chooses the same for the same seed, another for another, and everything that it may', () => {
    expect(chosen(7)).toEqual(chosen(7));
    expect(chosen(7)).not.toEqual(chosen(8));
    expect(new Set([...chosen(1), ...chosen(2)]).size).toBe(10);
  });

  it('writes down what really happened, with its victim and its time', async () => {
    const dir = tempDir();
    const nemesis = new Nemesis(new Ledger(dir), 1);
    await nemesis.harm('pause', () => new Promise((resolve) => setTimeout(resolve, 5)), 77);
    await expect(
      nemesis.harm('not there', () => Promise.reject(new Error('no such process'))),
    ).rejects.toThrow('no such process');
    const [fault, ...others] = readLedger(dir);
    expect(fault).toMatchObject({ kind: 'fault', name: 'pause', victim: 77, pid: process.pid });
    expect(fault).toHaveProperty('until', expect.any(Number));
    expect(others).toEqual([]);
  });
});

describe('Ledger', () => {
  it('reads the whole lines of all processes, in order of time', () => {
    const dir = tempDir();
    const ledger = new Ledger(dir);
    ledger.write({ kind: 'acked', id: 'second' }, 2);
    ledger.write({ kind: 'acked', id: 'first' }, 1);
    appendFileSync(path.join(dir, '1.jsonl'), '{"t":3,"kind":"acked","id":"third"}\n{"t":4,"ki');
    expect(readLedger(dir).map((event) => 'id' in event && event.id)).toEqual([
      'first',
      'second',
      'third',
    ]);
    expect([progressOf(dir, process.pid), progressOf(dir, 1), progressOf(dir, 2)]).toEqual([
      2, 1, 0,
    ]);
  });
});
