import type { Command } from 'commander';
import { EXIT, Failure } from './exit.js';

/** Options that are not called as the field that they become. */
const OTHERWISE: Readonly<Record<string, string>> = { q: 'find', reason: 'because' };

/** What the API says of a query, or of options. */
const OF_OPTIONS = ['invalid_query', 'invalid_option'];

/**
 * A failure in the words of who typed the command: what is wrong with an option or an argument is said by its name there. That is wrong
 * usage, and so is all of a query, which is made of nothing else.
 */
export function asTyped(failure: Failure, command: Command): Failure {
  const { exit, code = '', errors, hint, cause } = failure;
  if (!OF_OPTIONS.includes(code) || errors.length === 0) return failure;
  const named = errors.map(({ path, message }) => ({
    path: nameOf(command, path),
    message: message.replace(/\bq\b/g, (q) => nameOf(command, q)),
  }));
  const isTyped = named.every(({ path }) => /^(--|<)/.test(path));
  return new Failure(
    isTyped || code === 'invalid_query' ? EXIT.usage : exit,
    named.map(({ path, message }) => `${path} ${message}`).join('; '),
    { code, errors: named, hint, cause },
  );
}

function nameOf({ options, registeredArguments }: Command, field: string): string {
  const longs = [OTHERWISE[field], field].map((name) => `--${name}`);
  const option = options.find(({ long }) => long && longs.includes(long));
  const isArgument = registeredArguments.some((argument) => argument.name() === field);
  return option?.long ?? (isArgument ? `<${field}>` : field);
}
