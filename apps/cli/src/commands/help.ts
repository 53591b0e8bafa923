import type { Command } from 'commander';
import { misuse } from '../exit.js';

/** `help [command]`: the same as `--help`, of commands in groups too: `help messages list`. */
export function addHelp(program: Command): void {
  program
    .command('help')
    .summary('say what there is, or what a command does')
    .description('What there is; of a command, what it does and takes.')
    .argument('[command...]', 'name of the command, such as: messages list')
    .action((names: readonly string[]) => {
      let command = program;
      for (const name of names) {
        const found = command.commands.find((each) => each.name() === name);
        if (!found) {
          throw misuse(`unknown command '${names.join(' ')}'`, 'callsheet help lists the commands');
        }
        command = found;
      }
      command.outputHelp();
    });
}
