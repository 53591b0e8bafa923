import type { MessageRegistry } from '@callsheet/messaging';
import { ProblemError } from '../problem.js';

/** Requires an actor named in a URL. @throws ProblemError not_found */
export function requireKnownActor(registry: MessageRegistry, name: string): void {
  if (registry.actors().includes(name)) return;
  throw new ProblemError('not_found', `there is no actor '${name}'; see /v1/actors`);
}
