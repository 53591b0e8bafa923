import { Actor, Actors, ENGINE, On, type Engine } from '@callsheet/messaging';
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
  app = await openStage({ providers: [Diary] });
  // It ran in a process that is gone.
  await app.get<Engine>(ENGINE).bind('actor:almanac', ALMANAC.subscriptions);
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

  it('of an actor that runs here are not ended', async () => {
    expect(await call('DELETE', 'subscriptions/diary')).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('runs in this process') },
    });
    expect((await call('GET', 'subscriptions/diary')).body).toEqual(DIARY);
  });

  it('that cannot be read here are shown with the reason, and can be ended', async () => {
    const newer = {
      revision: 1,
      release: 'r',
      subscriptions: [{ type: 'greeter.greet', since: 1 }],
    };
    await app.get<Engine>(ENGINE).bind('actor:newer', newer);
    expect((await call('GET', 'subscriptions/newer')).body).toEqual({
      actor: 'newer',
      subscriptions: [],
      problem: expect.stringContaining('since'),
    });
    expect((await call('DELETE', 'subscriptions/newer')).status).toBe(204);
    expect((await call('GET', 'subscriptions/newer')).status).toBe(404);
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
