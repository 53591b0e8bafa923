import { Option, type Command } from 'commander';
import { toCount } from '../given.js';

/** `--limit`: of lists. */
export function limitOption(): Option {
  return new Option('--limit <count>', 'at most so many').argParser(toCount).default(20);
}

/** `--reason` and `--yes`, of what cannot be undone, or is asked why. */
export function reasonOptions(command: Command): Command {
  return command
    .option('--reason <text>', 'why, for the audit log; asked for in a terminal')
    .option('--yes', 'ask nothing');
}
