import { DeliverWebhook } from '@callsheet/contracts';
import { Actor, Actors, Handle, Message } from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { Webhook } from 'standardwebhooks';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { GuardedFetch } from '../../../apps/worker/src/outbound/guarded.fetch.js';
import { Settings } from '../../../apps/worker/src/settings.js';
import { WebhookActor } from '../../../apps/worker/src/webhook/webhook.actor.js';
import { WebhookClient } from '../../../apps/worker/src/webhook/webhook.client.js';
import { startHttpPeer } from '../../support/http.peer.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export class PlaceOrder extends Message(
  'order.place',
  z.object({ orderId: z.string(), hook: z.url() }),
) {}

// The webhook is sent with the commit of the turn: an order that fails tells nobody.
@Actor()
export class OrderActor {
  constructor(private readonly actors: Actors) {}

  @Handle(PlaceOrder)
  async place({ orderId, hook }: PlaceOrder) {
    const payload = { orderId };
    await this.actors.tell(new DeliverWebhook({ url: hook, event: 'order.placed', payload }));
  }
}

it('tells a receiver of an order, signed', async () => {
  const settings = new Settings({ WEBHOOK_SECRET: SECRET, WEBHOOK_ALLOW: '127.0.0.1' });
  const client = new WebhookClient(settings, new GuardedFetch(settings.allowed));
  const t = await TestCallsheet.create({
    providers: [OrderActor, WebhookActor, { provide: WebhookClient, useValue: client }],
  });
  onTestFinished(() => t.close());
  const peer = await startHttpPeer();
  await t.actors.tell(new PlaceOrder({ orderId: '42', hook: peer.url }));
  await t.drain();
  const [request] = peer.requests;
  const headers = request?.headers as Record<string, string>;
  expect(new Webhook(SECRET).verify(String(request?.body), headers)).toMatchObject({
    type: 'order.placed',
    data: { orderId: '42' },
  });
});
