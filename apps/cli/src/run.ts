import type { Command } from 'commander';
import { Api } from './api.js';
import { Failure } from './exit.js';
import { Output } from './output.js';
import { Progress } from './progress.js';
import { Questions } from './questions.js';
import type { Shell } from './shell.js';
import { asTyped } from './wording.js';

/** Options that several commands have. */
export interface Common {
  json?: boolean;
  yes?: boolean;
  reason?: string;
  idempotencyKey?: string;
}

/** One run of one command: what it works with. */
export class Run {
  readonly out: Output;
  readonly questions: Questions;
  private known?: Api;

  constructor(
    readonly shell: Shell,
    private readonly options: Common,
  ) {
    this.out = new Output(shell, options.json === true);
    this.questions = new Questions(shell, options);
  }

  get api(): Api {
    return (this.known ??= new Api(this.shell, this.options.idempotencyKey));
  }

  /** What a call says of why it is made. */
  async because(): Promise<{ headers: { 'x-reason'?: string } }> {
    return { headers: reasonHeader(await this.questions.reason()) };
  }

  progress(what: string, total?: number): Progress {
    return new Progress(this.out.isJson ? undefined : this.shell.stderr, what, total);
  }
}

/** Headers are bytes: text beyond ASCII goes as UTF-8. */
export function reasonHeader(reason: string | undefined): { 'x-reason'?: string } {
  return reason === undefined ? {} : { 'x-reason': Buffer.from(reason).toString('latin1') };
}

/**
 * What a command does, as commander calls it.
 *
 * @param act is given the run, the arguments, and the options
 */
export function doing<A extends unknown[], O extends object>(
  shell: Shell,
  act: (run: Run, args: A, options: O & Common) => Promise<void> | void,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const options = command.opts<O & Common>();
    try {
      await act(new Run(shell, options), command.processedArgs as A, options);
    } catch (error) {
      throw error instanceof Failure ? asTyped(error, command) : error;
    }
  };
}

/** A part of a path, as URLs have it. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}
