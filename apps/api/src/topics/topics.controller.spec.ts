import { Actor, Message, On, RejectError, RoutesActor, UnroutedActor } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { Greeter, openStage } from '../../test/stage.js';

/** An event that is answered. */
class Ordered extends Message('order.placed', z.strictObject({ total: z.number() }), {
  reply: z.object({ by: z.string(), at: z.date().optional() }),
}) {}

@Actor({ name: 'packer' })
class Packer {
  @On(Ordered)
  placed(): { by: string; at: Date } {
    return { by: 'packer', at: new Date(0) };
  }
}

/** Answers small orders, and never large ones. */
@Actor({ name: 'teller' })
class Teller {
  @On(Ordered, { when: 'data.total > 100' })
  async placed({ total }: Ordered): Promise<{ by: string }> {
    if (total === 666) throw new RejectError('no such number');
    if (total > 1_000) await Teller.slow;
    return { by: 'teller' };
  }

  static open: () => void;
  static slow = new Promise<void>((resolve) => (Teller.open = resolve));
}

let app: NestFastifyApplication;

beforeAll(async () => {
  app = await openStage({ providers: [Greeter, Packer, Teller, RoutesActor, UnroutedActor] });
});
afterAll(() => {
  Teller.open();
  return app.close();
});

async function post<T = object>(
  topic: string,
  status: number,
  payload: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  const url = `/v1/topics/${topic}`;
  const response = await app.inject({ method: 'POST', url, payload: payload as object, headers });
  expect(response.statusCode, response.body).toBe(status);
  return response.json<T>();
}

async function get<T extends object>(url: string): Promise<T> {
  return (await app.inject({ url })).json<T>();
}

const ORDER = { type: 'order.placed', data: { total: 5 } };

describe('POST /v1/topics/{topic}', () => {
  it('sends a copy to each that receives the event, and says to whom', async () => {
    const answer = await post('order.placed', 202, { data: { total: 500 }, id: 'o1' });
    expect(answer).toEqual({
      id: 'o1',
      topic: 'order.placed',
      receivers: ['packer', 'teller'],
      copies: ['o1@packer', 'o1@teller'],
    });
    await vi.waitUntil(async () => {
      const { state } = await get<{ state: string }>('/v1/messages/o1@packer');
      return state === 'done';
    });
  });

  it('takes what a message takes, and shows it in the copies', async () => {
    const options = { priority: 'high', delay: '1h', ttl: '1m', headers: { a: 'b' }, tenant: 't' };
    const body = { ...ORDER, ...options, version: 1 };
    const { copies } = await post<{ copies: string[] }>('orders.eu.small', 202, body);
    expect(await get(`/v1/messages/${copies[0]}`)).toMatchObject({
      type: 'order.placed',
      topic: 'orders.eu.small',
      state: 'delayed',
      priority: 10,
      headers: { a: 'b' },
      tenant: 't',
      data: { total: 5 },
    });
  });

  it('publishes once with one id, be it in the body or the header', async () => {
    const first = await post('orders.eu', 202, ORDER, { 'idempotency-key': 'once' });
    expect(first).toMatchObject({ id: 'once', copies: ['once@packer'] });
    expect(await post('orders.eu', 202, { ...ORDER, id: 'once' })).toEqual(first);
    const other = { ...ORDER, data: { total: 6 } };
    expect(await post('orders.eu', 409, other, { 'idempotency-key': 'once' })).toMatchObject({
      code: 'idempotency_conflict',
      errors: [{ path: 'id' }],
    });
    expect(await post('orders.us', 409, { ...ORDER, id: 'once' })).toMatchObject({
      code: 'idempotency_conflict',
    });
    const { items } = await get<{ items: { name: string; counts: { done: number } }[] }>(
      '/v1/actors',
    );
    expect(items.find(({ name }) => name === 'packer')?.counts.done).toBeLessThanOrEqual(2);
  });

  it('keeps what nobody receives only when it is told to', async () => {
    const body = { type: 'greeter.greet', data: { name: 'Ada' } };
    const nobody = { topic: 'void', receivers: [], copies: [] };
    expect(await post('void', 202, { ...body, id: 'v1' })).toEqual({ id: 'v1', ...nobody });
    expect(await post('void', 202, { ...body, id: 'v2', unrouted: 'keep' })).toEqual({
      id: 'v2',
      ...nobody,
      kept: 'v2@unrouted',
    });
    expect((await app.inject({ url: '/v1/messages/v1@unrouted' })).statusCode).toBe(404);
    await vi.waitUntil(
      async () => (await get<{ state?: string }>('/v1/messages/v2@unrouted')).state === 'dead',
    );
  });
});

describe('POST /v1/topics/{topic}:ask', () => {
  it('gathers what is answered', async () => {
    const answer = await post('order.placed:ask', 200, { data: { total: 500 }, id: 'a1' });
    const whole = {
      id: 'a1',
      isComplete: true,
      replies: [
        { actor: 'packer', reply: { by: 'packer', at: '1970-01-01T00:00:00.000Z' } },
        { actor: 'teller', reply: { by: 'teller' } },
      ],
      failures: [],
      silent: [],
      missing: [],
    };
    expect(answer).toEqual(whole);
    const again = { data: { total: 500 } };
    expect(await post('order.placed:ask', 200, again, { 'idempotency-key': 'a1' })).toEqual(whole);
  });

  it('is done when as many as were needed have replied', async () => {
    const slow = { data: { total: 5_000 }, need: 'first' };
    expect(await post('order.placed:ask', 200, slow)).toMatchObject({
      isComplete: true,
      replies: [{ actor: 'packer' }],
      missing: ['teller'],
    });
  });

  it('says who failed, and who has not answered in time', async () => {
    expect(await post('order.placed:ask', 200, { data: { total: 666 } })).toMatchObject({
      isComplete: false,
      replies: [{ actor: 'packer' }],
      failures: [{ actor: 'teller', error: { code: 'rejected', message: 'no such number' } }],
      missing: [],
    });
    const slow = { data: { total: 5_000 }, need: 2, timeout: '100ms' };
    expect(await post('order.placed:ask', 200, slow)).toMatchObject({
      isComplete: false,
      missing: ['teller'],
    });
  });

  it('gathers nothing of an event that declares no reply', async () => {
    const problem = await post('nowhere:ask', 422, { type: 'shelf.keep', data: {} });
    expect(problem).toMatchObject({
      code: 'invalid_option',
      detail: expect.stringContaining('declares no reply') as string,
    });
  });
});

