import { CommandError, keysCommand } from './keys.command.js';

const given = process.argv.slice(2);
// As `npm run keys` starts it, its own name comes first.
if (given[0] === 'keys') given.shift();

try {
  const { out, note = '' } = await keysCommand(given);
  process.stderr.write(note);
  process.stdout.write(out);
} catch (error) {
  process.stderr.write(`callsheet: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof CommandError ? 2 : 1;
}
