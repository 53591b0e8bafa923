import type { Subscriber } from '@callsheet/messaging';
import { z } from 'zod';
import { pageNext } from '../page.js';
import { schemas } from '../schema.registry.js';

/** What an actor subscribes to, as the store has it. */
export const subscriberView = z
  .object({
    actor: z.string(),
    subscriptions: z
      .array(
        z.object({
          type: z.string().optional().describe('of events'),
          topic: z.string().optional().describe('a pattern: * is any word, ** any number of words'),
          when: z.string().optional().describe('a filter, in CEL'),
        }),
      )
      .describe('an event that matches any of them reaches it, once; all that is given must match'),
    problem: z
      .string()
      .optional()
      .describe('why what is stored cannot be read here: then no event reaches it'),
  })
  .register(schemas, { id: 'Subscriber' });
export type SubscriberView = z.output<typeof subscriberView>;

/** A page of subscribers, by name. */
export const subscriberList = z
  .object({
    items: z.array(subscriberView),
    next: pageNext,
  })
  .register(schemas, { id: 'SubscriberList' });
export type SubscriberList = z.output<typeof subscriberList>;

export function toSubscriberView({ actor, subscriptions, problem }: Subscriber): SubscriberView {
  return {
    actor,
    ...(problem !== undefined && { problem }),
    subscriptions: subscriptions.map(({ type, topic, when }) => ({
      ...(type !== undefined && { type }),
      ...(topic !== undefined && { topic }),
      ...(when !== undefined && { when }),
    })),
  };
}
