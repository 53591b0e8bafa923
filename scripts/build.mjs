import { spawn } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';

export const ROOT = path.resolve(import.meta.dirname, '..');

const DIST = path.join(ROOT, 'dist');
/** Written after a build that succeeded; its age is the age of the build. */
const STAMP = path.join(DIST, '.built');
const ENDING = ['SIGINT', 'SIGTERM'];
/** Holds the pid of the process that builds. */
const LOCK = path.join(DIST, '.building');

/** The build cannot be done; the message is for the user. */
class BuildError extends Error {}

/**
 * Compiles apps and libs into `dist`, unless `dist` is already newer than every source. Several processes may call it at
 * once (`start:api` and `start:worker` in two terminals): one builds, the others wait.
 *
 * Also the global set-up of the e2e tests, which run the built apps.
 */
export default async function buildIfNeeded() {
  if (!isStale()) return;
  await withLock(async () => {
    if (isStale()) await build();
  });
}

function isStale() {
  const built = modified(STAMP);
  return built === 0 || sources().some((file) => modified(file) > built);
}

/** Files that the build reads, and their folders: a folder changes when a file in it goes away. */
function sources() {
  const config = readdirSync(ROOT).filter((name) =>
    /^(tsconfig.*|nest-cli|package)\.json$/.test(name),
  );
  const folders = ['apps', 'libs'].flatMap((parent) =>
    readdirSync(path.join(ROOT, parent)).map((name) => path.join(ROOT, parent, name, 'src')),
  );
  const page = ['index.html', 'vite.config.ts', 'public'].map((name) =>
    path.join(ROOT, 'apps/console', name),
  );
  return [
    ...config.map((name) => path.join(ROOT, name)),
    ...page,
    ...list(path.join(ROOT, 'apps/console/public')),
    ...folders,
    ...folders.flatMap((dir) => list(dir).filter((file) => !/\.spec\.tsx?$/.test(file))),
  ];
}

function list(dir) {
  try {
    return readdirSync(dir, { recursive: true }).map((name) => path.join(dir, name));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function build() {
  const started = new Date();
  console.error('building (once, about 20 s) ...');
  rmSync(STAMP, { force: true });
  const results = await Promise.all([
    run(process.execPath, [tool('@nestjs/cli', 'bin/nest.js'), 'build', 'standalone']),
    run(process.execPath, [tool('vite', 'bin/vite.js'), 'build', 'apps/console']),
  ]);
  const failed = results.filter(({ code }) => code !== 0);
  if (failed.length > 0) {
    throw new BuildError(
      [...failed.map(({ output }) => output.trimEnd()), 'the build failed'].join('\n'),
    );
  }
  compress(path.join(DIST, 'apps/console/assets'));
  // What was saved while the compiler ran is newer than the stamp, and builds again.
  writeFileSync(STAMP, `${started.toISOString()}\n`);
  utimesSync(STAMP, started, started);
}

/** Where a package has its program; `vite` does not export it, but its package.json. */
function tool(name, file) {
  try {
    const manifest = createRequire(path.join(ROOT, 'package.json')).resolve(`${name}/package.json`);
    return path.join(path.dirname(manifest), file);
  } catch {
    throw new BuildError(
      `cannot build: ${name} is not installed. Run npm ci (with development dependencies), then start again.`,
    );
  }
}

/** Puts a compressed copy beside each file, for browsers that take it. */
function compress(dir) {
  for (const file of readdirSync(dir)) {
    const content = readFileSync(path.join(dir, file));
    writeFileSync(path.join(dir, `${file}.br`), brotliCompressSync(content));
    writeFileSync(path.join(dir, `${file}.gz`), gzipSync(content, { level: 9 }));
  }
}

/** Runs a command with its output kept back. It does not outlive this process when that is told to end. */
function run(command, args) {
  return new Promise((resolve, reject) => {
    // Whoever starts it, a test with NODE_ENV=test too: vite would build React's development version, twice the size.
    const env = { ...process.env, NODE_ENV: 'production' };
    const options = { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true };
    const child = spawn(command, args, options);
    // Compilers have children of their own: all of the group end.
    const end = (signal, code) => {
      try {
        if (child.pid) process.kill(-child.pid, signal);
      } catch {
        // It has ended by itself.
      }
      setImmediate(() => process.exit(128 + code));
    };
    for (const signal of ENDING) process.once(signal, end);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.once('error', reject);
    child.once('close', (code) => {
      for (const signal of ENDING) process.off(signal, end);
      resolve({ code, output });
    });
  });
}

async function withLock(work) {
  const patience = Date.now() + 180_000;
  while (!takeLock()) {
    if (Date.now() > patience) {
      throw new BuildError(
        `another process has been building for 3 minutes; if none is, remove ${LOCK}`,
      );
    }
    await delay(200);
  }
  try {
    await work();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

function takeLock() {
  mkdirSync(DIST, { recursive: true });
  try {
    writeFileSync(LOCK, `${process.pid}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (isLeft()) rmSync(LOCK, { force: true });
    return false;
  }
}

/** True when the process that holds the lock is gone: it was killed while it built. */
function isLeft() {
  try {
    const pid = Number(readFileSync(LOCK, 'utf8'));
    if (pid > 0) process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Builds what is not built; ends the process with a word to the user when it cannot. */
export async function buildOrExit() {
  try {
    await buildIfNeeded();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

// `npm run build`
if (process.argv[1] && realpathSync(process.argv[1]) === import.meta.filename) await buildOrExit();
