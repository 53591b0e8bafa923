import { expect, it } from 'vitest';
import { OnceKeys } from './once.keys.js';

it('repeats the key of a call until it is answered', () => {
  const keys = new OnceKeys();
  const first = keys.of('POST /run {}');
  expect(keys.of('POST /run {}')).toBe(first);
  expect(keys.of('POST /run {"other":1}')).not.toBe(first);
  keys.answered(first);
  expect(keys.of('POST /run {}')).not.toBe(first);
});

it('knows nothing of a call from before somebody began anew', () => {
  const keys = new OnceKeys();
  const first = keys.of('POST /run {}');
  keys.forget();
  expect(keys.of('POST /run {}')).not.toBe(first);
});
