import { Message } from '@callsheet/messaging';
import { z } from 'zod';

/** A type that can be a part of a topic: with `hooks.<source>` before it, it has at most ten words and 200 characters. */
const TOPIC = /^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,7}$/;
const LONGEST_TYPE = 160;

/**
 * Another system told of something by a webhook, and its signature was right. An event: it is published under
 * {@link hookTopic}, once for each `webhook-id` of a source, and nobody handles it unless somebody subscribes. It was received
 * at the `sentAt` of its turn.
 */
export class WebhookReceived extends Message(
  'hooks.received',
  z.strictObject({
    /** Who sent it: the name in `HOOK_SECRETS`. */
    source: z.string().min(1).max(30),
    /** What happened, as the `type` of the body has it; empty when it has none that is text of at most 200 characters. */
    type: z.string().max(200),
    /** The whole body. After Standard Webhooks it is `{ type, timestamp, data }`. */
    payload: z.record(z.string(), z.unknown()),
  }),
) {}

/** `hooks.<source>.<type>`; for a type that is no part of a topic, `order/paid` say, `hooks.<source>`. */
export function hookTopic({ source, type }: Pick<WebhookReceived, 'source' | 'type'>): string {
  const isPart = type.length <= LONGEST_TYPE && TOPIC.test(type);
  return isPart ? `hooks.${source}.${type}` : `hooks.${source}`;
}
