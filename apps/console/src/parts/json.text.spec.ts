import { expect, it } from 'vitest';
import { jsonIn, objectIn } from './json.text.js';

it('takes JSON, and names the field that holds none', () => {
  expect(jsonIn(' {"a": [1]} ', 'Data')).toEqual({ a: [1] });
  expect(jsonIn('  ', 'Data')).toBeUndefined();
  expect(() => jsonIn('{', 'Cursor')).toThrow(/^Cursor: .*JSON/);
  expect(() => objectIn('null', 'Data')).toThrow('Data: must be an object');
});
