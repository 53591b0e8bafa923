import { RemovePushSubscription } from '@callsheet/contracts';
import { Actor, Actors, Handle, type Turn } from '@callsheet/messaging';
import { PushClient } from './push.client.js';
import { DeliverPush } from './push.delivery.js';

/**
 * Delivers pushes, those of one device one by one, in the order sent; one that is tried again holds those behind it, and no
 * other device's. A device that its push service does not know any more is taken from its user, with the commit.
 *
 * Many turns at a time, because each waits for a push service.
 */
@Actor({ name: 'push-device', retry: { attempts: 8, delay: '1s' }, concurrency: 50 })
export class PushDeviceActor {
  constructor(
    private readonly client: PushClient,
    private readonly actors: Actors,
  ) {}

  @Handle(DeliverPush)
  async deliver(push: DeliverPush, turn: Turn): Promise<void> {
    if ((await this.client.deliver(push, turn)) === 'taken') return;
    const { user, subscription } = push;
    await this.actors.tell(new RemovePushSubscription({ user, endpoint: subscription.endpoint }));
  }
}
