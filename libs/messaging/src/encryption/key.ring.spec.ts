import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { carriable } from '../../../../test/support/carriable.js';
import { decode, encode, violations, type Carried } from '../codec.js';
import { OptionError } from '../messaging.errors.js';
import { unreadable, type Encrypted } from './encrypted.js';
import { KeyRing } from './key.ring.js';

const secretOf = (byte: number): string => Buffer.alloc(32, byte).toString('base64');
const [k1, k2] = [`k1:${secretOf(1)}`, `k2:${secretOf(2)}`];
const ringOf = (...keys: string[]): KeyRing => KeyRing.parse(keys.join(','))!;
const ring = ringOf(k1);
const place = ['message', 'mail', 'mail.send', 'm-1'] as const;

/** Through text, as any store takes it. */
const stored = (carried: Carried): Carried => JSON.parse(JSON.stringify(carried)) as Carried;
const hiddenIn = ({ data }: Carried): Encrypted => (data as never)['$encrypted'];
const withHidden = (hidden: Partial<Encrypted>): Carried =>
  ({ data: { $encrypted: hidden }, types: { encrypted: true } }) as Carried;

describe('the keys', () => {
  it('are none when nothing is said', () => {
    expect(KeyRing.parse(undefined)).toBeUndefined();
    expect(KeyRing.parse('')).toBeUndefined();
  });

  it('are taken in base64 and base64url, the first one first', () => {
    const url = `2026-01_b:${Buffer.alloc(32, 251).toString('base64url')}`;
    expect(KeyRing.parse(`${url} , ${k1}`)?.first).toBe('2026-01_b');
  });

  it.each([
    ['hunter2'],
    [secretOf(3)],
    [`:${secretOf(3)}`],
    [`a b:${secretOf(3)}`],
    [`${'x'.repeat(33)}:${secretOf(3)}`],
    [`k1:hunter2`],
    [`k1:${Buffer.alloc(31, 3).toString('base64')}`],
    [`k1:${Buffer.alloc(33, 3).toString('base64')}`],
    [`k1:${secretOf(3)}:x`],
    [`${k1},`],
    [`${k1},k1:${secretOf(3)}`],
    [`k0:${secretOf(3)},k1:${secretOf(3)}`],
    [Array.from({ length: 17 }, (_, n) => `k${n}:${secretOf(n)}`).join(',')],
  ])('%#: are refused by name, and not shown', (text) => {
    const parse = (): unknown => KeyRing.parse(text, 'CALLSHEET_ENCRYPTION_KEYS');
    expect(parse).toThrow(OptionError);
    expect(parse).toThrow(/^CALLSHEET_ENCRYPTION_KEYS must /);
    expect(parse).not.toThrow(/hunter2|AwMDAw/);
  });

  it('are not shown, however they are printed', () => {
    const printed = [inspect(ring, { depth: 9, showHidden: true }), JSON.stringify(ring)].join();
    expect(printed).not.toContain(secretOf(1));
    expect(printed).not.toMatch(/AQEBAQ|01 01 01|\b1, 1, 1/);
  });
});

