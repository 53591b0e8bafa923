import type { Json } from '../json.js';

/** Of a message class: the fields whose values never leave the store, as `token` or, inside another, `card.number`. */
export interface Secrecy {
  readonly secret?: readonly string[];
}

/** Stands for a secret wherever one is left out. */
export const SECRET = '[secret]';

/** A value shorter than this is not masked in text: it would be found in innocent words. */
const SHORTEST = 6;
const SPECIAL = /[.*+?^${}()|[\]\\]/g;

/**
 * A copy of a message's data without its secrets. A path that goes through a list means every element of it.
 *
 * @param meta of the message's class; without one, nothing is known to be secret
 */
export function redact(meta: Secrecy | undefined, data: Json): Json {
  const paths = pathsOf(meta);
  return paths.length === 0 ? data : without(data, paths);
}

/**
 * What hides the values of secret fields in any text, the message of an error say. Values of six characters or more are
 * found whole, as they stand and as a URL or a JSON string would have them; not parts of them, nor what a
 * schema or handler made of them.
 *
 * @param meta of the message's class; without one, the text stays as it is
 */
export function masker(meta: Secrecy | undefined, data: Json): (text: string) => string {
  const texts = pathsOf(meta)
    .flatMap((path) => textsAt(data, path))
    .filter((text) => text.length >= SHORTEST)
    .flatMap((text) => [text, urlEncoded(text), escaped(text)]);
  if (texts.length === 0) return (text) => text;
  // In one pass, and the longest first: one may be part of another, or of what stands for it.
  const longestFirst = [...new Set(texts)].sort((a, b) => b.length - a.length);
  const any = new RegExp(longestFirst.map((each) => each.replace(SPECIAL, '\\$&')).join('|'), 'g');
  return (text) => text.replace(any, SECRET);
}

function pathsOf(meta: Secrecy | undefined): string[][] {
  return (meta?.secret ?? []).map((path) => path.split('.'));
}

function without(value: Json, paths: readonly string[][]): Json {
  if (paths.length === 0) return value;
  if (paths.some((path) => path.length === 0)) return SECRET;
  if (Array.isArray(value)) return value.map((each) => without(each, paths));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [
      name,
      without(
        child,
        paths.filter(([first]) => first === name).map(([, ...rest]) => rest),
      ),
    ]),
  );
}

/** The texts at a path, and below it. */
function textsAt(value: Json | undefined, path: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => textsAt(each, path));
  if (typeof value === 'object' && value !== null) {
    const [name, ...rest] = path;
    if (name === undefined) return Object.values(value).flatMap((each) => textsAt(each, []));
    return Object.hasOwn(value, name) ? textsAt(value[name], rest) : [];
  }
  if (path.length > 0 || (typeof value !== 'string' && typeof value !== 'number')) return [];
  return [String(value)];
}

function urlEncoded(text: string): string {
  // A lone surrogate, which no URL can have, would throw.
  return /\p{Surrogate}/u.test(text) ? text : encodeURIComponent(text);
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
