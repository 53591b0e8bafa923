import type { Json } from '../json.js';

const ACTOR = 'actor:';

/** The owner of what is bound for an actor. */
export function ownerOf(actor: string): string {
  return ACTOR + actor;
}

/** The actor that is this owner; undefined for other owners. */
export function actorOf(owner: string): string | undefined {
  return owner.startsWith(ACTOR) ? owner.slice(ACTOR.length) : undefined;
}

/** What is bound for an actor: its subscriptions, as one release of its code declares them. */
export interface ActorBinding {
  /** A digest of them; undefined when no release has declared them. */
  readonly release: string | undefined;
  /** Grows with each release that comes into force. */
  readonly revision: number;
  /** A list of `Subscription`, unless somebody else has written it. */
  readonly subscriptions: unknown;
}

/** @param value as it is bound: a plain list is one that no release has declared */
export function actorBindingOf(value: Json | undefined): ActorBinding {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { release: undefined, revision: 0, subscriptions: value };
  }
  const { release, revision, subscriptions } = value;
  return {
    release: typeof release === 'string' ? release : undefined,
    revision: typeof revision === 'number' ? revision : 0,
    subscriptions,
  };
}
