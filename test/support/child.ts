import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd } from './cleanup.js';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** User and group to run as; needs root. */
  uid?: number;
  gid?: number;
}

const live = new Set<Child>();
process.once('exit', () => live.forEach((child) => child.signal('SIGKILL')));

/**
 * A process that a test started. It shares nothing with the test runner's own streams, is signalled by its pid alone, and
 * ends at the latest with the test file.
 */
export class Child {
  readonly pid: number | undefined;
  /** Everything it wrote so far. */
  stdout = '';
  stderr = '';
  /** Resolves when it ended and all it wrote has been read. */
  readonly exited: Promise<Exit>;
  private exit: Exit | undefined;
  private readonly process;

  constructor(
    readonly command: string,
    args: readonly string[],
    options: ChildOptions = {},
  ) {
    this.process = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.pid = this.process.pid;
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    live.add(this);
    atEnd(() => this.kill());
    this.exited = this.ending();
  }

  get running(): boolean {
    return this.exit === undefined;
  }

  /** What it wrote, for the message of an error. */
  get output(): string {
    return `${this.stdout}${this.stderr}`;
  }

  /** Sends a signal; false when the process is gone. */
  signal(signal: NodeJS.Signals): boolean {
    return this.running && this.process.kill(signal);
  }

  /** Asks it to end with `signal`, and kills it if it does not within `grace` milliseconds. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', grace = 30_000): Promise<Exit> {
    const timer = setTimeout(() => this.signal('SIGKILL'), grace);
    this.signal(signal);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  /** `kill -9`: no handler of the process runs. */
  kill(): Promise<Exit> {
    return this.stop('SIGKILL');
  }

  private async ending(): Promise<Exit> {
    const exit = await new Promise<Exit>((resolve) => {
      this.process.once('exit', (code, signal) => resolve({ code, signal }));
      this.process.once('error', (error) => {
        this.stderr += error.message;
        resolve({ code: null, signal: null });
      });
    });
    this.exit = exit;
    live.delete(this);
    await Promise.race([this.drained(), delay(5_000, undefined, { ref: false })]);
    return exit;
  }

  /** The end of both streams: then no process that inherited them (a backend of PostgreSQL) is left either. */
  private drained(): Promise<unknown> {
    return Promise.all([closed(this.process.stdout), closed(this.process.stderr)]);
  }
}

async function closed(stream: Readable): Promise<void> {
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
}
