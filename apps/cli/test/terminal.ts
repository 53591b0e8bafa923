import { PassThrough, Readable, Writable } from 'node:stream';
import { runCli } from '../src/cli.js';
import type { Shell } from '../src/shell.js';

/** What a command has shown, and how it ended. */
export interface Shown {
  code: number;
  out: string;
  err: string;
}

export interface TypeOptions {
  env?: Record<string, string>;
  /** What is on standard input. */
  input?: string;
  /** As in a terminal of so many columns; else in pipes. */
  columns?: number;
  /** Ctrl-C. */
  signal?: AbortSignal;
}

/** Runs a command as it was typed: words, of which quotes hold some together. */
export async function type(
  line: string | readonly string[],
  { env = {}, input = '', columns, signal = new AbortController().signal }: TypeOptions = {},
): Promise<Shown> {
  const words =
    typeof line === 'string'
      ? [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
      : line;
  const tty = columns === undefined ? {} : { isTTY: true };
  const stdout = new Collector();
  const stderr = new Collector();
  const code = await runCli(words, {
    env,
    stdin: Object.assign(columns === undefined ? Readable.from([input]) : typed(input), tty),
    stdout: Object.assign(stdout, tty, columns === undefined ? {} : { columns }),
    stderr: Object.assign(stderr, tty),
    signal,
  });
  return { code, out: stdout.text, err: stderr.text };
}

/** A terminal stays open after what was typed. */
function typed(input: string): Readable {
  const stream = new PassThrough();
  if (input !== '') stream.write(input);
  return stream;
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** A shell in which nobody types and nobody looks. */
export function shellOf(env: Record<string, string>): Shell & { stdout: Collector } {
  const [stdout, stderr] = [new Collector(), new Collector()];
  return { env, stdin: Readable.from(['']), stdout, stderr, signal: new AbortController().signal };
}

/** JSON lines. */
export function linesOf<T = Record<string, unknown>>(out: string): T[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
