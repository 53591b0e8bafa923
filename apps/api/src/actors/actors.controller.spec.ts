import { Message, MessageRegistry, type MessageClass } from '@callsheet/messaging';
import { SCHEDULER_ACTORS } from '@callsheet/scheduler';
import { SYNC_ACTORS } from '@callsheet/sync';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { send, stageForTest } from '../../test/stage.js';
import { AUDIT_LOG } from '../audit/audit.actor.js';

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
    [AUDIT_LOG, ...SCHEDULER_ACTORS, ...SYNC_ACTORS].includes(name);
  // Their messages are nobody else to send.
  expect(items.filter(isOurs).map(({ messages }) => messages)).toEqual([[], [], [], [], []]);
  expect(items.filter((item) => !isOurs(item))).toEqual([
    {
      name: 'greeter',
      messages: [{ type: 'greeter.greet', version: 1, jsonSchema: expect.any(Object) }],
      counts: { waiting: 0, delayed: 0, active: 0, done: 1, dead: 1 },
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
