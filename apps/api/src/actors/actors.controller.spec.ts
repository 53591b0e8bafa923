import { Message, MessageRegistry, type MessageClass } from '@callsheet/messaging';
import { SCHEDULER_ACTORS } from '@callsheet/scheduler';
import { SYNC_ACTORS } from '@callsheet/sync';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { send, stageForTest } from '../../test/stage.js';

it('shows every actor with messages, counts and figures', async () => {
  const app = await stageForTest();
  await send(app, { type: 'greeter.greet', data: { name: 'Ada' } });
  await send(app, { type: 'greeter.greet', data: { name: 'nobody' } });
  await send(app, { type: 'shelf.keep', data: {} });
  await send(app, { type: 'shelf.keep', data: {}, delay: '1h' });
  const items = await vi.waitUntil(async () => {
    const list = (await app.inject({ url: '/v1/actors' })).json<{
      items: { name: string; messages: object[]; counts: { done: number; dead: number } }[];
    }>();
    const counts = list.items.find(({ name }) => name === 'greeter')?.counts;
    return counts?.done === 1 && counts.dead === 1 && list.items;
  });
  const percentiles = { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) };
  const isOurs = ({ name }: { name: string }) =>
    [...SCHEDULER_ACTORS, ...SYNC_ACTORS].includes(name);
  // Their messages are nobody else to send.
  expect(items.filter(isOurs).map(({ messages }) => messages)).toEqual([[], [], [], []]);
  expect(items.filter((item) => !isOurs(item))).toEqual([
    {
      name: 'greeter',
      messages: [{ type: 'greeter.greet', version: 1, jsonSchema: expect.any(Object) }],
      counts: { waiting: 0, delayed: 0, active: 0, done: 1, dead: 1 },
      quarantined: 0,
      throughput: 0.02,
      latency: percentiles,
      wait: percentiles,
      run: percentiles,
      sample: 1,
    },
    {
      name: 'shelf',
      messages: [{ type: 'shelf.keep', version: 1, jsonSchema: expect.any(Object) }],
      counts: { waiting: 1, delayed: 1, active: 0, done: 0, dead: 0 },
      quarantined: 0,
      throughput: 0,
      sample: 0,
    },
  ]);
});

it('shows one actor, with the JSON Schema of its messages', async () => {
  const app = await stageForTest();
  const actor = (await app.inject({ url: '/v1/actors/greeter' })).json();
  expect(actor).toMatchObject({
    name: 'greeter',
    messages: [
      {
        jsonSchema: {
          $schema: 'https://json-schema.org/draft/2020-12/schema',
          type: 'object',
          properties: { name: { type: 'string', minLength: 1, maxLength: 100 } },
          required: ['name'],
          additionalProperties: false,
        },
      },
    ],
  });
});

it('shows the JSON Schema of the reply, when there is one', async () => {
  const app = await stageForTest();
  class Count extends Message('counter.count', z.object({ by: z.int() }), {
    reply: z.object({ total: z.int().default(0) }),
  }) {}
  app.get(MessageRegistry).add(Count as unknown as MessageClass);
  const { messages } = (await app.inject({ url: '/v1/actors/counter' })).json<{
    messages: object[];
  }>();
  expect(messages).toMatchObject([
    {
      jsonSchema: { properties: { by: { type: 'integer' } }, required: ['by'] },
      replyJsonSchema: { properties: { total: { type: 'integer', default: 0 } } },
    },
  ]);
  const greeter = (await app.inject({ url: '/v1/actors/greeter' })).json<{ messages: object[] }>();
  expect(greeter.messages[0]).not.toHaveProperty('replyJsonSchema');
});

it('pauses and resumes an actor, which keeps what it is sent', async () => {
  const app = await stageForTest();
  const post = (what: string, payload?: object, actor = 'greeter') =>
    app.inject({ method: 'POST', url: `/v1/actors/${actor}/${what}`, ...(payload && { payload }) });
  const state = async (id: string) =>
    (await app.inject({ url: `/v1/messages/${id}` })).json<{ state: string }>().state;
  const before = Date.now();
  const paused = await post('pause', { reason: 'the printer is on fire' });
  expect(paused.statusCode).toBe(200);
  const { since } = paused.json<{ paused: { since: string } }>().paused;
  expect(Date.parse(since)).toBeGreaterThanOrEqual(before);
  const again = await post('pause', { reason: 'still' });
  expect(again.json()).toMatchObject({ name: 'greeter', paused: { since, reason: 'still' } });
  const list = (await app.inject({ url: '/v1/actors' })).json<{ items: { paused?: object }[] }>();
  expect(list.items.filter((item) => item.paused !== undefined)).toEqual([
    expect.objectContaining({ name: 'greeter', paused: { since, reason: 'still' } }),
  ]);
  const id = await send(app, { type: 'greeter.greet', data: { name: 'Ada' } });
  // Long enough for what would be wrong.
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await state(id)).toBe('waiting');
  const resumed = await post('resume');
  expect([resumed.statusCode, resumed.json<object>()]).toEqual([
    200,
    expect.not.objectContaining({ paused: expect.anything() }),
  ]);
  await vi.waitUntil(async () => (await state(id)) === 'done');
  expect((await post('resume')).statusCode).toBe(200);
  expect((await app.inject({ url: '/v1/actors/greeter' })).json()).not.toHaveProperty('paused');

  expect((await post('pause', { reason: '' })).json()).toMatchObject({
    status: 422,
    code: 'invalid_option',
    errors: [{ path: 'reason' }],
  });
  expect((await post('pause', {})).json()).toMatchObject({ status: 422, code: 'invalid_body' });
  expect((await post('pause', { reason: 'x' }, 'nobody')).json()).toMatchObject({ status: 404 });
  expect((await post('resume', undefined, 'nobody')).json()).toMatchObject({ status: 404 });
});
