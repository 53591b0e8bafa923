import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  PUSH_PAYLOAD_BYTES,
  pushPayload,
  RemovePushSubscription,
  SavePushSubscription,
  SendPush,
} from '@callsheet/contracts';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  newVapid,
  startPushPeer,
  type DeviceSubscription,
  type PushAnswer,
  type PushPeer,
} from '../../../../test/support/push.peer.js';
import { tempDir } from '../../../../test/support/temp.js';
import { GuardedFetch } from '../outbound/guarded.fetch.js';
import { Settings } from '../settings.js';
import { PushActor } from './push.actor.js';
import { PushClient } from './push.client.js';
import { DeliverPush } from './push.delivery.js';
import { PushDeviceActor } from './push.device.actor.js';

const VAPID = newVapid();
const HELLO = { user: 'ada', title: 'Hello', body: 'Zoë is here' };

let peer: PushPeer;

beforeAll(async () => {
  peer = await startPushPeer();
});
beforeEach(() => {
  peer.pushes.length = 0;
});

async function open(env: Record<string, string> = {}): Promise<TestCallsheet> {
  const settings = new Settings({ WEBHOOK_ALLOW: '127.0.0.1', ...VAPID, ...env });
  const guarded = new GuardedFetch(settings.allowed, undefined, peer.ca);
  const client = new PushClient(settings, guarded);
  const t = await TestCallsheet.create({
    providers: [PushActor, PushDeviceActor, { provide: PushClient, useValue: client }],
  });
  onTestFinished(async () => {
    await t.close();
    await guarded.onApplicationShutdown();
  });
  return t;
}

async function save(t: TestCallsheet, devices = 1, user = 'ada'): Promise<DeviceSubscription[]> {
  const made = Array.from({ length: devices }, () => peer.subscribe(VAPID.VAPID_PUBLIC_KEY));
  for (const subscription of made) {
    await t.actors.tell(new SavePushSubscription({ user, subscription }));
  }
  await t.drain();
  return made;
}

const reached = (): string[] => peer.pushes.map(({ endpoint }) => endpoint);

const endpointsOf = (t: TestCallsheet, user = 'ada'): string[] | undefined =>
  t
    .state<{ subscriptions: DeviceSubscription[] }>(PushActor, user)
    ?.subscriptions.map(({ endpoint }) => endpoint);

describe('a push', () => {
  it('reaches every device of its user, encrypted for each and signed by the application', async () => {
    const t = await open();
    const devices = await save(t, 3);
    await save(t, 1, 'grace');
    await t.actors.tell(
      new SendPush({
        ...HELLO,
        url: 'https://example.org/a?b=c',
        data: { order: 42 },
        ttl: 600,
        urgency: 'high',
        topic: 'order-42',
      }),
    );
    await t.drain();
    expect(reached().sort()).toEqual(devices.map(({ endpoint }) => endpoint).sort());
    for (const push of peer.pushes) {
      expect(push).toMatchObject({
        ttl: 600,
        urgency: 'high',
        topic: 'order-42',
        payload: {
          title: 'Hello',
          body: 'Zoë is here',
          url: 'https://example.org/a?b=c',
          data: { order: 42 },
        },
        claims: { aud: peer.url, sub: 'mailto:ops@example.org' },
      });
    }
    expect(t.dead).toEqual([]);
  });

  it('as large as it may be fits', async () => {
    const t = await open();
    await save(t);
    const rest = Buffer.byteLength(pushPayload({ ...HELLO, data: { text: '' } }));
    const data = { text: 'x'.repeat(PUSH_PAYLOAD_BYTES - rest) };
    await t.actors.tell(new SendPush({ ...HELLO, data }));
    await t.drain();
    expect(peer.pushes).toMatchObject([{ payload: { data } }]);
    expect(() => new SendPush({ ...HELLO, data: { text: `${data.text}x` } })).toThrow(
      'at most 3993 bytes',
    );
  });

  it('to a user without devices is nothing, and no mistake', async () => {
    const t = await open();
    await t.actors.tell(new SendPush(HELLO));
    await t.drain();
    expect([t.sent(DeliverPush), t.dead]).toEqual([[], []]);
  });

  it.each([
    ['critical', 'high'],
    ['high', 'high'],
    [11, 'normal'],
    ['normal', 'normal'],
    ['low', 'low'],
    [1_001, 'very-low'],
  ] as const)('of the priority %s has the urgency %s', async (priority, urgency) => {
    const t = await open();
    await save(t);
    await t.actors.tell(new SendPush(HELLO), { priority });
    await t.drain();
    expect(peer.pushes).toMatchObject([{ urgency, ttl: 86_400 }]);
    expect(peer.pushes[0]?.topic).toBeUndefined();
  });

  it('has so much less time as it waited', async () => {
    const t = await open();
    const [device] = await save(t);
    peer.answerNext(device!.endpoint, { status: 429, headers: { 'retry-after': '10' } });
    await t.actors.tell(new SendPush({ ...HELLO, ttl: 60 }), { delay: '20s' });
    await t.advance('35s');
    expect(peer.pushes.map(({ ttl }) => ttl)).toEqual([40, 30]);
  });

  it('whose time is up is not sent, but a dead letter', async () => {
    const t = await open();
    const [device] = await save(t);
    await t.actors.tell(new SendPush({ ...HELLO, ttl: 60 }), { delay: '60s' });
    await t.advance('2m');
    expect(peer.pushes).toEqual([]);
    expect(t.dead).toMatchObject([
      { reason: 'rejected', history: [{ error: { code: 'push_expired' } }] },
    ]);
    peer.answerNext(device!.endpoint, { status: 503, headers: { 'retry-after': '120' } });
    await t.actors.tell(new SendPush({ ...HELLO, ttl: 60 }));
    await t.advance('5m');
    expect(peer.pushes).toHaveLength(1);
    const late = t.dead.find(({ envelope }) => envelope.actor === 'push-device');
    expect(late?.history.map(({ error }) => error.code)).toEqual(['retry_later', 'push_expired']);
  });
});

