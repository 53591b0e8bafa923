import { Command } from 'commander';
import { addActors } from './commands/actors.js';
import { addAudit } from './commands/audit.js';
import { addCompletion } from './commands/completion.js';
import { addDeadLetters } from './commands/dead.letters.js';
import { addDev } from './commands/dev.js';
import { addDoctor } from './commands/doctor.js';
import { addHelp } from './commands/help.js';
import { addKeys } from './commands/keys.js';
import { addMessages } from './commands/messages.js';
import { addRoutes } from './commands/routes.js';
import { addSchedules } from './commands/schedules.js';
import { addSending } from './commands/sending.js';
import { addSubscriptions } from './commands/subscriptions.js';
import { addSync } from './commands/sync.js';
import type { Shell } from './shell.js';
import { version } from './version.js';

/** Names of commands that change something, and may do so twice when they are run twice. */
const CHANGING = /^(send|ask|publish|release|redrive|create|trigger|backfill|run|reset)$/;

/** All commands. @param say is told what was typed wrong, and what to type */
export function programOf(shell: Shell, say: (text: string) => void): Command {
  const program = new Command('callsheet')
    .description('Sees and steers what runs in Callsheet, over its HTTP API.')
    .addHelpText(
      'after',
      `
It talks to CALLSHEET_API_URL (default http://127.0.0.1:3000) with the key in CALLSHEET_API_KEY, if there is one.
Ends with 0, or 1 failed, 2 wrong usage, 3 not found, 4 refused, 5 the API is not there, 130 Ctrl-C.

For example:
  callsheet dev                                   run everything here
  callsheet send email.send '{"to":"ada@example.org","subject":"Hello","text":"It works."}'
  callsheet dead-letters groups                   what went wrong, the most frequent first
  callsheet schedules list --json | jq .id
`,
    );
  for (const add of [
    addSending,
    addMessages,
    addActors,
    addSchedules,
    addDeadLetters,
    addSync,
    addRoutes,
    addSubscriptions,
    addKeys,
    addAudit,
    addDev,
    addDoctor,
  ]) {
    add(program, shell);
  }
  for (const leaf of leavesOf(program)) {
    // It shows what others write.
    if (leaf.name() === 'dev') continue;
    leaf.option('--json', 'show JSON, and nothing else');
    if (CHANGING.test(leaf.name()) && leaf.parent?.name() !== 'keys') {
      leaf.option('--idempotency-key <key>', 'of a run before whose outcome is not known');
    }
  }
  addHelp(program);
  addCompletion(program);
  program.version(version(), '--version', 'show the version');
  for (const command of allOf(program)) {
    command
      .exitOverride()
      .helpCommand(false)
      .showHelpAfterError(
        `usage: ${nameOf(command)} ${command.usage()}
${nameOf(command)} --help says more`,
      )
      .configureOutput({
        writeOut: (text) => shell.stdout.write(text),
        writeErr: say,
        outputError: (text, write) => write(`callsheet: ${text.replace(/^error: /, '')}`),
        getOutHelpWidth: () => shell.stdout.columns ?? 80,
        getErrHelpWidth: () => 80,
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      });
  }
  return program;
}

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

function leavesOf(command: Command): Command[] {
  return allOf(command).filter(({ commands }) => commands.length === 0);
}

/** As it is typed. */
function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}
