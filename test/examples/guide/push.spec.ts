import { createECDH } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { SavePushSubscription, SendPush } from '@callsheet/contracts';
import { Actor, Actors, Handle, Message } from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { GuardedFetch } from '../../../apps/worker/src/outbound/guarded.fetch.js';
import { PushActor } from '../../../apps/worker/src/push/push.actor.js';
import { PushClient } from '../../../apps/worker/src/push/push.client.js';
import { PushDeviceActor } from '../../../apps/worker/src/push/push.device.actor.js';
import { Settings } from '../../../apps/worker/src/settings.js';
import { ROOT } from '../../support/app.process.js';
import { startPushPeer } from '../../support/push.peer.js';

export class ParcelArrived extends Message(
  'parcel.arrived',
  z.object({ user: z.string(), parcel: z.string() }),
) {}

// Told with the commit of the turn, on every device of the user.
@Actor()
export class ParcelActor {
  constructor(private readonly actors: Actors) {}

  @Handle(ParcelArrived)
  async arrived({ user, parcel }: ParcelArrived) {
    const url = `https://example.org/parcels/${parcel}`;
    await this.actors.tell(
      new SendPush({
        user,
        title: 'Your parcel is here',
        body: parcel,
        url,
        ttl: 3_600,
        topic: 'parcel',
      }),
      { priority: 'high' },
    );
  }
}

it('shows a parcel on the device of its user', async () => {
  const pair = createECDH('prime256v1');
  pair.generateKeys();
  const peer = await startPushPeer();
  const settings = new Settings({
    VAPID_PUBLIC_KEY: pair.getPublicKey('base64url'),
    VAPID_PRIVATE_KEY: Buffer.from(pair.getPrivateKey('hex').padStart(64, '0'), 'hex').toString(
      'base64url',
    ),
    VAPID_SUBJECT: 'mailto:ops@example.org',
    WEBHOOK_ALLOW: '127.0.0.1',
  });
  const guarded = new GuardedFetch(settings.allowed, undefined, peer.ca);
  const client = new PushClient(settings, guarded);
  const t = await TestCallsheet.create({
    providers: [ParcelActor, PushActor, PushDeviceActor, { provide: PushClient, useValue: client }],
  });
  onTestFinished(async () => {
    await t.close();
    await guarded.onApplicationShutdown();
  });
  const subscription = peer.subscribe(pair.getPublicKey('base64url'));
  await t.actors.tell(new SavePushSubscription({ user: 'ada', subscription }));
  await t.actors.tell(new ParcelArrived({ user: 'ada', parcel: 'p-7' }));
  await t.drain();
  expect(peer.pushes).toMatchObject([{ urgency: 'high', ttl: 3_600, topic: 'parcel' }]);
  expect(shownBy(peer.pushes[0]?.payload)).toEqual([
    ['Your parcel is here', { body: 'p-7', data: { url: 'https://example.org/parcels/p-7' } }],
  ]);
});

/** What the service worker of the page shows of a push. */
function shownBy(payload: unknown): unknown[] {
  const page = readFileSync(join(ROOT, 'docs/guide/push.md'), 'utf8');
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
  const shown: unknown[] = [];
  const self = {
    registration: { showNotification: (...what: unknown[]) => void shown.push(what) },
    addEventListener: (_: 'push', listener: (event: object) => void) =>
      listener({ data: { json: () => payload }, waitUntil: () => undefined }),
  };
  runInNewContext(code, { self });
  return shown;
}
