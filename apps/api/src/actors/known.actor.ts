import type { MessageRegistry } from '@callsheet/messaging';
import { AUDIT_LOG } from '../audit/audit.actor.js';
import { CANARY } from '../health/canary.actor.js';
import { may, type Principal } from '../access/principal.js';
import { badQuery } from '../page.js';
import { ProblemError } from '../problem.js';

/** The API's own, of which there is nothing to steer: the one that keeps the audit log, and the one that readiness asks. */
export const OWN_ACTORS: readonly string[] = [AUDIT_LOG, CANARY];

/** How many actors an error names. */
const MOST_NAMED = 20;

/** Names of the actors that are shown and steered, sorted: all but the API's own. */
export function knownActors(registry: MessageRegistry): string[] {
  return registry.actors().filter((name) => !OWN_ACTORS.includes(name));
}

/** Requires an actor named in a URL. @throws ProblemError not_found */
export function requireKnownActor(registry: MessageRegistry, name: string): void {
  if (knownActors(registry).includes(name)) return;
  throw new ProblemError('not_found', `there is no actor '${name}'; ${knownNames(registry)}`);
}

/** That a field names no actor; and which there are, to whom may see them. */
export function unknownActor(registry: MessageRegistry, name: string, by: Principal): string {
  const isTold = by.tenant === undefined && may(by, 'actors:read');
  return `'${name}' is not known${isTold ? `; ${knownNames(registry)}` : ''}`;
}

/** Requires an actor named in a query, if one is. @throws ProblemError invalid_query */
export function requireActorIn(
  registry: MessageRegistry,
  { actor }: { actor?: string },
  by: Principal,
): void {
  if (actor === undefined || knownActors(registry).includes(actor)) return;
  throw badQuery('actor', unknownActor(registry, actor, by));
}

function knownNames(registry: MessageRegistry): string {
  const names = knownActors(registry);
  const more =
    names.length > MOST_NAMED ? `, and ${names.length - MOST_NAMED} more; see /v1/actors` : '';
  return `known are ${names.slice(0, MOST_NAMED).join(', ') || 'none'}${more}`;
}
