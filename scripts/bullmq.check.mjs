// npm run bullmq:check [-- <version>]: tries a release of BullMQ, the newest if none is named, with the contract suite of every
// driver, in a temporary copy of the working tree, which itself is not touched. Needs git, network, and the servers of the suites.
// Exit code 0: every driver passed. 1: one did not. 2: nothing could be tried.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const DRIVERS = ['memory', 'pglite', 'redis', 'postgres'];
/** Holds the release that is proved. */
const PINNED = 'libs/messaging/src/drivers/bullmq/bullmq.package.ts';
const PIN = /(BULLMQ_VERSION = ')([^']+)(')/;
const MOST_FAILURES = 10;

/** Nothing can be tried; the message is for the user. */
class CheckError extends Error {}

let copy;
process.once('SIGINT', () => {
  discard();
  process.exit(130);
});

try {
  process.exitCode = (await check(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  if (!(error instanceof CheckError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
} finally {
  discard();
}

async function check([given, ...rest]) {
  if (rest.length > 0) throw new CheckError('usage: npm run bullmq:check [-- <version>]');
  const proved = PIN.exec(readFileSync(path.join(ROOT, PINNED), 'utf8'))?.[2];
  if (!proved) throw new CheckError(`${PINNED} does not say BULLMQ_VERSION = '...'`);
  const version = await released(given ?? 'latest');
  console.log(`bullmq ${version} (this release is proved on ${proved})`);
  copy = mkdtempSync(path.join(tmpdir(), 'callsheet-bullmq-'));
  await copyTree();
  await install(version);
  expectVersion(version);
  return runDrivers(version);
}

/** The version that a name of a release stands for. */
async function released(release) {
  const { code, output, stdout } = await npm(
    [
      'view',
      `bullmq@${release}`,
      'version',
      '--json',
      '--fetch-retries=1',
      '--fetch-timeout=20000',
    ],
    ROOT,
  );
  const version = code === 0 ? newestOf(stdout) : undefined;
  if (version) return version;
  if (/E404|No match/i.test(output) || (code === 0 && stdout.trim() === '')) {
    throw new CheckError(`the registry has no bullmq@${release}; nothing was tried`);
  }
  throw new CheckError(
    `the registry cannot be reached; nothing was tried: ${summaryOf(stdout) ?? output.trim()}`,
  );
}

/** What npm says of its failure, in one line. */
function summaryOf(json) {
  try {
    return JSON.parse(json).error.summary;
  } catch {
    return undefined;
  }
}

/** A range is answered with a list, oldest first. */
function newestOf(json) {
  try {
    const answer = JSON.parse(json);
    const version = Array.isArray(answer) ? answer.at(-1) : answer;
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}

/** What git knows, and what it would if it were added: as it is now, committed or not. */
async function copyTree() {
  const { code, stdout, output } = await run(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    ROOT,
  );
  if (code !== 0) throw new CheckError(`git cannot list the files of ${ROOT}\n${output.trim()}`);
  const files = stdout.split('\0').filter((file) => file && file !== 'node_modules');
  for (const file of new Set(files)) {
    try {
      cpSync(path.join(ROOT, file), path.join(copy, file));
    } catch (error) {
      // Deleted, and not yet committed.
      if (error.code !== 'ENOENT') throw error;
    }
  }
}

async function install(version) {
  console.log('installing it in a copy ...');
  const { code, output } = await npm(
    ['install', `bullmq@${version}`, '--no-save', '--no-audit', '--no-fund', '--fetch-retries=1'],
    copy,
  );
  if (code === 0) return;
  throw new CheckError(
    `bullmq ${version} cannot be installed; nothing was tried\n${output.trim()}`,
  );
}

/** The framework refuses a release that it is not proved on. */
function expectVersion(version) {
  const file = path.join(copy, PINNED);
  writeFileSync(file, readFileSync(file, 'utf8').replace(PIN, `$1${version}$3`));
  const { version: installed } = JSON.parse(
    readFileSync(path.join(copy, 'node_modules/bullmq/package.json'), 'utf8'),
  );
  if (installed === version) return;
  throw new CheckError(
    `npm installed bullmq ${installed} in place of ${version}; nothing was tried`,
  );
}

async function runDrivers(version) {
  const failed = [];
  for (const driver of DRIVERS) {
    const started = Date.now();
    const { passed, skipped, failures } = await runDriver(driver);
    const seconds = Math.round((Date.now() - started) / 1_000);
    const counts = `${passed} passed, ${failures.length} failed, ${skipped} skipped, ${seconds} s`;
    console.log(`${driver.padEnd(9)}${failures.length === 0 ? 'pass' : 'FAIL'}  ${counts}`);
    for (const failure of failures.slice(0, MOST_FAILURES)) console.log(indented(failure));
    if (failures.length > MOST_FAILURES) {
      console.log(indented(`and ${failures.length - MOST_FAILURES} more`));
    }
    if (failures.length > 0) failed.push(driver);
  }
  const isPassed = failed.length === 0;
  console.log(
    isPassed
      ? `bullmq ${version} passes on every driver`
      : `bullmq ${version} does not pass on ${failed.join(', ')}`,
  );
  return isPassed;
}

/** A suite whose server is missing fails: what was not tried has not passed. */
async function runDriver(driver) {
  const report = path.join(copy, `report.${driver}.json`);
  const vitest = path.join(copy, 'node_modules/vitest/vitest.mjs');
  const { output } = await run(
    process.execPath,
    [
      vitest,
      ...['run', '--project', 'contract', `test/contract/${driver}.spec.ts`],
      ...['--reporter=json', `--outputFile=${report}`],
    ],
    copy,
    { CI: 'true' },
  );
  return read(report) ?? { passed: 0, skipped: 0, failures: [output.trim() || 'it did not run'] };
}

/** What vitest reports; undefined when it has not, or has run no test. */
function read(report) {
  let results;
  try {
    results = JSON.parse(readFileSync(report, 'utf8')).testResults;
  } catch {
    return undefined;
  }
  const tests = results.flatMap(({ assertionResults }) => assertionResults);
  const failures = tests
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages: [why = ''] }) => `${fullName}: ${firstLine(why)}`);
  for (const { status, message, assertionResults } of results) {
    // One that could not begin, for want of a server say.
    if (status === 'failed' && !assertionResults.some((each) => each.status === 'failed')) {
      failures.push(firstLine(message ?? '') || 'the suite failed');
    }
  }
  const passed = tests.filter(({ status }) => status === 'passed').length;
  if (passed === 0 && failures.length === 0) return undefined;
  return { passed, skipped: tests.length - passed - failed(tests), failures };
}

function failed(tests) {
  return tests.filter(({ status }) => status === 'failed').length;
}

function firstLine(text) {
  return text.split('\n', 1)[0];
}

function indented(text) {
  return text.replace(/^/gm, '    ');
}

function discard() {
  if (copy) rmSync(copy, { recursive: true, force: true });
}

/** The npm that runs this script, else the one on the PATH. */
function npm(args, cwd) {
  const { npm_execpath: script } = process.env;
  return script ? run(process.execPath, [script, ...args], cwd) : run('npm', args, cwd);
}

/** Runs a command with its output kept back. */
function run(command, args, cwd, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('error', (error) => resolve({ code: 1, output: error.message, stdout: '' }));
    child.once('close', (code) => resolve({ code, output, stdout }));
  });
}
