import { createInterface, type Interface } from 'node:readline';
import { EXIT, Failure, misuse } from './exit.js';
import { isAttended, type Shell } from './shell.js';

/** Asks the person at the terminal; without one nobody is asked. */
export class Questions {
  private lines?: Interface;
  private answers?: AsyncIterator<string>;

  constructor(
    private readonly shell: Shell,
    private readonly given: { yes?: boolean; reason?: string },
  ) {}

  /** @throws Failure when the answer is no, or nobody is there to say yes */
  async confirm(what: string): Promise<void> {
    if (this.given.yes) return;
    if (!isAttended(this.shell)) {
      throw misuse(`${what}: nobody is here to be asked`, 'say --yes to have it done');
    }
    const answer = await this.ask(`${what}. Do it? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Failure(EXIT.failed, 'nothing was done');
  }

  /** Why it is done, for the audit log: as `--reason` says, or as the person does, who may leave it empty. */
  async reason(): Promise<string | undefined> {
    const { reason, yes } = this.given;
    if (reason !== undefined || yes || !isAttended(this.shell)) return reason;
    const answer = (await this.ask('Why? (for the audit log; Ctrl-C stops) ')).trim();
    return answer === '' ? undefined : answer;
  }

  /** The same where there must be one. */
  async requiredReason(): Promise<string> {
    const reason = await this.reason();
    if (reason !== undefined && reason !== '') return reason;
    throw misuse('a reason is needed', "say why: --reason 'too loud'");
  }

  private async ask(question: string): Promise<string> {
    const { stdin, stderr, signal } = this.shell;
    signal.throwIfAborted();
    stderr.write(question);
    // Kept for all questions: it may have read more than one answer.
    this.lines ??= createInterface({ input: stdin, terminal: false });
    this.answers ??= this.lines[Symbol.asyncIterator]();
    this.lines.resume();
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    try {
      // Ctrl-D ends the input without an answer.
      const { value } = await Promise.race([this.answers.next(), stopped]);
      return (value as string | undefined) ?? '';
    } finally {
      // Else it would keep the process.
      this.lines.pause();
    }
  }
}
