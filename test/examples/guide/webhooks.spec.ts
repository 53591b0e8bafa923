import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DeliverWebhook, WebhookReceived } from '@callsheet/contracts';
import {
  Actor,
  Actors,
  CallsheetModule,
  Handle,
  Message,
  On,
  type Turn,
} from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { Webhook } from 'standardwebhooks';
import { expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { ApiModule, createHttpApp } from '../../../apps/api/src/index.js';
import { GuardedFetch } from '../../../apps/worker/src/outbound/guarded.fetch.js';
import { Settings } from '../../../apps/worker/src/settings.js';
import { WebhookActor } from '../../../apps/worker/src/webhook/webhook.actor.js';
import { WebhookClient } from '../../../apps/worker/src/webhook/webhook.client.js';
import { ROOT } from '../../support/app.process.js';
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

const booked: string[] = [];

// One topic of one source, and by content. `hooks.shop.**` is all that the shop tells.
@Actor({ name: 'bookkeeper' })
export class BookkeeperActor {
  @On(WebhookReceived, { topic: 'hooks.shop.order.paid', when: 'data.payload.data.total > 100' })
  paid({ payload }: WebhookReceived, { sentAt }: Turn) {
    const { order } = payload['data'] as { order: number };
    booked.push(`order ${order} was paid by ${sentAt.toISOString()}`);
  }
}

it('is told by a shop of an order, with the commands of the page', async () => {
  vi.stubEnv('HOOK_SECRETS', `shop=${SECRET}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  class ShopModule {}
  const app = await createHttpApp({
    module: ShopModule,
    imports: [CallsheetModule.forRoot({ url: 'memory:' }), ApiModule],
    providers: [BookkeeperActor],
  });
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  const page = readFileSync(join(ROOT, 'docs/guide/webhooks.md'), 'utf8');
  const [, commands = ''] = /```bash\n([\s\S]*?)```/.exec(page) ?? [];
  const script = commands.replace('localhost:3000', (await app.getUrl()).replace('http://', ''));
  const env = { ...process.env, SECRET };
  const { stdout } = await promisify(execFile)('bash', ['-euc', script], { env });
  expect(JSON.parse(stdout)).toEqual({ id: 'hook:shop:msg_1', topic: 'hooks.shop.order.paid' });
  await vi.waitUntil(() => booked.length > 0);
  expect(booked).toEqual([expect.stringMatching(/^order 42 was paid by /)]);
});
