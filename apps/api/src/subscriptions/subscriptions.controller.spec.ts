import { Actor, Actors, On } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Greet, openStage } from '../../test/stage.js';
import type { SubscriberList } from './subscription.view.js';

@Actor({ name: 'diary' })
class Diary {
  @On(Greet, { topic: 'greetings.eu.**', when: 'data.name != "Bob"' })
  greeted(): void {}

  @On('greetings.*.sent')
  sent(): void {}
}

@Actor({ name: 'almanac' })
class Almanac {
  @On(Greet)
  greeted(): void {}
}

const ALMANAC = { actor: 'almanac', subscriptions: [{ type: 'greeter.greet' }] };
const DIARY = {
  actor: 'diary',
  subscriptions: [
    { type: 'greeter.greet', topic: 'greetings.eu.**', when: 'data.name != "Bob"' },
    { topic: 'greetings.*.sent' },
  ],
};

let app: NestFastifyApplication;
beforeAll(async () => {
  app = await openStage({ providers: [Diary, Almanac] });
});
afterAll(() => app.close());

async function call<T = object>(method: 'GET' | 'DELETE', path: string, reason?: string) {
  const headers = reason === undefined ? {} : { 'x-reason': reason };
  const response = await app.inject({ method, url: `/v1/${path}`, headers });
  const body = response.body === '' ? undefined : response.json<T>();
  return { status: response.statusCode, body: body as T };
}

describe('subscriptions', () => {
  it('are listed by actor, in pages, and shown one by one', async () => {
    const { body } = await call<SubscriberList>('GET', 'subscriptions');
    expect(body).toEqual({ items: [ALMANAC, DIARY] });
    const first = await call<SubscriberList>('GET', 'subscriptions?limit=1');
    expect(first.body.items).toEqual([ALMANAC]);
    const rest = `subscriptions?limit=1&cursor=${first.body.next}`;
    expect((await call('GET', rest)).body).toEqual({ items: [DIARY] });
    expect((await call('GET', 'subscriptions/diary')).body).toEqual(DIARY);
  });

  it('of nobody are not found, and a wrong cursor is told', async () => {
    for (const method of ['GET', 'DELETE'] as const) {
      for (const actor of ['nobody', 'No%20Name']) {
        expect(await call(method, `subscriptions/${actor}`)).toMatchObject({
          status: 404,
          body: { code: 'not_found', detail: expect.stringContaining('subscribes to anything') },
        });
      }
    }
    expect(await call('GET', 'subscriptions?cursor=x')).toMatchObject({ status: 422 });
  });

  it('of an actor that is gone end, with who ended them and why in the audit log', async () => {
    const publish = async () => {
      const { receivers } = await app.get(Actors).publish(new Greet({ name: 'Ada' }));
      return receivers;
    };
    expect(await publish()).toEqual(['almanac']);
    expect(await call('DELETE', 'subscriptions/almanac', 'it is gone')).toMatchObject({
      status: 204,
    });
    expect(await publish()).toEqual([]);
    expect((await call('GET', 'subscriptions')).body).toEqual({ items: [DIARY] });
    const kept = async () => (await call<{ items: object[] }>('GET', 'audit?limit=1')).body.items;
    await expect.poll(kept, { timeout: 5_000 }).toMatchObject([
      {
        call: 'DELETE /v1/subscriptions/:actor',
        path: '/v1/subscriptions/almanac',
        reason: 'it is gone',
        status: 204,
      },
    ]);
  });
});
