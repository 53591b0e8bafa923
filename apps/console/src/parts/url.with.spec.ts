import { expect, it } from 'vitest';
import { urlWith } from './url.with.js';

it('changes what is named, and keeps the rest', () => {
  expect(urlWith('/sync', 'q=a+b&cursor=x', { cursor: undefined, id: 'a/b' })).toBe(
    '/sync?q=a+b&id=a%2Fb',
  );
  expect(urlWith('/sync', 'cursor=x', { cursor: undefined })).toBe('/sync');
});
