import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../support/app.process.js';

/** Stands in for npm: what it installs is a vitest that says what it was asked, and reports what it is told to. */
const NPM = `
import { mkdirSync, writeFileSync } from 'node:fs';
const { VIEW, INSTALL = '0', INSTALLED } = process.env;
const [command, what] = process.argv.slice(2);
if (command === 'view') {
  if (!VIEW) { console.error('npm error ECONNREFUSED'); process.exit(1); }
  console.log(VIEW);
} else {
  if (INSTALL !== '0') { console.error('npm error ENOSPC'); process.exit(1); }
  mkdirSync('node_modules/bullmq', { recursive: true });
  mkdirSync('node_modules/vitest', { recursive: true });
  writeFileSync('node_modules/bullmq/package.json', JSON.stringify({ version: INSTALLED ?? what.split('@')[1] }));
  writeFileSync('node_modules/vitest/vitest.mjs', process.env.VITEST_STANDIN);
}`;
const VITEST = `
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
const { LOG, FAIL = '', SILENT = '', CI } = process.env;
const file = process.argv.find((each) => each.endsWith('.spec.ts'));
const report = process.argv.find((each) => each.startsWith('--outputFile=')).slice(13);
const pinned = /BULLMQ_VERSION = '(.*)'/.exec(readFileSync('libs/messaging/src/drivers/bullmq/bullmq.package.ts', 'utf8'))[1];
appendFileSync(LOG, [file, pinned, CI, process.cwd()].join(' ') + '\\n');
if (SILENT && file.includes(SILENT)) { console.error('no such file'); process.exit(1); }
const test = (status, failureMessages = []) => ({ status, fullName: 'a promise', failureMessages });
const isBad = FAIL && file.includes(FAIL);
writeFileSync(report, JSON.stringify({ testResults: [{ status: isBad ? 'failed' : 'passed', message: '', assertionResults: [
  test('passed'), test('skipped'), ...(isBad ? [test('failed', ['AssertionError: no\\n at x'])] : []),
] }] }));`;

let dir: string;
let log: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'callsheet-test-'));
  log = path.join(dir, 'log');
  writeFileSync(path.join(dir, 'npm.mjs'), NPM);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Ran {
  code: number;
  output: string;
  /** What the suites were given: file, BULLMQ_VERSION, CI, where. */
  runs: string[][];
}

function check(env: Record<string, string>, ...args: string[]): Promise<Ran> {
  const all = {
    ...{ ...process.env, npm_execpath: path.join(dir, 'npm.mjs') },
    ...{ VITEST_STANDIN: VITEST, LOG: log, TMPDIR: dir, ...env },
  };
  return new Promise((resolve) => {
    const script = path.join(ROOT, 'scripts/bullmq.check.mjs');
    execFile(process.execPath, [script, ...args], { env: all }, (error, stdout, stderr) => {
      const text = existsSync(log) ? readFileSync(log, 'utf8').trim() : '';
      const runs = text ? text.split('\n').map((line) => line.split(' ')) : [];
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr, runs });
    });
  });
}

describe('npm run bullmq:check', { timeout: 60_000 }, () => {
  it('tries the newest release on every driver, in a copy that is gone afterwards', async () => {
    const { code, output, runs } = await check({ VIEW: '"9.9.9"' });
    expect(output).toContain('bullmq 9.9.9 passes on every driver');
    expect(code).toBe(0);
    for (const driver of ['memory', 'pglite', 'redis', 'postgres']) {
      expect(output).toMatch(new RegExp(`^${driver} +pass {2}1 passed, 0 failed, 1 skipped`, 'm'));
    }
    expect(runs.map(([file]) => file)).toEqual([
      'test/contract/memory.spec.ts',
      'test/contract/pglite.spec.ts',
      'test/contract/redis.spec.ts',
      'test/contract/postgres.spec.ts',
    ]);
    for (const [, pinned, ci, where = ''] of runs) {
      // A missing server is a failure there.
      expect([pinned, ci]).toEqual(['9.9.9', 'true']);
      expect(where).not.toBe(ROOT);
      expect(existsSync(where)).toBe(false);
    }
  });

  it('says which driver a release fails, and goes on with the others', async () => {
    const { code, output, runs } = await check({ VIEW: '"9.9.9"', FAIL: 'redis' });
    expect(code).toBe(1);
    expect(runs).toHaveLength(4);
    expect(output).toMatch(/^redis +FAIL {2}1 passed, 1 failed, 1 skipped/m);
    expect(output).toContain('    a promise: AssertionError: no\n');
    expect(output).toContain('bullmq 9.9.9 does not pass on redis\n');
  });

  it('counts a suite that did not run as failed', async () => {
    const { code, output } = await check({ VIEW: '"9.9.9"', SILENT: 'postgres' });
    expect(code).toBe(1);
    expect(output).toContain('no such file');
    expect(output).toContain('bullmq 9.9.9 does not pass on postgres\n');
  });

  it('takes the newest of a range', async () => {
    const { output } = await check({ VIEW: '["9.0.0","9.9.9"]' }, '9');
    expect(output).toContain('bullmq 9.9.9 passes');
  });

  it.each<[string, Record<string, string>, string[], string]>([
    ['the registry is away', {}, [], 'the registry cannot be reached; nothing was tried'],
    ['there is no such release', { VIEW: ' ' }, ['99'], 'the registry has no bullmq@99'],
    ['it cannot be installed', { VIEW: '"9.9.9"', INSTALL: '1' }, [], '9.9.9 cannot be installed'],
    ['another is installed', { VIEW: '"9.9.9"', INSTALLED: '1.0.0' }, [], 'npm installed bullmq 1'],
    ['it is asked for too much', { VIEW: '"9.9.9"' }, ['9', '8'], 'usage: npm run bullmq:check'],
  ])('says so when %s', async (_, env, args, problem) => {
    const { code, output, runs } = await check(env, ...args);
    expect(output).toContain(problem);
    expect(code).toBe(2);
    expect(runs).toEqual([]);
  });
});
