import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { tempDir } from '../../../../test/support/temp.js';
import { shellOf } from '../../test/terminal.js';
import { Failure } from '../exit.js';
import { develop, isCode } from './dev.js';

/** A script that notes each start, and stays until it is told to end. */
function staying(folder: string): { script: string; starts: () => number } {
  const noted = path.join(folder, 'noted');
  const script = path.join(folder, 'start.mjs');
  writeFileSync(noted, '');
  writeFileSync(
    script,
    `import { appendFileSync } from 'node:fs';
     appendFileSync(${JSON.stringify(noted)}, '.');
     setInterval(() => undefined, 60_000);
     process.once('disconnect', () => process.exit());`,
  );
  return { script, starts: () => readFileSync(noted, 'utf8').length };
}

it('starts again when code changes, also of the console, and ends when it is told to', async () => {
  const code = path.join(tempDir(), 'code');
  mkdirSync(path.join(code, 'console'), { recursive: true });
  const files = ['a.ts', 'console/b.tsx', 'console/c.css', 'index.html'];
  for (const file of files) writeFileSync(path.join(code, file), '');
  const { script, starts } = staying(tempDir());
  const stop = new AbortController();
  const running = develop({ ...shellOf({}), signal: stop.signal }, script, [code]).catch(
    (error: unknown) => error,
  );
  await eventually(() => starts() === 1);
  let wanted = 1;
  for (const file of files) {
    writeFileSync(path.join(code, file), file);
    wanted++;
    await eventually(() => starts() === wanted);
  }
  stop.abort();
  expect(await running).toMatchObject({ name: 'AbortError' });
  expect(starts()).toBe(files.length + 1);
});

it.each([
  ['api/src/main.ts', true],
  ['console/src/app.tsx', true],
  ['worker/src/email/welcome.liquid', true],
  ['api/src/main.spec.ts', false],
  ['console/src/app.spec.tsx', false],
  ['api/src/README.md', false],
  ['.callsheet/lock', false],
])('takes %s for code: %s', (file, expected) => {
  expect(isCode(file)).toBe(expected);
});

it('fails when it ends and nothing is watched', async () => {
  const script = path.join(tempDir(), 'start.mjs');
  writeFileSync(script, 'process.exit(7)');
  await expect(develop(shellOf({}), script, [])).rejects.toEqual(new Failure(1, 'it ended with 7'));
});
