import type { Command } from 'commander';
import { EXIT, Failure } from './exit.js';

/** Options that are not called as the field, or the header, that they become. */
const OTHERWISE: Readonly<Record<string, readonly string[]>> = {
  q: ['find'],
  reason: ['because', 'reason'],
  expiresIn: ['expires'],
  tags: ['tag'],
  headers: ['header'],
  permissions: ['permission'],
  'X-Reason': ['reason'],
  'If-Match': ['revision'],
  'Idempotency-Key': ['idempotency-key'],
};

/** What the API says of options, and of what they become. */
const OF_OPTIONS = ['invalid_query', 'invalid_option', 'invalid_body'];

/** What it says of a field that is needed where another is not. */
const WITHOUT = /^must be given without (\w+)$/;

/**
 * A failure in the words of who typed the command: what is wrong with an option that was given, or in a query with an argument, is said by
 * its name there, and is wrong usage. All of a query is: it is made of nothing else.
 */
export function asTyped(failure: Failure, command: Command): Failure {
  const { exit, code = '', errors, hint, cause } = failure;
  if (!OF_OPTIONS.includes(code) || errors.length === 0) return failure;
  const nameOf = (path: string): string => {
    const option = optionFor(command, path);
    const isGiven = option && command.getOptionValueSource(option.attributeName()) === 'cli';
    if (isGiven && option.long) return option.long;
    return code === 'invalid_query' ? argumentOf(command, path) : path;
  };
  const named = errors.map(({ path, message }) => ({
    name: nameOf(path),
    message: message.replace(
      WITHOUT,
      (_, other: string) => `must be given without ${optionFor(command, other)?.long ?? other}`,
    ),
  }));
  const isTyped = named.every(({ name }) => /^(--|<)/.test(name));
  return new Failure(
    isTyped || code === 'invalid_query' ? EXIT.usage : exit,
    named.map(({ name, message }) => `${name} ${message}`).join('; '),
    { code, errors, hint, cause },
  );
}

/** The option that becomes a field, or one in it. */
function optionFor({ options }: Command, path: string): Command['options'][number] | undefined {
  const field = path.split('/', 1)[0] ?? '';
  const longs = (OTHERWISE[field] ?? [field]).map((name) => `--${name}`);
  return options.find(({ long }) => longs.includes(long ?? ''));
}

function argumentOf({ registeredArguments }: Command, field: string): string {
  const isArgument = registeredArguments.some((argument) => argument.name() === field);
  return isArgument ? `<${field}>` : field;
}
