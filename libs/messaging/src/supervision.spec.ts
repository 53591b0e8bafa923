import { describe, expect, it } from 'vitest';
import {
  LockLostError,
  OptionError,
  PauseError,
  QuarantineError,
  RejectError,
  RetryLaterError,
} from './messaging.errors.js';
import { directiveFor, toSupervision, type Supervision } from './supervision.js';

class NoFunds extends RejectError {}
class BankDown extends Error {}
class BankGone extends BankDown {}
abstract class Trouble extends Error {}
class SomeTrouble extends Trouble {}

describe('what an error means', () => {
  it.each<[string, unknown, string]>([
    ['an error of its own', new Error('x'), 'retry'],
    ['what is no error', 'x', 'retry'],
    ['nothing', undefined, 'retry'],
    ['RetryLaterError', new RetryLaterError('x', { after: 1 }), 'retry'],
    ['LockLostError', new LockLostError(), 'retry'],
    ['RejectError', new RejectError('x'), 'reject'],
    ['a class made from RejectError', new NoFunds('x'), 'reject'],
    ['QuarantineError', new QuarantineError('x'), 'quarantine'],
    ['PauseError', new PauseError('x'), 'pause'],
  ])('%s, without pairs', (_, error, directive) => {
    expect(directiveFor(error, [])).toBe(directive);
  });

  it('is what the first pair says whose class it is an instance of', () => {
    const pairs: Supervision = [
      [BankGone, 'quarantine'],
      [BankDown, 'pause'],
      [Trouble, 'reject'],
      [Error, 'retry'],
      [TypeError, 'reject'],
    ];
    expect(directiveFor(new BankGone(), pairs)).toBe('quarantine');
    expect(directiveFor(new BankDown(), pairs)).toBe('pause');
    expect(directiveFor(new SomeTrouble(), pairs)).toBe('reject');
    expect(directiveFor(new TypeError(), pairs)).toBe('retry');
  });

  it('may differ from what is built in', () => {
    expect(directiveFor(new NoFunds('x'), [[NoFunds, 'retry']])).toBe('retry');
    expect(directiveFor(new RejectError('x'), [[NoFunds, 'retry']])).toBe('reject');
  });
});

describe('pairs are checked', () => {
  it('and taken as they are', () => {
    const pairs: Supervision = [[BankDown, 'pause']];
    expect(toSupervision(pairs, 'on')).toBe(pairs);
    expect(toSupervision([], 'on')).toEqual([]);
  });

  it.each<[unknown, string, string]>([
    ['x', 'on', 'must be a list of [ErrorClass, directive]'],
    [{}, 'on', 'must be a list of [ErrorClass, directive]'],
    [[[BankDown, 'pause'], BankDown], 'on.1', 'must begin with an error class'],
    [[['BankDown', 'pause']], 'on.0', 'must begin with an error class'],
    [[[() => true, 'pause']], 'on.0', 'must begin with an error class'],
    [[[class Plain {}, 'pause']], 'on.0', 'must begin with an error class'],
    [
      [[BankDown]],
      'on.0',
      `must end with one of retry, reject, quarantine, pause, got 'undefined'`,
    ],
    [
      [[BankDown, 'stop']],
      'on.0',
      `must end with one of retry, reject, quarantine, pause, got 'stop'`,
    ],
  ])('%o is refused', (pairs, path, problem) => {
    expect(() => toSupervision(pairs as Supervision, 'on')).toThrow(new OptionError(path, problem));
  });
});

describe('RetryLaterError.fromRetryAfter', () => {
  const NOW = Date.parse('2026-03-01T10:00:00Z');

  it.each<[string, number]>([
    ['120', 120_000],
    [' 0 ', 0],
    ['Sun, 01 Mar 2026 10:02:00 GMT', 120_000],
    ['Sun, 01 Mar 2026 09:00:00 GMT', 0],
    ['999999999', 365 * 86_400_000],
  ])('reads %j', (header, wait) => {
    expect(RetryLaterError.fromRetryAfter('busy', header, { now: NOW })?.options.after).toBe(wait);
  });

  it('waits no longer than it may', () => {
    const later = RetryLaterError.fromRetryAfter('busy', '120', { most: 60_000 });
    expect(later?.options.after).toBe(60_000);
  });

  it.each([undefined, null, '', 'soon', '-5', '1.5', '1e99999', '12345678901234'])(
    'leaves %j to the policy',
    (header) => {
      expect(RetryLaterError.fromRetryAfter('busy', header, { now: NOW })).toBeUndefined();
    },
  );
});
