import { describe, expect, it } from 'vitest';
import { StoreError } from '../../messaging.errors.js';
import { BULLMQ_VERSION, composeScript, verifyBullmqVersion } from './bullmq.package.js';
import { BURY } from './redis.end.scripts.js';
import { REDRIVE, SEND } from './redis.scripts.js';

describe('the BullMQ installed', () => {
  it('is the one that was proved', () => {
    expect(() => verifyBullmqVersion()).not.toThrow();
    expect(BULLMQ_VERSION).toBe('6.7.0');
  });

  it('has the scripts that ours are made of', () => {
    for (const script of [SEND(), BURY(''), REDRIVE()])
      expect(script).toMatch(/^local keyCount = \{ \w+ = \d+/);
    expect(SEND()).toMatch(/^local .* addPrioritizedJob = \d+, addDelayedJob = \d+, /);
  });

  it('reads none of the keys that are not made for it', () => {
    const script = composeScript(['moveToFinished'], '');
    // The first is only handed on, as a parameter that nobody reads; the second is for metrics.
    expect(script.match(/KEYS\[(8|13)\]/g)).toEqual([
      ...['KEYS[8]', 'KEYS[13]', 'KEYS[8]', 'KEYS[13]', 'KEYS[13]'],
    ]);
    expect(script.match(/.*pausedKey.*/g)?.filter((line) => line.includes('rcall'))).toEqual([]);
  });
});

describe('composeScript', () => {
  it('puts scripts of BullMQ before the main one', () => {
    const script = composeScript(['promote'], 'return promote(KEYS, ARGV)');
    expect(script).toMatch(
      /^local keyCount = \{ promote = \d+ \}\nlocal function promote\(KEYS, ARGV\)\n[^]+\nend\nreturn promote\(KEYS, ARGV\)$/,
    );
  });

  it('puts something else in place of pieces of them', () => {
    const changes = [['rcall("ZREM", KEYS[1], jobId) == 1', 'true']] as const;
    const script = composeScript([{ name: 'promote', changes }], '');
    expect(script).toContain('if true then');
    expect(script).not.toContain('rcall("ZREM", KEYS[1], jobId)');
  });

  it.each(['no such piece', 'rcall'])('refuses a piece that is not there once: %s', (piece) => {
    const altered = { name: 'promote', changes: [[piece, '']] as const };
    expect(() => composeScript([altered], '')).toThrow(
      new StoreError(`bullmq 6.7.0 does not have '${piece}' once in 'promote'`),
    );
  });

  it.each(['noSuchScript', 'constructorX', ''])('names a script that is not there: %j', (name) => {
    expect(() => composeScript(['promote', name], '')).toThrow(
      new StoreError(`bullmq 6.7.0 has no script '${name}'`),
    );
  });
});
