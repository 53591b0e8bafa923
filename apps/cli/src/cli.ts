import { CommanderError } from 'commander';
import { EXIT, Failure, type ExitCode } from './exit.js';
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
  try {
    await programOf(shell).parseAsync([...args], { from: 'user' });
    return shell.signal.aborted ? EXIT.interrupted : EXIT.ok;
  } catch (error) {
    if (shell.signal.aborted) return EXIT.interrupted;
    // It has been said what is wrong, and what to type; or help was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof Failure)) throw error;
    new Output(shell, args.includes('--json')).fail(error);
    return error.exit;
  }
}
