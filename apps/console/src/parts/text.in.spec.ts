import { expect, it } from 'vitest';
import { textIn } from './text.in.js';

it('takes what somebody typed without the blanks around it', () => {
  const form = new FormData();
  form.set('reason', '  it was  a test\n');
  expect(textIn(form, 'reason')).toBe('it was  a test');
  expect(textIn(form, 'other')).toBe('');
});
