import { Option, type Command } from 'commander';
import { toCount, toCountUpTo } from '../given.js';

/** `--limit`: of lists. @param most where there are no pages */
export function limitOption(most?: number): Option {
  const option = new Option('--limit <count>', `at most so many${most ? `, up to ${most}` : ''}`);
  return option.argParser(most ? toCountUpTo(most) : toCount).default(20);
}

/** `--reason` and `--yes`, of what cannot be undone, or is asked why. */
export function reasonOptions(command: Command): Command {
  return command
    .option('--reason <text>', 'why, for the audit log; asked for in a terminal')
    .option('--yes', 'ask nothing');
}
