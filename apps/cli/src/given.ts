import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { InvalidArgumentError } from 'commander';
import { misuse } from './exit.js';
import { isAttended, type Shell } from './shell.js';

/** A whole number of 1 or more. */
export const toCount: (given: string) => number = toCountUpTo(9_999_999);

/** The same, up to `most`. */
export function toCountUpTo(most: number): (given: string) => number {
  return (given) => {
    if (/^[1-9]\d{0,6}$/.test(given) && Number(given) <= most) return Number(given);
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`);
  };
}

/** A name, or a number where it is one: the API takes both. */
export function toPriority(given: string): string | number {
  return /^\d+$/.test(given) ? Number(given) : given;
}

/** `name=value`, collected. */
export function toHeader(
  given: string,
  before: Record<string, string> = {},
): Record<string, string> {
  const at = given.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be name=value.');
  return { ...before, [given.slice(0, at)]: given.slice(at + 1) };
}

/** One of several of a name. */
export function toList(given: string, before: string[] = []): string[] {
  return [...before, given];
}

/** JSON if it is that, else text. */
export function toJson(given: string): unknown {
  try {
    return JSON.parse(given) as unknown;
  } catch {
    return given;
  }
}

/**
 * JSON that is given as an argument: itself, `-` for standard input, or `@` and the name of a file.
 *
 * @param what names it in errors: 'data'
 * @throws Failure for what cannot be read, or is no object
 */
export async function jsonGiven(shell: Shell, given: string, what: string): Promise<object> {
  const source = given === '-' ? 'standard input' : given.startsWith('@') ? given.slice(1) : '';
  const json = source === '' ? given : await wholeOf(shell, given);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    const where = source === '' ? '' : ` in ${source}`;
    throw misuse(
      `${what}${where} is no JSON: ${(error as Error).message}`,
      `write it in single quotes, '{"name":"Ada"}', as @file.json, or - for standard input`,
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw misuse(`${what} must be a JSON object, such as '{"name":"Ada"}'`);
}

/** A file by its name, or standard input for `-`, to be read piece by piece. */
export function streamOf(shell: Shell, given: string): Readable {
  return given === '-' ? shell.stdin : createReadStream(given);
}

async function wholeOf(shell: Shell, given: string): Promise<string> {
  if (given === '-') {
    if (isAttended(shell)) shell.stderr.write('reading JSON from the terminal; Ctrl-D ends it\n');
    return text(shell.stdin);
  }
  return readFile(given.slice(1), 'utf8').catch((error: Error) => {
    throw misuse(`cannot read the file: ${error.message}`);
  });
}
