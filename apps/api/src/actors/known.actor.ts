import type { MessageRegistry } from '@callsheet/messaging';
import { AUDIT_LOG } from '../audit/audit.actor.js';
import { ProblemError } from '../problem.js';

/** Names of the actors that are shown and steered, sorted: all but the one that keeps the audit log, which only grows. */
export function knownActors(registry: MessageRegistry): string[] {
  return registry.actors().filter((name) => name !== AUDIT_LOG);
}

/** Requires an actor named in a URL. @throws ProblemError not_found */
export function requireKnownActor(registry: MessageRegistry, name: string): void {
  if (knownActors(registry).includes(name)) return;
  throw new ProblemError('not_found', `there is no actor '${name}'; see /v1/actors`);
}
