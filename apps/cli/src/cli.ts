import { CommanderError } from 'commander';
import { EXIT, Failure, misuse, type ExitCode } from './exit.js';
import { Output } from './output.js';
import { programOf } from './program.js';
import type { Shell } from './shell.js';

/**
 * Runs one command.
 *
 * @param args what was typed after `callsheet`
 * @returns how it ended
 */
export async function runCli(args: readonly string[], shell: Shell): Promise<ExitCode> {
  const isJson = args.includes('--json');
  let said = '';
  const say = (text: string) => void (isJson ? (said += text) : shell.stderr.write(text));
  try {
    await programOf(shell, say).parseAsync([...args], { from: 'user' });
    return shell.signal.aborted ? EXIT.interrupted : EXIT.ok;
  } catch (error) {
    if (shell.signal.aborted) return EXIT.interrupted;
    const failure = error instanceof CommanderError ? misuseOf(error, said) : error;
    if (failure === undefined) return EXIT.ok;
    if (!(failure instanceof Failure)) throw failure;
    // To a person commander has said it.
    if (isJson || failure === error) new Output(shell, isJson).fail(failure);
    return failure.exit;
  }
}

/** @param said what is wrong, and in the lines below what to type; undefined: help was asked for */
function misuseOf({ exitCode }: CommanderError, said: string): Failure | undefined {
  if (exitCode === 0) return undefined;
  const [what = '', ...hint] = said.trim().split('\n');
  return misuse(what.replace(/^callsheet: /, ''), hint.join('\n'));
}
