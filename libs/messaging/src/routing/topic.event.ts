import { decode } from '../codec.js';
import type { Delivery } from '../engine.js';

/** An event as a handler of a pattern gets it: of any type, so not checked against a class. */
export interface TopicEvent {
  readonly type: string;
  readonly topic: string;
  /** Version of the data's shape. */
  readonly version: number;
  /** As it was published: a Date is a Date. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** The event of a delivery. */
export function toTopicEvent({ envelope }: Delivery): TopicEvent {
  const { type, topic = type, version } = envelope;
  const data = Object.freeze(decode(envelope)) as TopicEvent['data'];
  return Object.freeze({ type, topic, version, data });
}
