import { expect } from 'vitest';
import type { Engine, ActorCounts } from '../../libs/messaging/src/engine.js';
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