describe('a device', () => {
  it('is there once, with the keys that it had last', async () => {
    const t = await open();
    const [a, b] = (await save(t, 2)) as [DeviceSubscription, DeviceSubscription];
    const renewed = { ...a, keys: b.keys };
    await t.actors.tell(new SavePushSubscription({ user: 'ada', subscription: renewed }));
    await t.drain();
    expect(t.state(PushActor, 'ada')).toEqual({ subscriptions: [b, renewed] });
  });

  it('is the last of twenty: the oldest goes for one more', async () => {
    const t = await open();
    const devices = await save(t, 21);
    expect(endpointsOf(t)).toEqual(devices.slice(1).map(({ endpoint }) => endpoint));
  });

  it('that is removed gets nothing more, and a user without devices leaves no state', async () => {
    const t = await open();
    const [a, b] = (await save(t, 2)) as [DeviceSubscription, DeviceSubscription];
    await t.actors.tell(new RemovePushSubscription({ user: 'ada', endpoint: a.endpoint }));
    await t.actors.tell(new SendPush(HELLO));
    await t.drain();
    expect(reached()).toEqual([b.endpoint]);
    await t.actors.tell(new RemovePushSubscription({ user: 'ada', endpoint: b.endpoint }));
    await t.drain();
    expect(t.state(PushActor, 'ada')).toBeUndefined();
  });

  it('whose subscription has ended by its own word gets nothing', async () => {
    const t = await open();
    const subscription = { ...peer.subscribe(VAPID.VAPID_PUBLIC_KEY), expirationTime: 1 };
    await t.actors.tell(new SavePushSubscription({ user: 'ada', subscription }));
    await t.actors.tell(new SendPush(HELLO));
    await t.drain();
    expect(peer.pushes).toEqual([]);
  });

  it.each<[string, (endpoint: string) => void]>([
    ['404', (endpoint) => peer.unsubscribe(endpoint)],
    ['410', (endpoint) => peer.answerNext(endpoint, { status: 410 })],
  ])('that its push service does not know any more (%s) is removed', async (_, harm) => {
    const t = await open();
    const [gone, there] = (await save(t, 2)) as [DeviceSubscription, DeviceSubscription];
    harm(gone.endpoint);
    await t.actors.tell(new SendPush(HELLO));
    await t.drain();
    expect(reached()).toContain(there.endpoint);
    expect([endpointsOf(t), t.dead]).toEqual([[there.endpoint], []]);
  });

  it.each<PushAnswer>([
    { status: 429 },
    { status: 429, headers: { 'retry-after': '30' } },
    { status: 408 },
    { status: 500 },
    { status: 503 },
    'reset',
  ])('answered with %j is tried again, and no other one', async (answer) => {
    const t = await open();
    const [a, b] = (await save(t, 2)) as [DeviceSubscription, DeviceSubscription];
    peer.answerNext(a.endpoint, answer);
    await t.actors.tell(new SendPush(HELLO));
    await t.drain();
    expect(reached().sort()).toEqual([a.endpoint, b.endpoint].sort());
    await t.advance('29s');
    const early = reached().filter((endpoint) => endpoint === a.endpoint).length;
    expect(early).toBe(typeof answer === 'object' && answer.headers ? 1 : 2);
    await t.advance('10s');
    expect(reached().sort()).toEqual([a.endpoint, a.endpoint, b.endpoint].sort());
    expect(t.dead).toEqual([]);
  });

  it('that is not answered in time is tried again', async () => {
    const t = await open({ WEBHOOK_TIMEOUT_MS: '1000' });
    const [device] = await save(t);
    peer.answerNext(device!.endpoint, 'silence');
    await t.actors.tell(new SendPush(HELLO));
    await t.advance('5m');
    expect(peer.pushes.length).toBeGreaterThanOrEqual(2);
    expect(t.dead).toEqual([]);
  });

  it.each([301, 400, 401, 403, 413])('answered with %i is given up', async (status) => {
    const t = await open();
    const [device] = await save(t);
    peer.answerNext(device!.endpoint, { status, body: 'no' });
    await t.actors.tell(new SendPush(HELLO));
    await t.drain();
    expect(peer.pushes).toHaveLength(1);
    const [dead] = t.dead;
    expect(dead).toMatchObject({ reason: 'rejected', envelope: { actor: 'push-device' } });
    const text = JSON.stringify(dead?.history);
    expect(text).toContain(`push service ${peer.url} answered ${status}: no`);
    // Whoever has the endpoint may push.
    expect(text).not.toContain(new URL(device!.endpoint).pathname);
    expect(endpointsOf(t)).toEqual([device!.endpoint]);
  });

  it('that subscribed with the key of another application is not reached', async () => {
    const t = await open();
    const subscription = peer.subscribe(newVapid().VAPID_PUBLIC_KEY);
    await t.actors.tell(new SavePushSubscription({ user: 'ada', subscription }));
    await t.actors.tell(new SendPush(HELLO));
    await t.drain();
    expect([peer.pushes, t.dead.length]).toEqual([[], 1]);
    expect(JSON.stringify(t.dead)).toContain('answered 403: subscribed with another key');
  });

  it('at an address that is not allowed is not connected to', async () => {
    const t = await open({ WEBHOOK_ALLOW: '' });
    await save(t);
    await t.actors.tell(new SendPush(HELLO));
    await t.drain();
    expect(peer.pushes).toEqual([]);
    expect(t.dead).toMatchObject([{ history: [{ error: { code: 'address_refused' } }] }]);
  });
});

it('goes to a file for each device when there are no keys', async () => {
  const folder = tempDir();
  const t = await open({ OUTBOX_DIR: folder, VAPID_PUBLIC_KEY: '', VAPID_PRIVATE_KEY: '' });
  const devices = await save(t, 2);
  await t.actors.tell(new SendPush({ ...HELLO, topic: 'a', ttl: 5 }));
  await t.drain();
  const files = readdirSync(folder);
  expect(files).toEqual([
    expect.stringMatching(/^[0-9a-f]{16}\.push\.json$/),
    expect.stringMatching(/^[0-9a-f]{16}\.push\.json$/),
  ]);
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8');
    expect(JSON.parse(text)).toEqual({
      user: 'ada',
      device: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      ttl: 5,
      urgency: 'normal',
      topic: 'a',
      payload: { title: 'Hello', body: 'Zoë is here' },
    });
    for (const { endpoint, keys } of devices) {
      expect(text).not.toContain(endpoint);
      expect(text).not.toContain(keys.auth);
    }
  }
  expect(peer.pushes).toEqual([]);
});
