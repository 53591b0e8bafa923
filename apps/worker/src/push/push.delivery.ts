import { pushSubscription, pushUrgency } from '@callsheet/contracts';
import { Message } from '@callsheet/messaging';
import { z } from 'zod';

/**
 * One push to one device: what an actor tells the other. Its own time to live says until when it is wanted.
 *
 * The key is a digest of the endpoint, which itself is nobody's to see.
 */
export class DeliverPush extends Message(
  'push-device.deliver',
  z.strictObject({
    device: z.string(),
    user: z.string(),
    subscription: pushSubscription,
    payload: z.string(),
    urgency: pushUrgency,
    topic: z.string().optional(),
  }),
  { key: 'device', secret: ['subscription'] },
) {}
