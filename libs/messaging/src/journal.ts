import type { Json, JsonObject } from './json.js';
import { Inspection } from './json.js';
import { OptionError } from './messaging.errors.js';

/** The most rows that one turn may add to the journal of its key. */
export const MOST_ROWS = 1_000;
/** The most bytes of JSON in one row. */
const ROW_BYTES = 4_096;

/** How many rows of a key are kept, unless its actor says otherwise, and at most. */
export const KEEP = 1_000;
export const MOST_KEPT = 100_000;

/** Ids of rows on every store: numbers that none of them finds too large. */
const ROW_ID = /^(?!0+-0+$)\d{1,16}-\d{1,18}$/;

/** @throws OptionError for what is no plain object of JSON, or too large */
export function toRow(row: unknown): JsonObject {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    throw new OptionError('row', 'of the journal must be a plain object');
  }
  const answer = plainJson(row, ROW_BYTES);
  if ('problem' in answer) throw new OptionError(`row${answer.path}`, answer.problem);
  return answer.json as JsonObject;
}

/** @throws OptionError for what cannot be the id of a row */
export function checkedRowId(id: string, path: string): string {
  if (typeof id === 'string' && ROW_ID.test(id)) return id;
  throw new OptionError(path, 'must be the id of a row of the journal');
}

/** A copy of a value that JSON says as it is, in at most so many bytes; else what is wrong with it, and where. */
export function plainJson(
  value: unknown,
  most: number,
): { json: Json } | { path: string; problem: string } {
  const { found, plain, copy, bound } = new Inspection(value);
  const [first] = found;
  if (first) return { path: first.path && `/${first.path}`, problem: first.message };
  if (!plain) {
    const problem = 'must be plain JSON: without undefined, BigInt, Date, Map, Set and bytes';
    return { path: '', problem };
  }
  if (bound > most && Buffer.byteLength(JSON.stringify(copy)) > most) {
    return { path: '', problem: `is larger than ${most} bytes` };
  }
  return { json: copy as Json };
}
