import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ActorState } from './actor.state.js';
import type { Carried } from './codec.js';
import {
  InvalidStateError,
  NewerVersionError,
  OptionError,
  StateTooLargeError,
} from './messaging.errors.js';

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
    const stored = account.seal(left, undefined, 'a-1');
    expect(stored).toMatchObject({ revision: 0, version: 1, data: { balance: 5 } });
    expect(load(stored)).toEqual(left);
  });

  it('says which revision it was made from', () => {
    const stored = account.seal({ balance: 5, names: [] }, undefined, 'a-1');
    const before = { ...stored!, revision: 7 };
    expect(account.seal({ balance: 6, names: [] }, before, 'a-1')).toMatchObject({ revision: 7 });
  });

  it('says what of it is secret, and is stored anew when that is another', () => {
    const schema = z.object({ pin: z.string().default('') });
    const of = (secret?: string[]) =>
      new ActorState('vault', { schema, ...(secret && { secret }) });
    const stored = of(['pin']).seal({ pin: '1234' }, undefined, 'a')!;
    expect(stored).toMatchObject({ data: { pin: '1234' }, secret: ['pin'] });
    expect(of(['pin']).seal({ pin: '1234' }, stored, 'a')).toBeUndefined();
    const open = of().seal({ pin: '1234' }, stored, 'a');
    expect(open).not.toHaveProperty('secret');
    expect(of(['pin']).seal({ pin: '1234' }, open, 'a')).toMatchObject({ secret: ['pin'] });
    expect(() => of([7 as never])).toThrow('state secret must be a list of names of fields');
  });

  it('is nothing when it is as it was', () => {
    const given = { balance: 5, names: ['ada'], seen: new Date(1_000) };
    const before = { ...account.seal(given, undefined, 'a-1')!, revision: 1 };
    const state = load(before);
    expect(account.seal(state, before, 'a-1')).toBeUndefined();
    state.seen = new Date(1_001);
    expect(account.seal(state, before, 'a-1')).toBeDefined();
    // The same JSON, and another type.
    const text = { balance: 5, names: ['ada'], seen: new Date(1_000).toISOString() };
    const loose = new ActorState('account', z.looseObject({}));
    expect(loose.seal(text, before, 'a-1')).toBeDefined();
  });

  it.each<[string, unknown, string]>([
    ['does not satisfy the schema', { balance: -1, names: [] }, 'balance'],
    ['cannot be stored', { balance: 1, names: [], run: () => 1 }, 'run'],
    ['holds a wrong thing deeper down', { balance: 1, names: [5] }, 'names/0'],
  ])('is refused when it %s', (_, state, path) => {
    expect(() => account.seal(state, undefined, 'a-1')).toThrow(
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

describe('versions of a state', () => {
  const V3 = z.object({ cents: z.number().default(0), currency: z.string().default('EUR') });
  const upcast = {
    1: ({ balance }: Record<string, unknown>) => ({ cents: (balance as number) * 100 }),
    2: (old: Record<string, unknown>) => {
      if (old['cents'] === 13) throw new Error('unlucky');
      return { ...old, currency: old['cents'] === 14 ? 5 : 'USD' };
    },
  };
  const money = new ActorState('account', { schema: V3, version: 3, upcast });
  const at = (version: number, data: Carried['data']) => ({ revision: 4, version, data });

  it.each([
    [1, { balance: 5 }, { cents: 500, currency: 'USD' }],
    [2, { cents: 7 }, { cents: 7, currency: 'USD' }],
    [3, { cents: 7 }, { cents: 7, currency: 'EUR' }],
  ])('reads version %j, step by step', (version, data, state) => {
    expect(money.load(at(version, data))).toEqual(state);
  });

  it('decodes before it upcasts', () => {
    const year = (old: Record<string, unknown>) => ({ year: (old['at'] as Date).getUTCFullYear() });
    const schema = z.object({ year: z.number().default(0) });
    const state = new ActorState('account', { schema, version: 2, upcast: { 1: year } });
    const stored = new ActorState('account', z.looseObject({})).seal(
      { at: new Date('1999-05-01') },
      undefined,
      'a-1',
    );
    expect(state.load(stored)).toEqual({ year: 1999 });
  });

  it('are stored as the newest, even when nothing else changed', () => {
    const before = at(2, { cents: 7, currency: 'USD' });
    const after = money.seal(money.load(before), before, 'a-1');
    expect(after).toEqual({ revision: 4, version: 3, data: { cents: 7, currency: 'USD' } });
    expect(money.seal(money.load(after), after, 'a-1')).toBeUndefined();
  });

  it('that are newer are for somebody else', () => {
    expect(() => money.load(at(4, {}))).toThrow(new NewerVersionError('state of account', 4, 3));
  });

  it.each<[string, number, Carried['data'], string]>([
    ['an upcast that throws', 2, { cents: 13 }, 'cannot be made version 3 from 2: unlucky'],
    ['an upcast that leaves what the schema refuses', 2, { cents: 14 }, 'currency'],
    ['a version that never was', 0, {}, 'has no version 0'],
    ['half a version', 1.5, {}, 'has no version 1.5'],
    ['no object', 1, null, 'cannot be made version 2 from 1'],
  ])('%s is an InvalidStateError', (_, version, data, problem) => {
    expect(() => money.load(at(version, data))).toThrow(InvalidStateError);
    expect(() => money.load(at(version, data))).toThrow(problem);
  });

  it('keep the error of an upcast', () => {
    const { cause } = thrownBy(() => money.load(at(2, { cents: 13 })));
    expect(cause).toEqual(new Error('unlucky'));
  });

  it('may not bring in what cannot be stored', () => {
    const odd = new ActorState('account', {
      schema: z.looseObject({}),
      version: 2,
      upcast: { 1: () => ({ run: () => 1 }) },
    });
    expect(() => odd.load(at(1, {}))).toThrow('state of account: run: cannot be carried: function');
  });

  it('and types that do not fit the data are an InvalidStateError too', () => {
    const types = { values: { gone: ['Date'] }, v: 1 } as Carried['types'];
    expect(() => money.load({ ...at(3, {}), types: types! })).toThrow(InvalidStateError);
  });
});

describe('the size of a state', () => {
  const Text = z.object({ text: z.string().default(''), at: z.date().optional() });
  const small = new ActorState('account', { schema: Text, maxBytes: 100 });
  // {"text":"..."} takes eleven bytes more than its text.
  const ofBytes = (bytes: number, letter = 'x') => ({
    text: letter.repeat((bytes - 11) / Buffer.byteLength(letter)),
  });

  it('may be what the actor says, and no byte more', () => {
    expect(small.seal(ofBytes(100), undefined, 'a-1')).toBeDefined();
    expect(() => small.seal(ofBytes(101), undefined, 'a-1')).toThrow(
      new StateTooLargeError('account', 'a-1', 101, 100),
    );
    expect(small.seal(ofBytes(99, 'é'), undefined, 'a-1')).toBeDefined();
    expect(() => small.seal(ofBytes(101, 'é'), undefined, 'a-1')).toThrow(StateTooLargeError);
  });

  it('counts what JSON cannot say', () => {
    const dated = { ...ofBytes(60), at: new Date(0) };
    expect(() => small.seal(dated, undefined, 'a-1')).toThrow(StateTooLargeError);
  });

  it('is at most 256 KiB where the actor says nothing, and may be more where it does', () => {
    const usual = new ActorState('account', Text);
    const large = new ActorState('account', { schema: Text, maxBytes: 1024 * 1024 });
    expect(usual.seal(ofBytes(262_144), undefined, 'a-1')).toBeDefined();
    expect(thrownBy(() => usual.seal(ofBytes(262_145), undefined, 'a-1'))).toMatchObject({
      code: 'state_too_large',
      actor: 'account',
      key: 'a-1',
      size: 262_145,
      limit: 262_144,
      message: expect.stringContaining("the state of account 'a-1' would take 262145 bytes"),
    });
    expect(large.seal(ofBytes(1024 * 1024), undefined, 'a-1')).toBeDefined();
    expect(() => large.seal(ofBytes(1024 * 1024 + 1), undefined, 'a-1')).toThrow(
      StateTooLargeError,
    );
  });

  it('does not keep what is stored from being read, upcast, and made smaller', () => {
    const tiny = new ActorState('account', {
      schema: Text,
      version: 2,
      upcast: { 1: (old) => old },
      maxBytes: 20,
    });
    const data = ofBytes(400_000);
    expect(tiny.load({ revision: 1, version: 1, data })).toEqual(data);
    expect(tiny.load({ revision: 1, version: 2, data })).toEqual(data);
  });
});

function thrownBy(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
