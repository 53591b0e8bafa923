import { runCli } from './cli.js';
import { EXIT } from './exit.js';

const interruption = new AbortController();
let interrupted: number = EXIT.interrupted;
for (const [signal, code] of [
  ['SIGINT', EXIT.interrupted],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    // What does not end by itself is ended by the second.
    if (interruption.signal.aborted) process.exit(code);
    interrupted = code;
    interruption.abort();
    // Else it would be read to its end.
    process.stdin.destroy();
  });
}
// Whoever reads has enough: `callsheet messages list email | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
});

const code = await runCli(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interruption.signal,
});
process.exitCode = code === EXIT.interrupted ? interrupted : code;
