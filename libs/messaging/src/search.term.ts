import { createHash } from 'node:crypto';
import type { Json, JsonObject } from './json.js';
import { OptionError } from './messaging.errors.js';

/** The most values of one message that it is found by. */
export const MOST_VALUES = 16;

/** The most elements of a list that are looked at. */
const MOST_LOOKED_AT = 100;

/** The most fields of one message type that can be searched. */
const MOST_FIELDS = 8;

/**
 * What a store finds messages by that have this value in a field of their data: the first 132 bits of a SHA-256, which stands for a
 * value of any length. Text and what is written the same, as 42 and '42', are one.
 *
 * @param field name of a field, as the message type declares it in `search`
 * @param tenant finds those of this tenant alone. Absent: those of all, and of none
 */
export function termOf(field: string, value: string | number | boolean, tenant?: string): string {
  const whose = tenant === undefined ? '' : `\n${JSON.stringify(tenant)}`;
  return digest(`${field}\n${JSON.stringify(String(value))}${whose}`);
}

/** What a store finds all messages by that were sent on behalf of a tenant. No field is called so. */
export function tenantTerm(tenant: string): string {
  return digest(`\n${JSON.stringify(tenant)}`);
}

/**
 * The terms of a message: of each field text, a number or a boolean, or the elements of a list of such, at most
 * {@link MOST_VALUES}: before the second value of any field comes the first of all. What else a field holds cannot be searched. Each
 * is a term, one more for the message's tenant, who has one of his own too.
 */
export function termsOf(
  fields: readonly string[],
  data: JsonObject,
  tenant: string | undefined,
): readonly string[] {
  if (fields.length === 0) return tenant === undefined ? [] : [tenantTerm(tenant)];
  const values = fields.map((field) =>
    plainIn(Object.hasOwn(data, field) ? data[field] : undefined),
  );
  const terms = new Set(tenant === undefined ? [] : [tenantTerm(tenant)]);
  const longest = Math.max(...values.map(({ length }) => length));
  let left = MOST_VALUES;
  for (let place = 0; place < longest; place++) {
    for (const [index, field] of fields.entries()) {
      const value = values[index]?.[place];
      if (value === undefined || left-- <= 0) continue;
      terms.add(termOf(field, value));
      if (tenant !== undefined) terms.add(termOf(field, value, tenant));
    }
  }
  return [...terms];
}

/** What of a field can be searched, each once. */
function plainIn(value: Json | undefined): (string | number | boolean)[] {
  const all = Array.isArray(value) ? value : [value];
  const plain = all.filter((each) => ['string', 'number', 'boolean'].includes(typeof each));
  return [...new Set(plain.slice(0, MOST_LOOKED_AT))] as (string | number | boolean)[];
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
