import type { CelInput, CelMap } from '@bufbuild/cel';
import type { Json } from '../json.js';
import { cel } from './cel.js';
import { timestampOf } from './filter.time.js';
import type { RoutedEvent } from './route.js';

/** What filters call the parts of an event. */
export type Variables = Record<string, CelInput>;

/** Their names. */
export const VARIABLES: ReadonlySet<string> = new Set([
  ...['data', 'headers', 'type', 'topic', 'priority', 'tenant', 'time'],
]);

/** An event as filters see it. */
export function variablesOf(event: RoutedEvent): Variables {
  const { data, headers, type, topic, priority, tenant = '', sentAt } = event;
  return {
    // Nothing can be named that is not in it, `constructor` say.
    __proto__: null,
    data: valueOf(data),
    headers: mapOf(new Map(Object.entries(headers))),
    type,
    topic,
    priority,
    tenant,
    time: timestampOf(sentAt),
  } as unknown as Variables;
}

/** The library would take an object with `$typeName` for a message, and ask any for its `constructor`. */
function valueOf(json: Json): CelInput {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return cel().celList(json.map(valueOf));
  return mapOf(new Map(Object.entries(json).map(([key, value]) => [key, valueOf(value)])));
}

function mapOf(entries: ReadonlyMap<string, CelInput>): CelMap {
  const map = cel().celMap(entries);
  // The library's own says no to a key whose value is null.
  map.has = (key) => typeof key === 'string' && entries.has(key);
  return map;
}
