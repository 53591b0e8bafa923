import { parse } from 'node:path';
import { expect, it } from 'vitest';
import { version } from './version.js';

it('is that of the nearest package.json above, or unknown where there is none', () => {
  expect(version()).toMatch(/^\d+\.\d+\.\d+$/);
  expect(version(parse(import.meta.dirname).root)).toBe('unknown');
});