describe('bad input', () => {
  const long = `${'a'.repeat(64)}.`.repeat(3) + 'a'.repeat(10);

  it.each<[string, topic: string, body: unknown, status: number, code: string, path?: string]>([
    ['an unknown type', 'a', { ...ORDER, type: 'no.such' }, 422, 'unknown_message', 'type'],
    [
      'a type of schedules',
      'a',
      { type: 'schedules.remove', data: {} },
      422,
      'unknown_message',
      'type',
    ],
    ['a type of routes', 'a', { type: 'routes.put', data: {} }, 422, 'unknown_message', 'type'],
    ['no type, a topic that is none', 'a.b', { data: {} }, 422, 'invalid_option', 'type'],
    ['a topic with a space', 'a%20b', ORDER, 422, 'invalid_option', 'topic'],
    ['a topic with a star', 'a.*', ORDER, 422, 'invalid_option', 'topic'],
    ['a topic with an empty word', 'a..b', ORDER, 422, 'invalid_option', 'topic'],
    ['a topic of eleven words', 'a.b.c.d.e.f.g.h.i.j.k', ORDER, 422, 'invalid_option', 'topic'],
    ['a topic of 205 characters', long, ORDER, 422, 'invalid_option', 'topic'],
    ['a topic NUL', '%00', ORDER, 422, 'invalid_option', 'topic'],
    ['a topic with a colon', 'a:b', ORDER, 422, 'invalid_option', 'topic'],
    ['no topic', '', ORDER, 404, 'not_found'],
    ['bad data', 'a', { ...ORDER, data: {} }, 422, 'invalid_message', 'data/total'],
    ['no data', 'a', { type: 'order.placed' }, 422, 'invalid_body', 'data'],
    ['a list', 'a', [], 422, 'invalid_body', ''],
    ['an unknown field', 'a', { ...ORDER, replace: true }, 422, 'invalid_body', 'replace'],
    ['a key', 'a', { ...ORDER, key: 'a' }, 422, 'invalid_body', 'key'],
    ['a bad fate', 'a', { ...ORDER, unrouted: 'burn' }, 422, 'invalid_body', 'unrouted'],
    ['a bad lane', 'a', { ...ORDER, priority: 'urgent' }, 422, 'invalid_option', 'priority'],
    ['a bad delay', 'a', { ...ORDER, delay: 'soon' }, 422, 'invalid_option', 'delay'],
    [
      'delay and at',
      'a',
      { ...ORDER, delay: 1, at: '2026-01-01T00:00:00Z' },
      422,
      'invalid_option',
      'at',
    ],
    [
      'an id too long for copies',
      'a',
      { ...ORDER, id: 'x'.repeat(150) },
      422,
      'invalid_option',
      'id',
    ],
    ['an id of schedules', 'a', { ...ORDER, id: 'run:x' }, 422, 'invalid_option', 'id'],
    ['ask: a delay', 'a:ask', { ...ORDER, delay: 1 }, 422, 'invalid_body', 'delay'],
    ['ask: unrouted', 'a:ask', { ...ORDER, unrouted: 'keep' }, 422, 'invalid_body', 'unrouted'],
    ['ask: a bad topic', 'a%20b:ask', ORDER, 422, 'invalid_option', 'topic'],
    ['ask: two colons', 'a:b:ask', ORDER, 422, 'invalid_option', 'topic'],
    ['ask: none needed', 'a:ask', { ...ORDER, need: 0 }, 422, 'invalid_option', 'need'],
    ['ask: need of text', 'a:ask', { ...ORDER, need: 'some' }, 422, 'invalid_option', 'need'],
    ['ask: need of a list', 'a:ask', { ...ORDER, need: [] }, 422, 'invalid_body', 'need'],
    ['ask: too long', 'a:ask', { ...ORDER, timeout: '1m' }, 422, 'invalid_option', 'timeout'],
    [
      'ask: an unknown type',
      'a:ask',
      { type: 'no.such', data: {} },
      422,
      'unknown_message',
      'type',
    ],
  ])('%s', async (_, topic, body, status, code, path) => {
    const problem = await post<{ errors?: { path: string }[] }>(topic, status, body);
    expect(problem).toMatchObject({ type: `urn:callsheet:problem:${code}`, status, code });
    expect(problem.errors?.[0]?.path).toBe(path);
  });

  it('two ids that differ', async () => {
    const answer = await post('a', 422, { ...ORDER, id: 'a' }, { 'idempotency-key': 'b' });
    expect(answer).toMatchObject({ code: 'invalid_option', errors: [{ path: 'id' }] });
  });

  it('another method', async () => {
    for (const url of ['/v1/topics/a', '/v1/topics/a:ask']) {
      const { statusCode, headers } = await app.inject({ url });
      expect([statusCode, headers.allow]).toEqual([405, 'POST']);
    }
  });
});
