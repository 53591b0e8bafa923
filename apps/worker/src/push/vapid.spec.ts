import { createECDH } from 'node:crypto';
import { OptionError } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import { vapidOf } from './vapid.js';

// The pair of the example in RFC 8291.
const PUBLIC =
  'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4';
const PRIVATE = 'q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94';
const GOOD = {
  VAPID_PUBLIC_KEY: PUBLIC,
  VAPID_PRIVATE_KEY: PRIVATE,
  VAPID_SUBJECT: 'mailto:ops@example.org',
};

describe('the VAPID settings', () => {
  it.each(['mailto:ops@example.org', 'https://example.org/contact'])('take %s', (subject) => {
    expect(vapidOf({ ...GOOD, VAPID_SUBJECT: subject })).toEqual({
      publicKey: PUBLIC,
      privateKey: PRIVATE,
      subject,
    });
  });

  it('may all be missing, and the subject alone means nothing', () => {
    expect(vapidOf({})).toBeUndefined();
    expect(vapidOf({ ...GOOD, VAPID_PUBLIC_KEY: '', VAPID_PRIVATE_KEY: '' })).toBeUndefined();
  });

  const other = createECDH('prime256v1');
  other.generateKeys();

  it.each([
    ['VAPID_PUBLIC_KEY', { VAPID_PUBLIC_KEY: '' }],
    ['VAPID_PUBLIC_KEY', { VAPID_PUBLIC_KEY: PRIVATE }],
    ['VAPID_PUBLIC_KEY', { VAPID_PUBLIC_KEY: `${PUBLIC}=` }],
    ['VAPID_PRIVATE_KEY', { VAPID_PRIVATE_KEY: undefined }],
    ['VAPID_PRIVATE_KEY', { VAPID_PRIVATE_KEY: PUBLIC }],
    ['VAPID_PRIVATE_KEY', { VAPID_PRIVATE_KEY: 'A'.repeat(43) }],
    ['VAPID_PRIVATE_KEY', { VAPID_PUBLIC_KEY: other.getPublicKey('base64url') }],
    ['VAPID_SUBJECT', { VAPID_SUBJECT: undefined }],
    ['VAPID_SUBJECT', { VAPID_SUBJECT: 'ops@example.org' }],
    ['VAPID_SUBJECT', { VAPID_SUBJECT: 'http://example.org' }],
  ])('refuse by the name %s %#, without a value', (name, change) => {
    const make = () => vapidOf({ ...GOOD, ...change });
    expect(make).toThrow(OptionError);
    expect(make).toThrow(new RegExp(`^${name} must be `));
    expect(make).not.toThrow(new RegExp(`${PRIVATE}|${PUBLIC}`));
  });
});
