import { expect, it } from 'vitest';
import { pathTo, query } from './address.js';

it('encodes the parts of a path', () => {
  expect(pathTo('messages', 'a/b%2Fc ü')).toBe('/messages/a%2Fb%252Fc%20%C3%BC');
});

it('leaves out of a query what is undefined or empty', () => {
  expect(query({ actor: 'a&b', state: undefined, key: '' })).toBe('?actor=a%26b');
  expect(query({ state: undefined })).toBe('');
});

it('changes of a query what is named, and keeps the rest', () => {
  expect(query({ cursor: undefined, id: 'a/b' }, 'q=a+b&cursor=x')).toBe('?q=a+b&id=a%2Fb');
  expect(query({ cursor: undefined }, 'cursor=x')).toBe('');
});
