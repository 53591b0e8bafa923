import { beforeEach } from 'vitest';
import { z } from 'zod';
import { ActorState } from '../../libs/messaging/src/actor.state.js';
import type { Delivery, Outcome, StoredState } from '../../libs/messaging/src/engine.js';
import type { Envelope } from '../../libs/messaging/src/envelope.js';
import { Message, type MessageClass } from '../../libs/messaging/src/message.js';
import { unobserved } from '../../libs/messaging/src/observer.js';
import { loopTurn, VirtualClock } from '../../libs/messaging/src/testing/virtual.clock.js';
import type { Turn } from '../../libs/messaging/src/turn.js';
import { turnRunner, type Handler, type Turns } from '../../libs/messaging/src/turn.runner.js';
import { currentScope } from '../../libs/messaging/src/turn.scope.js';
import { testDelivery } from './test.delivery.js';

export const Account = z.object({ balance: z.number().min(0).default(0) });
export type AccountTurn = Turn<typeof Account>;

export class Pay extends Message(
  'bank.pay',
  z.object({ account: z.string(), card: z.string().default('none') }),
  { key: 'account', secret: ['card'] },
) {}
/** The same, and it is answered. */
export class Answered extends Message('bank.pay', z.object({ account: z.string() }), {
  key: 'account',
  reply: z.object({ balance: z.number() }),
}) {}
export class Note extends Message('bank.note', z.object({ text: z.string() })) {}

export let clock: VirtualClock;

beforeEach(() => void (clock = new VirtualClock()));

export function delivery(
  fields: Partial<Delivery> = {},
  envelope: Partial<Envelope> = {},
): Delivery {
  const now = clock.now();
  const paid = { key: 'a-1', data: { account: 'a-1' }, sentAt: now, ...envelope };
  return testDelivery({ startedAt: now, ...fields }, paid);
}

export type Run = (message: Pay, turn: AccountTurn) => unknown;

/** What the turns of an actor need whose only handler is this one. */
export function turnsOf(
  run: Run,
  handler: Partial<Handler> = {},
  more: Partial<Turns> = {},
): Turns {
  const complete = {
    kind: 'handle',
    message: Pay as unknown as MessageClass,
    run: run as unknown as Handler['run'],
    ...handler,
  } satisfies Handler;
  return {
    handlers: new Map([[complete.message.meta.type as string, complete]]),
    retry: { jitter: 0 },
    supervision: [],
    clock,
    random: () => 0.5,
    observer: unobserved,
    ...more,
  };
}

export function turn(
  run: Run,
  given: Delivery = delivery(),
  handler: Partial<Handler> = {},
  more: Partial<Turns> = {},
): Promise<Outcome> {
  return turnRunner(turnsOf(run, handler, more))(given);
}

export const failing = (
  thrown: unknown,
  given?: Delivery,
  more?: Partial<Turns>,
): Promise<Outcome> =>
  turn(
    () => {
      throw thrown;
    },
    given,
    {},
    more,
  );

export const answered = { message: Answered as unknown as MessageClass };
export const state = new ActorState('bank', Account);
export const stored = (balance: number): StoredState => ({
  revision: 3,
  version: 1,
  data: { balance },
});
export const mail = (id: string) => ({ id, type: 'mail.send' }) as unknown as Envelope;
/** As Actors does it. */
export const send = (id: string) => currentScope()!.join([mail(id)]);

export async function settle(): Promise<void> {
  for (let n = 0; n < 10; n++) await loopTurn();
}
