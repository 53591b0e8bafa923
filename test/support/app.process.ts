import { existsSync } from 'node:fs';
import path from 'node:path';
import { Child, type Exit } from './child.js';
import { eventually } from './eventually.js';
import { tempDir } from './temp.js';

export const ROOT = path.resolve(import.meta.dirname, '../..');

export type Entry = 'standalone' | 'api' | 'worker';

export interface StartAppOptions {
  /** A line that says it is ready. Default: one with the word "ready" or "listening". */
  ready?: RegExp;
  /** Milliseconds until it must be ready. Default 60 000. */
  timeout?: number;
  /** Working folder, where the embedded store lies by default. Default a temporary one. */
  cwd?: string;
}

export interface AppProcess {
  readonly pid: number | undefined;
  readonly cwd: string;
  /** Everything it wrote to stdout and stderr so far. */
  readonly output: string;
  readonly exited: Promise<Exit>;
  /** Waits for a line that matches. */
  line(pattern: RegExp, timeout?: number): Promise<RegExpExecArray>;
  /** Sends the signal (default SIGTERM) and waits for the end; kills it after `grace` milliseconds (default 30 000). */
  stop(signal?: NodeJS.Signals, grace?: number): Promise<Exit>;
  kill9(): Promise<Exit>;
}

/**
 * Runs a built app as its own process. Its environment is clean: PATH, HOME and what `env` says, so nothing of the
 * developer's shell or of CI leaks in. It ends at the latest with the test file.
 */
export async function startApp(
  entry: Entry,
  env: Record<string, string> = {},
  options: StartAppOptions = {},
): Promise<AppProcess> {
  const cwd = options.cwd ?? tempDir();
  const child = spawnApp(entry, env, cwd);
  const app: AppProcess = {
    pid: child.pid,
    cwd,
    get output() {
      return child.output;
    },
    exited: child.exited,
    line: (pattern, timeout = 10_000) => waitForLine(child, pattern, timeout),
    stop: (signal, grace) => child.stop(signal, grace),
    kill9: () => child.kill(),
  };
  try {
    await app.line(options.ready ?? /\b(ready|listening)\b/i, options.timeout ?? 60_000);
  } catch (cause) {
    await app.kill9();
    throw new Error(`${entry} did not become ready:\n${app.output}`, { cause });
  }
  return app;
}

/** Runs a built app that must fail at start by itself; resolves to how it ended and what it said. */
export async function expectExit(
  entry: Entry,
  env: Record<string, string> = {},
  { cwd = tempDir(), timeout = 30_000 }: { cwd?: string; timeout?: number } = {},
): Promise<Exit & { stdout: string; stderr: string }> {
  const child = spawnApp(entry, env, cwd);
  let late = false;
  const timer = setTimeout(() => (late = child.signal('SIGKILL')), timeout);
  const exit = await child.exited;
  clearTimeout(timer);
  if (late) throw new Error(`${entry} was to end by itself within ${timeout} ms:\n${child.output}`);
  return { ...exit, stdout: child.stdout, stderr: child.stderr };
}

function spawnApp(entry: Entry, env: Record<string, string>, cwd: string): Child {
  const main = path.join(ROOT, 'dist/apps', entry, 'src/main.js');
  if (!existsSync(main)) throw new Error(`${main} is missing; run: npm run build`);
  const { PATH, HOME } = process.env;
  return new Child(process.execPath, [main], { cwd, env: { PATH, HOME, ...env } });
}

async function waitForLine(
  child: Child,
  pattern: RegExp,
  timeout: number,
): Promise<RegExpExecArray> {
  const { match } = await eventually(
    async () => {
      if (!child.running) await child.exited; // then all it wrote has been read
      const found = findLine(child.output, pattern);
      if (found || !child.running) return { match: found };
      throw new Error(`no line matches ${pattern}:\n${child.output}`);
    },
    { timeout },
  );
  if (!match) throw new Error(`it ended and no line matches ${pattern}:\n${child.output}`);
  return match;
}

function findLine(text: string, pattern: RegExp): RegExpExecArray | null {
  for (const line of text.split('\n')) {
    const match = pattern.exec(line);
    if (match) return match;
  }
  return null;
}
