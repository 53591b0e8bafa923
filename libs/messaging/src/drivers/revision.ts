import type { Json } from '../json.js';

/** The number `revision` of what is bound; undefined where it has none. */
export function revisionOf(value: Json | undefined): number | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return typeof value['revision'] === 'number' ? value['revision'] : undefined;
}
