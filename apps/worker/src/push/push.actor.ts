import {
  pushPayload,
  pushSubscription,
  RemovePushSubscription,
  SavePushSubscription,
  SendPush,
} from '@callsheet/contracts';
import { Actor, Actors, Handle, type Turn } from '@callsheet/messaging';
import { z } from 'zod';
import { digestOf } from '../digest.js';
import { DeliverPush } from './push.delivery.js';
import { PushExpiredError } from './push.expired.error.js';

/** How many devices a user may have: the oldest goes for a new one. */
const MOST_DEVICES = 20;

/** What is kept of a user: the devices, the newest last. */
export const PushState = z.object({ subscriptions: z.array(pushSubscription).default([]) });

type PushTurn = Turn<typeof PushState>;

/**
 * Push notifications. A user is a key, whose state has the devices. A push becomes one message for each of them, sent with the
 * commit: so what has to be tried again for one device is not shown twice on another.
 */
@Actor({ state: { schema: PushState, secret: ['subscriptions.endpoint', 'subscriptions.keys'] } })
export class PushActor {
  constructor(private readonly actors: Actors) {}

  @Handle(SavePushSubscription)
  save({ subscription }: SavePushSubscription, { state }: PushTurn): void {
    const others = state.subscriptions.filter(({ endpoint }) => endpoint !== subscription.endpoint);
    state.subscriptions = [...others, subscription].slice(-MOST_DEVICES);
  }

  @Handle(RemovePushSubscription)
  remove({ endpoint }: RemovePushSubscription, turn: PushTurn): void {
    const { subscriptions } = turn.state;
    turn.state.subscriptions = subscriptions.filter((each) => each.endpoint !== endpoint);
    if (turn.state.subscriptions.length === 0) turn.forget();
  }

  @Handle(SendPush)
  async send(push: SendPush, turn: PushTurn): Promise<{ devices: number }> {
    const ttl = turn.sentAt.getTime() + push.ttl * 1_000 - turn.now.getTime();
    if (ttl <= 0) throw new PushExpiredError(`its ttl of ${push.ttl} s is over: not sent`);
    const { user, topic, urgency = urgencyOf(turn.priority) } = push;
    const payload = pushPayload(push);
    const devices = turn.state.subscriptions.filter(
      ({ expirationTime }) => !expirationTime || expirationTime > turn.now.getTime(),
    );
    await this.actors.tellMany(
      devices.map((subscription) => ({
        message: new DeliverPush({
          ...{ device: digestOf(subscription.endpoint, 32), user, subscription, payload, urgency },
          ...(topic !== undefined && { topic }),
        }),
        options: { ttl, priority: turn.priority },
      })),
    );
    return { devices: devices.length };
  }
}

/** What the lanes of messages are for devices. */
function urgencyOf(priority: number): DeliverPush['urgency'] {
  if (priority <= 10) return 'high';
  if (priority <= 100) return 'normal';
  return priority <= 1_000 ? 'low' : 'very-low';
}
