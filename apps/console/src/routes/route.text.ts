import type { Shown } from '../api/client.js';

type Route = Shown['Route'];

/** What a route takes, in a line. */
export function matchText({
  type,
  topic,
  headers,
  priority,
  tenant,
  when,
}: Route['match']): string {
  const parts = [
    type && `type ${type}`,
    topic && `topic ${topic}`,
    ...Object.entries(headers ?? {}).map(([name, value]) => `header ${name} = ${value}`),
    priority && `priority ${priority.min ?? 'any'} to ${priority.max ?? 'any'}`,
    tenant && `tenant ${tenant}`,
    when,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(' and ') : 'every event';
}

/** Who gets a copy, in a line. */
export function receiverText(to: Route['to'][number]): string {
  return typeof to === 'string' ? to : `one of ${to.oneOf.join(', ')} by ${to.by}`;
}

/** What of a route can be changed, to be edited as JSON. */
export function editableOf(route: Route): object {
  const { id: _, revision: __, changedAt: ___, ...rest } = route;
  return rest;
}