describe('a value', () => {
  it('comes back as it was, whatever can be carried, and cannot be seen meanwhile', () => {
    fc.assert(
      fc.property(carriable, (value) => {
        fc.pre(violations(value).length === 0);
        const sealed = stored(ring.seal(encode(value), place));
        expect(Object.keys(sealed.data as object)).toEqual(['$encrypted']);
        expect(decode(stored(ring.open(sealed, place)))).toEqual(decode(stored(encode(value))));
      }),
    );
  });

  it('is other text each time', () => {
    const texts = Array.from({ length: 50 }, () => hiddenIn(ring.seal({ data: 'x' }, place)));
    for (const field of ['iv', 'tag', 'text'] as const)
      expect(new Set(texts.map((each) => each[field])).size).toBeGreaterThan(40);
  });

  it('has an IV of its own, however many there are', () => {
    const many = ringOf(k1);
    const ivs = Array.from({ length: 3_000 }, () => many.encrypt('x', place, 'k1').iv);
    expect(new Set(ivs).size).toBe(3_000);
  });

  it('that is plain is left as it is, without any copying', () => {
    const plain = { data: { a: 1 }, types: { values: {}, v: 1 } };
    expect(ring.open(plain, place)).toBe(plain);
  });

  it('is refused with any bit flipped', () => {
    const sealed = ring.seal({ data: { secret: 'canary' } }, place);
    const hidden = hiddenIn(sealed);
    fc.assert(
      fc.property(
        fc.constantFrom('iv', 'tag', 'text', 'kid'),
        fc.nat(),
        fc.nat(6),
        (field, at, bit) => {
          const bytes = Buffer.from(hidden[field]);
          const index = at % bytes.length;
          bytes[index]! ^= 1 << bit;
          const opened = ring.open(withHidden({ ...hidden, [field]: bytes.toString() }), place);
          expect(unreadable(opened)).toMatch(/cannot be decrypted|does not have|not in that form/);
          expect(JSON.stringify(opened)).not.toContain('canary');
        },
      ),
    );
    expect(unreadable(ring.open(sealed, place))).toBeUndefined();
  });

  it('is refused with a tag, IV or text that is cut, absent, or no text at all', () => {
    const hidden = hiddenIn(ring.seal({ data: 'x' }, place));
    for (const field of ['iv', 'tag', 'text'] as const) {
      const bytes = Buffer.from(hidden[field], 'base64');
      const cuts = Array.from({ length: bytes.length }, (_, n) =>
        bytes.subarray(0, n).toString('base64'),
      );
      for (const bad of [...cuts, undefined, null, 4, {}, `${hidden[field]}\n`]) {
        const opened = ring.open(withHidden({ ...hidden, [field]: bad as string }), place);
        expect(unreadable(opened)).toMatch(/^cannot be decrypted with key 'k1'/);
      }
    }
    for (const bad of [{}, { kid: {} }, { kid: '__proto__' }, null, 7, 'x', []] as never[])
      expect(unreadable(ring.open(withHidden(bad), place))).toBeDefined();
  });

  it('is refused wherever it does not belong, down to the last part', () => {
    const sealed = ring.seal({ data: 'x' }, place);
    for (const [index] of place.entries())
      expect(
        unreadable(
          ring.open(
            sealed,
            place.map((part, n) => (n === index ? `${part}x` : part)),
          ),
        ),
      ).toMatch(/belongs elsewhere/);
    // Parts cannot run into one another.
    expect(unreadable(ring.open(sealed, ['message', 'mail', 'mail.sendm-1']))).toBeDefined();
    expect(unreadable(ring.open(sealed, [...place, undefined]))).toBeDefined();
  });

  it('is taken for encrypted as long as one of its two marks is left', () => {
    const sealed = ring.seal({ data: 'x' }, place);
    expect(ring.open({ data: sealed.data }, place)).toEqual({ data: 'x' });
    const bare = { data: { $encrypteb: hiddenIn(sealed) }, types: sealed.types } as never;
    expect(unreadable(ring.open(bare, place))).toBe(
      'says that it is encrypted, and is not in that form',
    );
  });

  it('is refused by its own name where the key is not, or is another one', () => {
    const sealed = ring.seal({ data: 'x' }, place);
    expect(unreadable(ringOf(k2).open(sealed, place))).toBe(
      "is encrypted with key 'k1', which this process does not have",
    );
    const other = ringOf(`k1:${secretOf(9)}`);
    expect(unreadable(other.open(sealed, place))).toMatch(
      /this process has another key of that id/,
    );
    // Who has no keys at all knows too.
    expect(unreadable(sealed)).toBe("is encrypted with key 'k1', which this process does not have");
    expect(() => decode(sealed)).toThrow(/'k1'/);
  });

  it('of an old key is opened, and the first key seals', () => {
    const sealed = ring.seal({ data: 'x' }, place);
    const both = ringOf(k2, k1);
    expect(both.open(sealed, place)).toEqual({ data: 'x' });
    expect([both.isCurrent(sealed), both.isCurrent({ data: 'x' })]).toEqual([false, false]);
    const again = both.seal({ data: 'x' }, place);
    expect(hiddenIn(again).kid).toBe('k2');
    expect(both.isCurrent(again)).toBe(true);
  });
});

it('keys behind none open, and seal nothing', () => {
  const idle = ringOf('none', k1);
  const plain = { data: { a: 1 }, types: { values: {}, v: 1 } };
  expect(idle.seal(plain, place)).toBe(plain);
  const sealed = ring.seal(plain, place);
  expect(idle.open(sealed, place)).toEqual(plain);
  expect([idle.isCurrent(plain), idle.isCurrent(sealed)]).toEqual([true, false]);
  expect(idle.digests('m-1', 'body')).toEqual(ring.digests('m-1', 'body').reverse());
  expect(() => KeyRing.parse('none')).toThrow(OptionError);
  expect(() => KeyRing.parse(`${k1},none`)).toThrow(OptionError);
});

it('digests of a body are told by no key but their own, whatever the order of the keys', () => {
  const digests = ringOf(k2, k1).digests('m-1', 'body');
  expect(digests).toHaveLength(3);
  expect(digests[0]).toBe(ringOf(k2).digests('m-1', 'body')[0]);
  expect(digests[1]).toBe(ringOf(k1).digests('m-1', 'body')[0]);
  expect(digests[2]).toBe('body');
  expect(new Set(digests).size).toBe(3);
  expect(ringOf(k1).digests('m-1', 'other')[0]).not.toBe(digests[1]);
  expect(ringOf(k1).digests('m-2', 'body')[0]).not.toBe(digests[1]);
});
