import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { EXIT, Failure } from '../exit.js';
import { doing } from '../run.js';
import type { Shell } from '../shell.js';

/** The clone that this was built in. */
const ROOT = path.resolve(import.meta.dirname, '../../../../..');
/** What `npm start` runs: it builds what changed, then starts api and worker in one process. */
const START = path.join(ROOT, 'scripts/start.mjs');
/** Where the code is, as scripts/build.mjs reads it; the console is one of the apps. */
const CODE = ['apps', 'libs'].map((folder) => path.join(ROOT, folder));
/** Editors save several files at once, ms. */
const SETTLE = 300;

/** `dev`: everything in one process, on an embedded store, started again when the code changes. */
export function addDev(program: Command, shell: Shell): void {
  program
    .command('dev')
    .summary('run everything here, and again when the code changes')
    .description(
      'Runs api and worker in one process, as npm start does: on the store in CALLSHEET_URL, else an embedded one in ./.callsheet. When the code in apps or libs changes, it is built and started again.',
    )
    .option('--no-watch', 'do not start again when the code changes')
    .action(
      doing<[], { watch: boolean }>(shell, async (run, _, options) => {
        if (!existsSync(START)) {
          throw new Failure(
            EXIT.failed,
            'dev needs a clone of Callsheet; this is an installation',
            {
              hint: 'run dist/apps/standalone/src/main.js instead',
            },
          );
        }
        await develop(run.shell, START, options.watch ? CODE : []);
      }),
    );
}

/**
 * Runs a script, and again when code changes, until the shell says stop.
 *
 * @param folders where code is; none: it is run once
 * @throws Failure when it ends and nothing is watched
 */
export async function develop(
  shell: Shell,
  script: string,
  folders: readonly string[],
): Promise<void> {
  let hasChanged = false;
  let child: ChildProcess | undefined;
  let wake = (): void => undefined;
  const changed = () => {
    hasChanged = true;
    child?.kill('SIGTERM');
    wake();
  };
  const watchers = folders.map((folder) => watchCode(folder, changed));
  const stop = () => {
    child?.kill('SIGTERM');
    wake();
  };
  shell.signal.addEventListener('abort', stop);
  try {
    while (!shell.signal.aborted) {
      hasChanged = false;
      child = spawn(process.execPath, [script], {
        env: shell.env as NodeJS.ProcessEnv,
        // With this channel it ends when this process is gone, however that came.
        stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      });
      const [code] = (await once(child, 'exit')) as [number | null];
      if (shell.signal.aborted) break;
      if (hasChanged) {
        shell.stderr.write('the code has changed: starting again\n');
        continue;
      }
      if (folders.length === 0)
        throw new Failure(EXIT.failed, `it ended with ${code ?? 'a signal'}`);
      shell.stderr.write('it has ended; waiting for the code to change (Ctrl-C ends)\n');
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    shell.signal.removeEventListener('abort', stop);
    for (const watcher of watchers) watcher.close();
  }
  shell.signal.throwIfAborted();
}

/** Whether what runs is made of the file: of a test it is not. */
export function isCode(file: string): boolean {
  return /\.(tsx?|css|html|liquid)$/.test(file) && !/\.spec\.tsx?$/.test(file);
}

function watchCode(folder: string, changed: () => void): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(folder, { recursive: true }, (_, file) => {
    if (file === null || !isCode(file)) return;
    clearTimeout(timer);
    timer = setTimeout(changed, SETTLE);
  });
  return {
    close() {
      clearTimeout(timer);
      watcher.close();
    },
  };
}
