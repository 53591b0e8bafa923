import type { Redis } from 'ioredis';

/** One hash tag, so that every script may touch every queue on a cluster too. */
export const PREFIX = '{callsheet}';

// What belongs to no queue: a point behind the tag, because BullMQ puts a colon there, and an actor may have any name.

/** Never there. */
export const NOTHING = `${PREFIX}.nothing`;

/** Prefix of the ids that are remembered. */
export const REMEMBERED = `${PREFIX}.sent:`;

/** Prefix of what is noted for a while: JSON. */
export const NOTES = `${PREFIX}.notes:`;

/** Hash of what leads events to actors: by owner, JSON. */
export const BINDINGS = `${PREFIX}.bindings`;

/** Its field that names their version. */
export const BINDINGS_VERSION = '';

/** Prefix of sorted sets, one for each actor: releases of it by when they were there last. */
export const RELEASES = `${PREFIX}.releases:`;

/** Channels belong to the whole server: those of another database carry notices of another store. */
export interface Channels {
  /** On which the storage ids of messages are told that are cancelled while they are in work. */
  readonly cancelled: string;
  /** Prefix of the channels of inboxes. */
  readonly inbox: string;
  /** Prefix of the channels of signals. */
  readonly signal: string;
}

/** Those of the database that a client uses. */
export function channelsOf({ options: { db = 0 } }: Pick<Redis, 'options'>): Channels {
  const own = `${PREFIX}.${db}`;
  return { cancelled: `${own}.cancelled`, inbox: `${own}.inbox:`, signal: `${own}.signal:` };
}
