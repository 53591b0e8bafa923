import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/app.process.js';

const pages = readdirSync(join(ROOT, 'docs/guide')).filter((file) => file !== 'README.md');
const executed = readdirSync(join(ROOT, 'test/examples/guide'))
  .map((file) => squeezed(readFileSync(join(ROOT, 'test/examples/guide', file), 'utf8')))
  .join('\n');

/** Pages indent and break lines as they need. */
function squeezed(code: string): string {
  return code.replace(/[\s,]+/g, ' ').replace(/\s?([(){}[\];])\s?/g, '$1');
}

describe('the guide', () => {
  const index = readFileSync(join(ROOT, 'docs/guide/README.md'), 'utf8');

  it.each(pages)('%s shows only code that is executed, and is in the index', (page) => {
    const text = readFileSync(join(ROOT, 'docs/guide', page), 'utf8');
    const blocks = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code.trim());
    // Commands are run by the first minute of the end-to-end tests.
    expect(text).toMatch(/```(ts|sh)\n/);
    for (const block of blocks) expect(executed).toContain(squeezed(block));
    expect(index).toContain(`(${page})`);
  });

  it.each([...pages, 'README.md'])('%s links only to what exists', (page) => {
    const text = readFileSync(join(ROOT, 'docs/guide', page), 'utf8');
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      expect(() => readFileSync(join(ROOT, 'docs/guide', link)), link).not.toThrow(/ENOENT/);
    }
  });
});
