import { expect, it } from 'vitest';
import { instantOf, localField } from './local.time.js';

it('comes back from a field as it went there, to the minute', () => {
  const at = Date.parse('2026-11-29T12:34:00.000Z');
  expect(instantOf(localField(at))).toBe('2026-11-29T12:34:00.000Z');
  expect(instantOf('')).toBeUndefined();
  expect(instantOf(null)).toBeUndefined();
});
