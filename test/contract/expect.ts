import { expect } from 'vitest';
import type {
  ActorCounts,
  Delivery,
  Engine,
  MessageRecord,
  MessageState,
} from '../../libs/messaging/src/engine.js';
import { eventually } from '../support/eventually.js';
import type { Context } from './context.js';

/** Ids of deliveries or envelopes, in order. */
export function ids(of: readonly ({ id: string } | { envelope: { id: string } })[]): string[] {
  return of.map((each) => ('envelope' in each ? each.envelope.id : each.id));
}

/** The engine holds exactly these numbers of messages. */
export async function expectCounts(
  context: Context,
  engine: Engine,
  counts: Partial<ActorCounts>,
): Promise<void> {
  const none = { waiting: 0, delayed: 0, active: 0, done: 0, dead: 0 };
  expect(await engine.counts(context.actor)).toEqual({ ...none, ...counts });
}

/** Waits until the message is in this state; answers its record. */
export async function reaches(
  { actor }: { actor: string },
  engine: Engine,
  id: string,
  state: MessageState,
): Promise<MessageRecord> {
  return eventually(
    async () => {
      const record = await engine.find(id, [actor]);
      if (record?.state !== state) throw new Error(`${id} is ${record?.state}, not ${state}`);
      return record;
    },
    { timeout: 15_000 },
  );
}

/** None of these messages is stored in a queue of `actor`. */
export async function expectAbsent(
  engine: Engine,
  actor: string,
  messages: readonly { id: string }[],
): Promise<void> {
  for (const { id } of messages) expect(await engine.find(id, [actor])).toBeUndefined();
}

/** The deliveries of one message, in order. */
export function deliveriesOf(deliveries: readonly Delivery[], { id }: { id: string }): Delivery[] {
  return deliveries.filter(({ envelope }) => envelope.id === id);
}

/** What each delivery has as this field of its data. */
export function field(deliveries: readonly Delivery[], name: string): unknown[] {
  return deliveries.map(({ envelope }) => envelope.data[name]);
}
