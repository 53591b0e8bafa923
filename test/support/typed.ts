import path from 'node:path';
import { ROOT } from './app.process.js';
import type { Binary } from './available.js';
import { Child } from './child.js';

/** The built command line, as a shell would start it. */
export const CLI = path.join(ROOT, 'dist/apps/cli/src/main.js');
/** In a shell. */
export const CALLSHEET = `callsheet() { '${process.execPath}' '${CLI}' "$@"; }`;

/** What {@link startBash} and {@link startTerminal} need. */
export const BASH: readonly Binary[] = ['bash'];
export const TERMINAL: readonly Binary[] = [...BASH, 'script', 'stty'];

/** The command line as a process of its own, in pipes. Its environment is clean. */
export function startCli(
  args: readonly string[],
  env: Record<string, string>,
  cwd?: string,
): Child {
  return new Child(process.execPath, [CLI, ...args], { env: clean(env), ...(cwd && { cwd }) });
}

/** A line of bash in which `callsheet` is the command line. */
export function startBash(line: string, env: Record<string, string>): Child {
  return new Child('bash', ['-c', `set -o pipefail\n${CALLSHEET}\n${line}`], { env: clean(env) });
}

/**
 * The same in a terminal of its own, 80 columns wide.
 *
 * @param keys commands of bash whose output is what is typed there
 */
export function startTerminal(line: string, keys: string, env: Record<string, string>): Child {
  const inside = `stty cols 80\n${CALLSHEET}\n${line}\necho "ended with $?"`;
  const terminal = `{ ${keys}; } | script --quiet --return --flush --command "$INSIDE" /dev/null`;
  return new Child('bash', ['-c', terminal], {
    env: clean({ ...env, INSIDE: inside, SHELL: '/bin/bash' }),
  });
}

function clean(env: Record<string, string>): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, TERM: 'xterm', ...env };
}
