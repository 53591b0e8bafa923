/** How a command ended, as scripts see it. Written down in docs/guide/cli.md. */
export const EXIT = {
  ok: 0,
  /** It could not be done, or was found wrong. */
  failed: 1,
  /** What was typed is no command. */
  usage: 2,
  notFound: 3,
  /** The credentials do not hold, or do not permit it. */
  refused: 4,
  /** The API is not there, or says that it cannot work now. */
  unreachable: 5,
  /** Ctrl-C, as shells count it. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One thing that is wrong with what was sent. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** A command ends here: what is wrong, where, and what to do about it. */
export class Failure extends Error {
  /** Of the API's problem; undefined when there is none. */
  readonly code: string | undefined;
  readonly errors: readonly Fault[];
  /** What to do. */
  readonly hint: string | undefined;

  constructor(
    readonly exit: ExitCode,
    message: string,
    {
      code,
      errors = [],
      hint,
      cause,
    }: { code?: string; errors?: readonly Fault[]; hint?: string; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.errors = errors;
    this.hint = hint;
  }

  /** The same, with one more thing that can be done. */
  hinting(more: string): Failure {
    const { exit, message, code, errors, cause } = this;
    const hint = this.hint === undefined ? more : `${this.hint}; ${more}`;
    return new Failure(exit, message, { code, errors, hint, cause });
  }

  /** As `--json` shows it on standard error. */
  toJSON(): object {
    const { exit, code, message, errors, hint } = this;
    return {
      ...{ exit, code, detail: message },
      errors: errors.length > 0 ? errors : undefined,
      hint,
    };
  }
}

/** What was typed cannot be done as it stands. */
export function misuse(message: string, hint?: string): Failure {
  return new Failure(EXIT.usage, message, { hint });
}
