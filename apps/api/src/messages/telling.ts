import {
  isGeneratedId,
  MAX_BATCH,
  OptionError,
  type Duration,
  type Priority,
  type Receipt,
  type SendOptions,
  type TellOptions,
} from '@callsheet/messaging';
import { z } from 'zod';
import type { Principal } from '../access/principal.js';
import { ProblemError } from '../problem.js';
import { duration } from '../duration.js';
import { schemas } from '../schema.registry.js';

/** Ids that are given out here: a message of such an id would keep another from its own, or be found in its place. */
const TAKEN = /^(run|due|audit|hook):/;

/**
 * The body that sends one message. It says which fields there are and of which kind; their values are checked by the
 * framework, in one place for every way to send.
 */
export const telling = z
  .strictObject({
    type: z.string().max(127).describe('`<actor>.<verb>`, one of those at /v1/actors'),
    data: z.record(z.string(), z.unknown()).describe("what the message's schema asks for"),
    version: z
      .int()
      .min(1)
      .optional()
      .describe('of the shape that data has; older data is upcast. Default: the one at /v1/actors'),
    id: z
      .string()
      .optional()
      .describe('idempotency key, 1 to 200 characters; also as header Idempotency-Key'),
    priority: z
      .union([z.number(), z.string()])
      .optional()
      .describe(
        'critical, high, normal (default), low, or a whole number from 1, served first, to 2097152',
      ),
    delay: duration.optional().describe("not before this: milliseconds, or a string such as '10s'"),
    at: z.iso
      .datetime({ offset: true })
      .transform((time) => new Date(time))
      .optional()
      .describe('not before this moment, at most a year ahead'),
    ttl: duration.optional().describe('give up when not started within this time'),
    headers: z.record(z.string(), z.string()).optional().describe('at most 32'),
    tenant: z.string().optional().describe('on whose behalf, 1 to 200 characters'),
    replace: z
      .boolean()
      .optional()
      .describe('takes the place of the message with this id, if that is not in work'),
  })
  .register(schemas, { id: 'Telling' });
export type Telling = z.output<typeof telling>;

/** The body that sends many messages, all or none. */
export const batch = z
  .strictObject({ messages: z.array(telling).min(1).max(MAX_BATCH) })
  .register(schemas, { id: 'Batch' });
export type Batch = z.output<typeof batch>;

/** The body that sends one message and waits for its reply. */
export const asking = telling
  .omit({ delay: true, at: true, replace: true })
  .extend({
    timeout: duration.optional().describe("how long to wait; default '10s', at most '25s'"),
  })
  .register(schemas, { id: 'Asking' });
export type Asking = z.output<typeof asking>;

/** What is answered when the message was handled. */
export const answer = z
  .object({
    id: z.string(),
    reply: z.unknown().optional().describe('absent when the message declares none'),
  })
  .register(schemas, { id: 'Answer' });
export type Answer = z.output<typeof answer>;

/** What is answered when a message was cancelled. */
export const cancelled = z
  .object({
    id: z.string(),
    state: z
      .enum(['cancelled', 'cancelling'])
      .describe('cancelling: it is in work, and told to stop; it may still end otherwise'),
  })
  .register(schemas, { id: 'Cancelled' });
export type Cancelled = z.output<typeof cancelled>;

/** What is answered for each message sent. */
export const receipt = z
  .object({
    id: z.string(),
    state: z.enum(['waiting', 'delayed']),
    durability: z
      .enum(['power-safe', 'process-safe', 'memory'])
      .describe('what the stored message survives'),
  })
  .register(schemas, { id: 'Receipt' });

export type StoredReceipt = z.output<typeof receipt>;

/** Outside of handlers a receipt says where the message is. */
export function toStored({ id, state, durability }: Receipt): StoredReceipt {
  return { id, state: state === 'delayed' ? state : 'waiting', durability };
}

/** What is answered for a batch, in its order. */
export const receipts = z
  .object({ messages: z.array(receipt) })
  .register(schemas, { id: 'Receipts' });
export type Receipts = z.output<typeof receipts>;

/**
 * The options of a body.
 *
 * @param by who sends it; what somebody of a tenant sends is of that tenant
 * @param key value of the header Idempotency-Key
 * @throws OptionError when body and header name different ids
 * @throws ProblemError forbidden for another tenant
 */
export function tellOptionsOf(
  { delay, at, replace, ...body }: Telling,
  by: Principal,
  key?: string,
): TellOptions {
  return {
    ...sendOptionsOf(body, by, key),
    delay: delay as Duration | undefined,
    at,
    ...(replace !== undefined && { replace }),
  };
}

/** As {@link tellOptionsOf}, for what every way of sending has. */
export function sendOptionsOf(
  { id, priority, ttl, headers, tenant }: Partial<Omit<Asking, 'timeout'>>,
  by: Principal,
  key?: string,
): SendOptions {
  return {
    id: idOf(id, key),
    priority: priority as Priority | undefined,
    ttl: ttl as Duration | undefined,
    headers,
    tenant: tenantFor(by, tenant),
  };
}

function tenantFor({ name, tenant: own }: Principal, wanted = own): string | undefined {
  if (own === undefined || own === wanted) return wanted;
  throw new ProblemError('forbidden', `'${name}' is of the tenant '${own}' and sends for no other`);
}

/**
 * The id that a message is given by its sender, in the body or as the header Idempotency-Key, if in either.
 *
 * @throws OptionError when they differ
 */
export function idOf(id: string | undefined, key: string | undefined): string | undefined {
  if (id !== undefined && key !== undefined && id !== key) {
    throw new OptionError(
      'id',
      'differs from the header Idempotency-Key; send one of them, or the same',
    );
  }
  const own = id ?? key;
  if (own !== undefined && TAKEN.test(own)) {
    throw new OptionError('id', "must not begin with 'run:', 'due:', 'hook:' or 'audit:'");
  }
  if (own !== undefined && isGeneratedId(own)) {
    throw new OptionError('id', 'is as those that are given out to messages without one');
  }
  return own;
}
