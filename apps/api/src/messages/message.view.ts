import {
  hasEnded,
  storageId,
  unreadable,
  type AttemptRecord,
  type JsonObject,
  type MessageRecord,
  type Sent,
} from '@callsheet/messaging';
import { z } from 'zod';
import { schemas } from '../schema.registry.js';

const time = z.iso.datetime();
/** A `traceparent` of W3C Trace Context. */
const TRACE = /^[0-9a-f]{2}-([0-9a-f]{32})-/;

/** A failed attempt. */
export const attemptView = z.object({
  attempt: z.int(),
  startedAt: time,
  finishedAt: time,
  error: z.object({
    name: z.string(),
    message: z.string(),
    code: z.string().optional(),
    stack: z.string().optional(),
  }),
});

/** A message as the API shows it. Times are ISO 8601 in UTC. */
export const messageView = z
  .object({
    id: z.string(),
    type: z.string(),
    actor: z.string().describe('who handles it: of an event, whose copy it is'),
    job: z.string().describe('its name on the board'),
    state: z
      .enum(['waiting', 'delayed', 'parked', 'active', 'done', 'dead', 'cancelled'])
      .describe('parked: behind another message of its key, or its key is quarantined'),
    topic: z
      .string()
      .optional()
      .describe('under which it was published, when that is not its type'),
    key: z.string().optional().describe('which instance of the actor it is for'),
    version: z.int().describe("of the data's shape"),
    priority: z.int().describe('1 is served first'),
    data: z.record(z.string(), z.unknown()).describe('without secrets'),
    unreadable: z
      .string()
      .optional()
      .describe('why data is shown as it is stored: it is encrypted, and cannot be decrypted here'),
    headers: z.record(z.string(), z.string()),
    tenant: z.string().optional(),
    correlationId: z
      .string()
      .optional()
      .describe('first message of the chain; absent when it is this one'),
    causationId: z.string().optional().describe('the message whose turn sent this one'),
    traceId: z.string().optional().describe('the trace in which it was sent'),
    reply: z.unknown().optional().describe('what its handler answered'),
    effects: z
      .object({
        total: z.int(),
        items: z
          .array(z.object({ id: z.string(), actor: z.string() }))
          .describe(
            'of the first twenty those that the asker may see; what has ended long ago may be gone',
          ),
      })
      .optional()
      .describe('messages that its turn sent; absent: none, or it is not done'),
    sentAt: time,
    dueAt: time.optional().describe('not before this'),
    deadline: time.optional().describe('not started after this'),
    startedAt: time.optional().describe('start of the latest attempt'),
    finishedAt: time.optional(),
    attempts: z.array(attemptView).describe('failed attempts, oldest first, at most the last 50'),
    attemptsLeft: z
      .int()
      .optional()
      .describe(
        'of a message that failed and has not ended: how often it is tried at most from now on, an attempt in work included; absent when its last failure quarantined its key',
      ),
    nextAttemptAt: time
      .optional()
      .describe(
        'of a delayed message: when it is to start, the first time or again; absent when it was handed back or postponed',
      ),
    reason: z
      .enum(['exhausted', 'rejected', 'invalid', 'unhandled', 'expired', 'crashed', 'quarantined'])
      .optional()
      .describe('why it is dead'),
    error: z.string().optional().describe('the last failure of a message that is not done'),
    redrives: z.int().describe('how often it was redriven'),
    waitMs: z.int().optional().describe('from when it could be handled to its first start'),
    latencyMs: z
      .int()
      .optional()
      .describe(
        'from when it could be handled to its end, waits between attempts and before a redrive included',
      ),
  })
  .register(schemas, { id: 'Message' });
export type MessageView = z.infer<typeof messageView>;

/**
 * What the store knows of a message, as the API shows it.
 *
 * @param data what of its data is shown
 * @param tenant whose messages the asker may see; undefined: all
 */
export function toMessageView(
  record: MessageRecord,
  data: JsonObject,
  tenant?: string,
): MessageView {
  const { envelope, state, history, startedAt, finishedAt, reason, redrives, reply, sent } = record;
  const ready = envelope.dueAt ?? envelope.sentAt;
  const first = history[0]?.startedAt ?? startedAt;
  const next = nextAttemptOf(record);
  return {
    id: envelope.id,
    type: envelope.type,
    actor: envelope.actor,
    job: storageId(envelope),
    state,
    topic: envelope.topic,
    key: envelope.key,
    version: envelope.version,
    priority: envelope.priority,
    data,
    unreadable: unreadable(envelope),
    headers: envelope.headers,
    tenant: envelope.tenant,
    correlationId: envelope.correlationId,
    causationId: envelope.causationId,
    traceId: TRACE.exec(envelope.traceparent ?? '')?.[1],
    reply: reply?.data,
    effects: sent && { total: sent.count, items: effectsOf(sent, tenant) },
    sentAt: iso(envelope.sentAt),
    dueAt: envelope.dueAt === undefined ? undefined : iso(envelope.dueAt),
    deadline: envelope.deadline === undefined ? undefined : iso(envelope.deadline),
    startedAt: startedAt === undefined ? undefined : iso(startedAt),
    finishedAt: finishedAt === undefined ? undefined : iso(finishedAt),
    attempts: history.map(toAttemptView),
    attemptsLeft: hasEnded(state) ? undefined : history.at(-1)?.retry?.left,
    nextAttemptAt: next === undefined ? undefined : iso(next),
    reason,
    error: state === 'done' ? undefined : history.at(-1)?.error.message,
    redrives,
    waitMs: first === undefined ? undefined : Math.max(0, first - ready),
    latencyMs: finishedAt === undefined ? undefined : Math.max(0, finishedAt - ready),
  };
}

/** What was planned last; undefined: it waits for no time, or nobody has noted which. */
function nextAttemptOf(record: MessageRecord): number | undefined {
  const { state, envelope, history, startedAt } = record;
  if (state !== 'delayed') return undefined;
  const last = history.at(-1);
  // What has begun since then was handed back, and waits for something else. One clock gave both times.
  if (startedAt !== last?.startedAt) return undefined;
  return last ? last.retry?.at : envelope.dueAt;
}

/** Those of another tenant are counted alone. */
function effectsOf({ first }: Sent, tenant: string | undefined): { id: string; actor: string }[] {
  return first
    .filter((each) => tenant === undefined || each.tenant === tenant)
    .map(({ id, actor }) => ({ id, actor }));
}

export function toAttemptView({
  attempt,
  startedAt,
  finishedAt,
  error,
}: AttemptRecord): z.infer<typeof attemptView> {
  return { attempt, startedAt: iso(startedAt), finishedAt: iso(finishedAt), error };
}

export function iso(time: number): string {
  return new Date(time).toISOString();
}
