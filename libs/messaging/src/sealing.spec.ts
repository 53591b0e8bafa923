import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Message } from './message.js';
import { OptionError } from './messaging.errors.js';
import { seal, type TellOptions } from './sealing.js';
import { testTurn } from './testing/test.turn.js';

class Pay extends Message('bank.pay', z.object({ account: z.number(), on: z.date().optional() }), {
  key: 'account',
}) {}

const NOW = 1_000_000;
const pay = () => new Pay({ account: 7 });
const sealed = (options: TellOptions = {}) => seal(pay(), options, { now: NOW }, '');
const inTurn = (options: TellOptions = {}, turn = testTurn({ id: 't-1' })) =>
  seal(pay(), options, { now: NOW, turn }, '');

describe('an envelope', () => {
  it('names the key, as text', () => {
    expect(sealed().key).toBe('7');
  });

  it('carries the types of what JSON has not', () => {
    const { data, types } = seal(new Pay({ account: 7, on: new Date(0) }), {}, { now: NOW }, '');
    expect(data).toEqual({ account: 7, on: '1970-01-01T00:00:00.000Z' });
    expect(types).toBeDefined();
    expect(sealed()).not.toHaveProperty('types');
  });

  it('sent outside of a turn belongs to no chain', () => {
    expect(sealed()).not.toHaveProperty('correlationId');
    expect(sealed()).not.toHaveProperty('causationId');
    expect(sealed()).not.toHaveProperty('tenant');
  });

  it('sent in a turn belongs to its chain and names the message it comes from', () => {
    const turn = testTurn({ id: 't-1', correlationId: 'first' });
    expect(inTurn({}, turn)).toMatchObject({ correlationId: 'first', causationId: 't-1' });
  });
});

describe('the tenant', () => {
  it('is that of the turn, unless another one is given', () => {
    const turn = testTurn({ tenant: 'acme' });
    expect(inTurn({}, turn).tenant).toBe('acme');
    expect(inTurn({ tenant: 'other' }, turn).tenant).toBe('other');
    expect(inTurn().tenant).toBeUndefined();
    expect(sealed({ tenant: 'acme' }).tenant).toBe('acme');
  });

  it.each(['', 'x'.repeat(201), null, 5, '\uD800'])('is not %o', (tenant) => {
    expect(() => sealed({ tenant: tenant as string })).toThrow(
      new OptionError('tenant', 'must be a string of 1 to 200 characters'),
    );
  });
});

describe('replace', () => {
  it('needs the id of what is to be moved', () => {
    expect(sealed({ id: 'timer', replace: true, delay: '1h' })).toMatchObject({
      id: 'timer',
      replace: true,
      dueAt: NOW + 3_600_000,
    });
    expect(() => sealed({ replace: true })).toThrow(
      new OptionError('replace', 'needs the id of what is to be replaced'),
    );
  });

  it('that is false is none', () => {
    expect(sealed({ replace: false })).not.toHaveProperty('replace');
    expect(sealed({ id: 'x', replace: false })).not.toHaveProperty('replace');
  });

  it('does not make the body another one', () => {
    expect(sealed({ id: 'x', replace: true }).fingerprint).toBe(sealed({ id: 'x' }).fingerprint);
  });
});

describe('the fingerprint', () => {
  const print = (options: TellOptions, message = pay()): string | undefined =>
    seal(message, { id: 'x', ...options }, { now: NOW }, '').fingerprint;

  it('is there when the sender chose the id', () => {
    expect(sealed().fingerprint).toBeUndefined();
    expect(print({})).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is the same at another time, from another turn and with other headers', () => {
    const later = seal(pay(), { id: 'x', delay: '1m' }, { now: NOW + 5 }, '').fingerprint;
    expect(later).toBe(print({ delay: 60_000 }));
    expect(print({ headers: { trace: '1' } })).toBe(print({}));
    expect(inTurn({ id: 'x' }).fingerprint).toBe(print({}));
  });

  it.each<[string, TellOptions]>([
    ['delay', { delay: '1m' }],
    ['time', { at: new Date(NOW + 60_000) }],
    ['ttl', { ttl: '1m' }],
    ['priority', { priority: 'high' }],
    ['retry', { retry: { attempts: 2 } }],
  ])('is another one with another %s', (_, options) => {
    expect(print(options)).not.toBe(print({}));
  });

  it('tells a Date from its text', () => {
    class Loose extends Message('bank.loose', z.object({ on: z.unknown() })) {}
    const on = new Date(0);
    const one = print({}, new Loose({ on }) as never);
    expect(one).not.toBe(print({}, new Loose({ on: on.toISOString() }) as never));
  });
});
