import { OptionError } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import { HookSecrets } from './hook.secrets.js';
import { HookRate } from './hook.rate.js';

const [A, B] = [1, 2].map((byte) => `whsec_${Buffer.alloc(24, byte).toString('base64')}`);

describe('HOOK_SECRETS', () => {
  it('has a source with one secret or several', () => {
    const secrets = new HookSecrets(` shop=${A},bank-2_x=${B}, shop=${B},`);
    expect(secrets.of('shop')).toEqual([Buffer.alloc(24, 1), Buffer.alloc(24, 2)]);
    expect(secrets.of('bank-2_x')).toEqual([Buffer.alloc(24, 2)]);
    expect(secrets.of('other')).toBeUndefined();
    expect(secrets.of('constructor')).toBeUndefined();
  });

  it('that is not set names no source', () => {
    expect(new HookSecrets().of('')).toBeUndefined();
    expect(new HookSecrets('').of('')).toBeUndefined();
  });

  it.each([
    ['a secret without source', `${A}`, /^HOOK_SECRETS must be like/],
    ['an empty source', `=${A}`, /^HOOK_SECRETS must be like/],
    ['a source in capitals', `Shop=${A}`, /^HOOK_SECRETS must be like/],
    ['a source with a dot', `a.b=${A}`, /^HOOK_SECRETS must be like/],
    ['a long source', `${'a'.repeat(31)}=${A}`, /^HOOK_SECRETS must be like/],
    ['no secret', 'shop=', /^HOOK_SECRETS shop must be 'whsec_'/],
    ['a secret without prefix', 'shop=hunter2hunter2', /^HOOK_SECRETS shop must be 'whsec_'/],
    ['a short secret', 'shop=whsec_aHVudGVyMg==', /^HOOK_SECRETS shop must be 'whsec_'/],
  ])('with %s is refused, and not shown', (_, text, message) => {
    const make = (): HookSecrets => new HookSecrets(`ok=${A},${text}`);
    expect(make).toThrow(OptionError);
    expect(make).toThrow(message);
    expect(make).not.toThrow(/hunter2|aHVudGVyMg|AQEB/);
  });
});

it('takes a burst, then as many as a second has', () => {
  const rate = new HookRate();
  Object.assign(rate, { perSecond: 10, burst: 3 });
  const at = (now: number): number => rate.take('shop', now);
  expect([at(0), at(0), at(0), at(0), at(50)]).toEqual([0, 0, 0, 100, 50]);
  expect([at(100), at(100), at(10_000), at(10_000), at(10_000), at(10_000)]).toEqual([
    ...[0, 100, 0, 0, 0, 100],
  ]);
  expect(rate.take('bank', 10_000)).toBe(0);
});
