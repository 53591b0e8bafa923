import { createHash } from 'node:crypto';
import type { JsonObject } from './json.js';
import { OptionError } from './messaging.errors.js';

/** The most terms of one message. */
export const MOST_TERMS = 16;

/** The most fields of one message type that can be searched. */
const MOST_FIELDS = 8;

/** A term: the first 132 bits of a SHA-256. Stores keep it in place of the value, which may be long, and is nobody's business. */
export const TERM = /^[\w-]{22}$/;

/**
 * What a store finds messages by that have this value in a field of their data. Text and what is written the same, as 42 and
 * '42', are one.
 *
 * @param field name of a field, as the message type declares it in `search`
 */
export function termOf(field: string, value: string | number | boolean): string {
  return digest(`${field}\n${value}`);
}

/** What a store finds messages by that were sent on behalf of a tenant. No field is called so. */
export function tenantTerm(tenant: string): string {
  return digest(`\n${tenant}`);
}

/**
 * The terms of a message: of each field text, a number or a boolean, or the elements of a list of such; at most
 * {@link MOST_TERMS}. What else a field holds cannot be searched.
 */
export function termsOf(
  fields: readonly string[],
  data: JsonObject,
  tenant: string | undefined,
): readonly string[] {
  if (fields.length === 0 && tenant === undefined) return [];
  const terms = new Set(tenant === undefined ? [] : [tenantTerm(tenant)]);
  for (const field of fields) {
    const value = Object.hasOwn(data, field) ? data[field] : undefined;
    for (const each of Array.isArray(value) ? value : [value]) {
      const isPlain = ['string', 'number', 'boolean'].includes(typeof each);
      if (isPlain && terms.size < MOST_TERMS) terms.add(termOf(field, each as string));
    }
  }
  return [...terms];
}

/** @throws OptionError for what are no fields that can be searched */
export function checkSearch(type: string, fields: unknown, secret: readonly string[]): void {
  const path = `${type} search`;
  const isList =
    Array.isArray(fields) &&
    fields.length <= MOST_FIELDS &&
    fields.every((field) => typeof field === 'string' && /^[\w$-]{1,64}$/.test(field));
  if (!isList) throw new OptionError(path, `must be at most ${MOST_FIELDS} names of fields`);
  const hidden = (fields as string[]).find((field) =>
    secret.some((each) => each === field || each.startsWith(`${field}.`)),
  );
  if (hidden !== undefined) {
    throw new OptionError(path, `must not name '${hidden}', which is secret`);
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
