import { describe, expect, it } from 'vitest';
import { masker, redact } from './redaction.js';

const DATA = {
  token: 'tok/3n 42"x',
  pin: '1234',
  user: 'ada',
  card: { number: 4111111111111111, holder: 'Ada' },
  cards: [
    { number: 'first-number', note: 'x' },
    { number: 'second-number', note: null },
  ],
  keys: { a: ['alpha-key', 'beta-key'] },
};
const META = { secret: ['token', 'pin', 'card.number', 'cards.number', 'keys', 'missing.deep'] };

describe('redact', () => {
  it('leaves out the values of secret fields, nested ones and those in lists too', () => {
    expect(redact(META, DATA)).toEqual({
      token: '[secret]',
      pin: '[secret]',
      user: 'ada',
      card: { number: '[secret]', holder: 'Ada' },
      cards: [
        { number: '[secret]', note: 'x' },
        { number: '[secret]', note: null },
      ],
      keys: '[secret]',
    });
  });

  it('does not change what it was given', () => {
    const before = structuredClone(DATA);
    redact(META, DATA);
    expect(DATA).toEqual(before);
  });

  it.each([undefined, {}, { secret: [] }])('leaves all of it without secrets: %o', (meta) => {
    expect(redact(meta, DATA)).toBe(DATA);
  });

  it('leaves a field alone that is not where the path says', () => {
    expect(redact({ secret: ['user.name', 'toString'] }, DATA)).toEqual(DATA);
  });
});

describe('masker', () => {
  const mask = masker(META, DATA);

  it.each([
    ['as it stands', `bad token ${DATA.token}!`, 'bad token [secret]!'],
    ['twice', `${DATA.token} ${DATA.token}`, '[secret] [secret]'],
    ['in a URL', `GET /?t=${encodeURIComponent(DATA.token)}&u=ada`, 'GET /?t=[secret]&u=ada'],
    ['in JSON', JSON.stringify({ t: DATA.token }), '{"t":"[secret]"}'],
    ['a number', `card 4111111111111111 declined`, 'card [secret] declined'],
    ['in a list', 'first-number, second-number', '[secret], [secret]'],
    ['below a secret object', 'no alpha-key, no beta-key', 'no [secret], no [secret]'],
  ])('hides a secret %s', (_, text, masked) => {
    expect(mask(text)).toBe(masked);
  });

  it('leaves what is no secret, and secrets too short to be told from other text', () => {
    expect(mask('ada pays at 1234 Main Street')).toBe('ada pays at 1234 Main Street');
  });

  it('hides the longer of two secrets whole', () => {
    const data = { a: 'secret', b: 'secret-and-more' };
    expect(masker({ secret: ['a', 'b'] }, data)('x secret-and-more y')).toBe('x [secret] y');
  });

  it('leaves any text without secrets', () => {
    expect(masker(undefined, DATA)(`bad token ${DATA.token}`)).toContain(DATA.token);
  });

  it('takes a value that no URL can have', () => {
    expect(masker({ secret: ['a'] }, { a: 'broken\ud800text' })('broken\ud800text')).toBe(
      '[secret]',
    );
  });
});
