import { styleText } from 'node:util';
import type { Failure } from './exit.js';
import type { Shell } from './shell.js';
import { fitted, harmless, tabbed, textOf, type Columns } from './table.js';

/** Lines of which a terminal shows no more. */
const FALLBACK_WIDTH = 80;

/**
 * What a command shows. With `--json` standard output has JSON and nothing else: one document, or of a list a line for each entry.
 * Else tables and lines: in a terminal fitted to it, in pipes whole, with tabs between columns.
 */
export class Output {
  constructor(
    private readonly shell: Shell,
    readonly isJson: boolean,
  ) {}

  /** A list: shown when it is whole, and as JSON an entry at a time. */
  async list<T>(columns: Columns<T>, items: AsyncIterable<T> | Iterable<T>): Promise<void> {
    const all: T[] = [];
    for await (const item of items) {
      if (this.isJson) this.write(`${JSON.stringify(item)}\n`);
      else all.push(item);
    }
    if (this.isJson) return;
    if (all.length === 0) this.note('none');
    else this.table(columns, all);
  }

  /** One document. @param text what a person is shown of it, in which there may be text of others */
  show(value: unknown, text: () => string): void {
    this.document(value, () => harmless(text()));
  }

  /** Fields of a document, a line for each. */
  fields(value: object, fields: readonly (readonly [name: string, value: unknown])[]): void {
    this.document(value, () => this.aligned(fields));
  }

  /** Beside the answer, for the person: on standard error. Programs have it from the answer. */
  note(text: string): void {
    if (this.isJson) return;
    this.shell.stderr.write(ended(harmless(text)));
  }

  /** What went wrong, and what to do. */
  fail(failure: Failure): void {
    if (this.isJson) {
      this.shell.stderr.write(`${JSON.stringify(failure)}\n`);
      return;
    }
    const { code, message, errors, hint } = failure;
    const paths = errors
      .filter(({ message: each }) => !message.includes(each) || errors.length > 1)
      .map(({ path, message: each }) => `  ${path || 'body'}: ${each}`);
    const [first, ...rest] = [
      `callsheet: ${message}${code === undefined ? '' : ` (${code})`}`,
      ...paths,
      ...(hint === undefined ? [] : [`  ${hint}`]),
    ];
    const head = this.styled('red', first, this.shell.stderr);
    this.shell.stderr.write(`${[head, ...rest.map(harmless)].join('\n')}\n`);
  }

  private document(value: unknown, text: () => string): void {
    this.write(this.isJson ? `${JSON.stringify(value)}\n` : ended(text()));
  }

  private table<T>(columns: Columns<T>, items: readonly T[]): void {
    const { stdout } = this.shell;
    if (stdout.isTTY !== true) return this.write(`${tabbed(columns, items).join('\n')}\n`);
    const [head = '', ...rows] = fitted(columns, items, stdout.columns ?? FALLBACK_WIDTH);
    this.write(`${[this.styled('bold', head, stdout), ...rows].join('\n')}\n`);
  }

  private aligned(fields: readonly (readonly [name: string, value: unknown])[]): string {
    const given = fields.filter(([, value]) => value !== undefined);
    const width = Math.max(...given.map(([name]) => name.length));
    return given
      .map(([name, value]) => {
        const shown = blockOf(value);
        const label = this.styled('bold', name.padEnd(width), this.shell.stdout);
        return `${label}  ${shown.replaceAll('\n', `\n${' '.repeat(width + 2)}`)}`;
      })
      .join('\n');
  }

  private styled(
    style: 'red' | 'bold',
    text: string,
    stream: Shell['stdout'] | Shell['stderr'],
  ): string {
    const { NO_COLOR, TERM } = this.shell.env;
    const isPlain = stream.isTTY !== true || !!NO_COLOR || TERM === 'dumb';
    return isPlain ? harmless(text) : styleText(style, harmless(text), { validateStream: false });
  }

  private write(text: string): void {
    this.shell.stdout.write(text);
  }
}

/** Text of others as an argument that a person may copy into a shell. */
export function argument(text: string): string {
  const word = /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
  return text.startsWith('-') ? `-- ${word}` : word;
}

/** Over several lines, where that reads better. */
function blockOf(value: unknown): string {
  if (typeof value === 'string' && value.includes('\n')) return harmless(value);
  const isDeep = typeof value === 'object' && value !== null;
  const line = textOf(value);
  return isDeep && line.length > 60 ? harmless(JSON.stringify(value, undefined, 2)) : line;
}

function ended(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
