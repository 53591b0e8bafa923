import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ActorState } from './actor.state.js';
import { InvalidStateError, OptionError } from './messaging.errors.js';

const Account = z.object({
  balance: z.number().min(0).default(0),
  seen: z.date().optional(),
  names: z.array(z.string()).default([]),
});
type Account = z.infer<typeof Account>;

const account = new ActorState('account', Account);
const load = (stored?: Parameters<ActorState['load']>[0]) => account.load(stored) as Account;

describe('the state of a new key', () => {
  it('is what the schema makes of nothing', () => {
    expect(load(undefined)).toEqual({ balance: 0, names: [] });
  });

  it('is its own: a default is not shared with other keys', () => {
    interface Book {
      book: { names: string[] };
    }
    const names = z.array(z.string());
    const shared = z.object({ book: z.object({ names }).default({ names: [] }) });
    const state = new ActorState('account', shared);
    (state.load(undefined) as Book).book.names.push('ada');
    expect(state.load(undefined)).toEqual({ book: { names: [] } });
    // Nor is one that an older state is filled up with.
    const old = { revision: 1, version: 1, data: {} };
    (state.load(old) as Book).book.names.push('ada');
    expect(state.load(old)).toEqual({ book: { names: [] } });
  });

  it('must exist', () => {
    expect(() => new ActorState('account', z.object({ balance: z.number() }))).toThrow(
      InvalidStateError,
    );
  });

  it('must be one that can be stored', () => {
    const odd = z.object({ run: z.function().default(() => () => undefined) });
    expect(() => new ActorState('account', odd)).toThrow(InvalidStateError);
  });

  it('must be made synchronously, and what the promise says then hurts nobody', () => {
    const standard = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: () => Promise.reject<{ value: unknown }>(new Error('late')),
      },
    };
    expect(() => new ActorState('account', standard)).toThrow(
      new OptionError('@Actor account state', 'must validate synchronously'),
    );
  });
});

describe('the state that a turn leaves', () => {
  it('is what the next turn gets, Dates too', () => {
    const left = { balance: 5, names: ['ada'], seen: new Date(1_000) };
    const stored = account.seal(left, undefined);
    expect(stored).toMatchObject({ revision: 0, version: 1, data: { balance: 5 } });
    expect(load(stored)).toEqual(left);
  });

  it('says which revision it was made from', () => {
    const stored = account.seal({ balance: 5, names: [] }, undefined);
    const before = { ...stored!, revision: 7 };
    expect(account.seal({ balance: 6, names: [] }, before)).toMatchObject({ revision: 7 });
  });

  it('is nothing when it is as it was', () => {
    const given = { balance: 5, names: ['ada'], seen: new Date(1_000) };
    const before = { ...account.seal(given, undefined)!, revision: 1 };
    const state = load(before);
    expect(account.seal(state, before)).toBeUndefined();
    state.seen = new Date(1_001);
    expect(account.seal(state, before)).toBeDefined();
    // The same JSON, and another type.
    const text = { balance: 5, names: ['ada'], seen: new Date(1_000).toISOString() };
    const loose = new ActorState('account', z.looseObject({}));
    expect(loose.seal(text, before)).toBeDefined();
  });

  it.each<[string, unknown, string]>([
    ['does not satisfy the schema', { balance: -1, names: [] }, 'balance'],
    ['cannot be stored', { balance: 1, names: [], run: () => 1 }, 'run'],
    ['holds a wrong thing deeper down', { balance: 1, names: [5] }, 'names/0'],
  ])('is refused when it %s', (_, state, path) => {
    expect(() => account.seal(state, undefined)).toThrow(
      expect.objectContaining({
        name: 'InvalidStateError',
        actor: 'account',
        violations: [expect.objectContaining({ path })],
      }),
    );
  });
});

describe('a stored state that does not fit the schema any more', () => {
  it('is an error, not another state', () => {
    expect(() => load({ revision: 1, version: 1, data: { balance: 'much' } })).toThrow(
      InvalidStateError,
    );
  });
});
