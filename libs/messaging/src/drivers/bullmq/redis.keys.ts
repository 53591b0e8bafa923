/** One hash tag, so that every script may touch every queue on a cluster too. */
export const PREFIX = '{callsheet}';

// What belongs to no queue: a point behind the tag, because BullMQ puts a colon there, and an actor may have any name.

/** Prefix of the ids that are remembered. */
export const REMEMBERED = `${PREFIX}.sent:`;

/** Hash of the events that actors get copies of: by actor, a JSON list of types. */
export const SUBSCRIPTIONS = `${PREFIX}.subscriptions`;

/** Channel on which the storage ids of messages are told that are cancelled while they are in work. */
export const CANCELLED = `${PREFIX}.cancelled`;

/** Prefix of the channels of inboxes. */
export const INBOX = `${PREFIX}.inbox:`;
