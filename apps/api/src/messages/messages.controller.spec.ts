import { describe, expect, it, vi } from 'vitest';
import { Actor, Handle, Message, MessageRegistry, type MessageClass } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { z } from 'zod';
import { Greeter, send, stageForTest } from '../../test/stage.js';

class CountLetters extends Message('count.letters', z.object({ text: z.string() }), {
  reply: z.object({ letters: z.bigint(), at: z.date() }),
}) {}

@Actor()
class Counter {
  static calls = 0;

  @Handle(CountLetters) count({ text }: CountLetters) {
    Counter.calls++;
    return { letters: BigInt(text.length), at: new Date('2026-03-01T00:00:00Z') };
  }
}

const GREET = { type: 'greeter.greet', data: { name: 'Ada' } };
const KEEP = { type: 'shelf.keep', data: {} };

describe('POST /v1/messages', () => {
  it('stores a message and says where to look', async () => {
    const app = await stageForTest();
    const response = await app.inject({ method: 'POST', url: '/v1/messages', payload: GREET });
    expect(response.statusCode).toBe(202);
    const receipt = response.json<{ id: string }>();
    expect(receipt).toEqual({ id: receipt.id, state: 'waiting', durability: 'memory' });
    const { location } = response.headers;
    expect(location).toBe(`/v1/messages/${receipt.id}`);
    expect((await app.inject({ url: location as string })).json()).toMatchObject(GREET);
  });

  it('takes all options', async () => {
    const app = await stageForTest();
    const id = await send(app, {
      ...KEEP,
      id: 'a/b ?%ü',
      priority: 'high',
      delay: '1h',
      ttl: 60_000,
      headers: { 'x.tenant': 'north' },
    });
    const message = (await app.inject({ url: `/v1/messages/${encodeURIComponent(id)}` })).json<{
      sentAt: string;
      dueAt: string;
      deadline: string;
    }>();
    expect(message).toMatchObject({
      id,
      state: 'delayed',
      priority: 10,
      headers: { 'x.tenant': 'north' },
    });
    const wait = Date.parse(message.dueAt) - Date.parse(message.sentAt);
    expect(wait).toBe(3_600_000);
    expect(Date.parse(message.deadline) - Date.parse(message.dueAt)).toBe(60_000);
  });

  it('takes data of an older version, and stores it as the one of now', async () => {
    const app = await stageForTest();
    class Move extends Message('shelf.move', z.object({ to: z.string() }), {
      version: 2,
      upcast: { 1: ({ place }) => ({ to: place }) },
    }) {}
    app.get(MessageRegistry).add(Move as unknown as MessageClass);
    const old = { type: 'shelf.move', version: 1, data: { place: 'Rome' } };
    const id = await send(app, old);
    expect((await app.inject({ url: `/v1/messages/${id}` })).json()).toMatchObject({
      version: 2,
      data: { to: 'Rome' },
    });
    const payload = { ...old, data: { to: 'Rome' } };
    const refused = await app.inject({ method: 'POST', url: '/v1/messages', payload });
    expect(refused.json()).toMatchObject({
      code: 'invalid_message',
      errors: [{ path: 'data/to' }],
    });
  });

  it('takes a moment with an offset', async () => {
    const app = await stageForTest();
    const at = new Date(Date.now() + 60_000);
    const id = await send(app, { ...KEEP, at: at.toISOString().replace('Z', '+00:00') });
    const message = (await app.inject({ url: `/v1/messages/${id}` })).json<{ dueAt: string }>();
    expect(message.dueAt).toBe(at.toISOString());
  });

  it('takes the id from the header Idempotency-Key', async () => {
    const app = await stageForTest();
    const request = {
      method: 'POST',
      url: '/v1/messages',
      payload: KEEP,
      headers: { 'idempotency-key': 'order-7' },
    } as const;
    const first = await app.inject(request);
    const second = await app.inject({ ...request, payload: { ...KEEP, id: 'order-7' } });
    expect(first.json()).toMatchObject({ id: 'order-7' });
    expect([second.statusCode, second.json()]).toEqual([202, first.json()]);
    const other = await app.inject({ ...request, payload: { ...KEEP, data: { n: 1 } } });
    expect(other.statusCode).toBe(409);
  });
});

describe('POST /v1/messages:batch', () => {
  it('stores all messages in their order', async () => {
    const app = await stageForTest();
    const ids = Array.from({ length: 1_000 }, (_, index) => `m-${index}`);
    const response = await app.inject({
      method: 'POST',
      url: '/v1/messages:batch',
      payload: { messages: ids.map((id) => ({ ...KEEP, id })) },
    });
    expect(response.statusCode).toBe(202);
    const { messages } = response.json<{ messages: { id: string }[] }>();
    expect(messages.map(({ id }) => id)).toEqual(ids);
    const shelf = (await app.inject({ url: '/v1/actors/shelf' })).json();
    expect(shelf).toMatchObject({ counts: { waiting: 1_000 } });
  });

  it('takes a message per line', async () => {
    const app = await stageForTest();
    const post = async (payload: string | Buffer, url = '/v1/messages:batch') => {
      const headers = { 'content-type': 'application/x-ndjson' };
      const response = await app.inject({ method: 'POST', url, payload, headers });
      return [response.statusCode, response.json()] as const;
    };
    const line = (id: string) => JSON.stringify({ ...KEEP, id, data: { text: 'ü\n' } });
    const [status, body] = await post(`${line('a')}\n\n${line('b')}\r\n${line('c')}`);
    expect(status).toBe(202);
    expect(body).toMatchObject({ messages: [{ id: 'a' }, { id: 'b' }, { id: 'c' }] });
    const bad = (code: string, detail: unknown) => ({ code, detail });
    const said = (detail: string) => expect.stringContaining(detail) as unknown;
    for (const [payload, code, problem] of [
      [`${line('d')}\n{"type"`, 400, bad('malformed_json', said('line 2: '))],
      [`${line('d')}\n\n{"__proto__":1}\n`, 400, bad('forbidden_key', said('line 3: '))],
      [
        Buffer.from([0x22, 0xff, 0x22]),
        400,
        bad('malformed_json', 'line 1: the body is not UTF-8'),
      ],
      ['\n', 422, { detail: said('messages: Too small') }],
      [`${line('d')}\n7`, 422, { detail: said('messages/1: ') }],
      [`${line('d')}\n`.repeat(1_001), 422, { detail: said('messages: Too big') }],
    ] as const) {
      const [given, problems] = await post(payload);
      expect([given, problems]).toEqual([code, expect.objectContaining(problem)]);
    }
    expect((await app.inject({ url: '/v1/messages/d' })).statusCode).toBe(404);
    expect(await post(line('d'), '/v1/messages')).toMatchObject([
      415,
      { code: 'unsupported_media_type' },
    ]);
  });
});

describe('POST /v1/messages:batch with an Idempotency-Key', () => {
  it('is stored once, however often it is sent, and not with other messages', async () => {
    const app = await stageForTest();
    const post = (messages: object[]) =>
      app.inject({
        method: 'POST',
        url: '/v1/messages:batch',
        payload: { messages },
        headers: { 'idempotency-key': 'b' },
      });
    const messages = [KEEP, { ...KEEP, id: 'own' }, KEEP];
    const first = await post(messages);
    expect(first.statusCode).toBe(202);
    expect(first.json<{ messages: { id: string }[] }>().messages.map(({ id }) => id)).toEqual([
      'b/0',
      'own',
      'b/2',
    ]);
    expect((await post(messages)).json()).toEqual(first.json());
    const other = await post([KEEP, { ...KEEP, id: 'own' }, { ...KEEP, data: { n: 1 } }]);
    expect(other.json()).toMatchObject({
      status: 409,
      code: 'idempotency_conflict',
      errors: [{ path: 'messages/2/id' }],
    });
    const { counts } = (await app.inject({ url: '/v1/actors/shelf' })).json<{ counts: object }>();
    expect(counts).toMatchObject({ waiting: 3 });
  });
});

describe('GET /v1/messages/:id', () => {
  it('shows a handled message with its times', async () => {
    const app = await stageForTest();
    const id = await send(app, GREET);
    const message = await vi.waitUntil(async () => {
      const found = (await app.inject({ url: `/v1/messages/${id}` })).json<
        Record<string, unknown>
      >();
      return found.state === 'done' && found;
    });
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
    const span = expect.any(Number) as number;
    expect(message).toEqual({
      ...GREET,
      id,
      actor: 'greeter',
      job: id,
      state: 'done',
      version: 1,
      priority: 100,
      headers: {},
      sentAt: time,
      startedAt: time,
      finishedAt: time,
      attempts: [],
      redrives: 0,
      waitMs: span,
      latencyMs: span,
    });
  });

  it('shows the failed attempts of a dead one', async () => {
    const app = await stageForTest();
    const id = await send(app, { type: 'greeter.greet', data: { name: 'later' } });
    const message = await vi.waitUntil(async () => {
      const found = (await app.inject({ url: `/v1/messages/${id}` })).json<
        Record<string, unknown>
      >();
      return found.state === 'dead' && found;
    });
    expect(message).toMatchObject({
      reason: 'exhausted',
      error: 'not yet, attempt 2',
      attempts: [
        { attempt: 1, error: { name: 'TypeError', message: 'not yet, attempt 1' } },
        { attempt: 2, error: { name: 'TypeError', message: 'not yet, attempt 2' } },
      ],
    });
  });
});

describe('GET /v1/messages', () => {
  interface Page {
    items: { id: string; state: string }[];
    next?: string;
  }
  const page = async (app: NestFastifyApplication, query: string): Promise<Page> => {
    const response = await app.inject({ url: `/v1/messages?${query}` });
    expect(response.statusCode).toBe(200);
    return response.json<Page>();
  };
  const states = ({ items }: Page) => items.map(({ id, state }) => `${id} ${state}`);

  /** All pages, of which there must not be more than there can be. */
  async function all(app: NestFastifyApplication, query: string): Promise<string[]> {
    const found: string[] = [];
    let cursor = '';
    for (let n = 1; n <= 30; n++) {
      const got = await page(app, query + cursor);
      found.push(...states(got));
      if (got.next === undefined) return found;
      cursor = `&cursor=${got.next}`;
    }
    throw new Error('there is no last page');
  }

  it('lists those of an actor by state, and all states one after the other, in pages', async () => {
    const app = await stageForTest();
    const keep = (id: string, more: object = {}) => send(app, { ...KEEP, id, ...more });
    await keep('later', { delay: '2h' });
    await keep('soon', { delay: '1h' });
    await keep('first');
    await keep('second');
    await keep('urgent', { priority: 'high' });
    await keep('gone');
    await app.inject({ method: 'DELETE', url: '/v1/messages/gone' });
    const one = await page(app, 'actor=shelf&state=waiting&limit=2');
    expect(states(one)).toEqual(['urgent waiting', 'first waiting']);
    const two = await page(app, `actor=shelf&state=waiting&limit=2&cursor=${one.next}`);
    expect([states(two), two.next]).toEqual([['second waiting'], undefined]);
    const every = [...states(one), ...states(two)].concat([
      'soon delayed',
      'later delayed',
      'gone cancelled',
    ]);
    for (const limit of [1, 2, 3, 5, 6, 100]) {
      expect(await all(app, `actor=shelf&limit=${limit}`)).toEqual(every);
    }
    expect((await page(app, 'actor=shelf&limit=6')).next).toBeUndefined();
    expect(await all(app, 'actor=greeter')).toEqual([]);
    expect((await page(app, 'actor=shelf&state=delayed')).items[0]).toMatchObject({
      id: 'soon',
      type: 'shelf.keep',
      data: {},
      dueAt: expect.any(String),
    });
  });

  it('looks for a key and a type, a thousand messages at a time', async () => {
    const app = await stageForTest();
    class Book extends Message('shelf.book', z.object({ isbn: z.string() }), { key: 'isbn' }) {}
    app.get(MessageRegistry).add(Book as unknown as MessageClass);
    const messages = Array.from({ length: 1_000 }, () => KEEP);
    await app.inject({ method: 'POST', url: '/v1/messages:batch', payload: { messages } });
    for (const [id, isbn] of ['a 1', 'b 2', 'c 1'].map((each) => each.split(' '))) {
      await send(app, { type: 'shelf.book', data: { isbn }, id });
    }
    const first = await page(app, 'actor=shelf&type=shelf.book');
    expect([first.items, first.next]).toEqual([[], expect.any(String)]);
    expect(await all(app, 'actor=shelf&type=shelf.book')).toEqual([
      'a waiting',
      'b waiting',
      'c parked',
    ]);
    expect(await all(app, 'actor=shelf&key=1&limit=1')).toEqual(['a waiting', 'c parked']);
    expect(await all(app, 'actor=shelf&state=parked&key=2')).toEqual([]);
  });
});

describe('GET /v1/messages?q=', () => {
  interface Page {
    items: { id: string; state: string; actor: string }[];
    next?: string;
  }
  const find = async (app: NestFastifyApplication, query: string): Promise<string[]> => {
    const found: string[] = [];
    let cursor = '';
    for (let n = 1; n <= 40; n++) {
      const response = await app.inject({ url: `/v1/messages?${query}${cursor}` });
      expect([query, response.statusCode]).toEqual([query, 200]);
      const { items, next } = response.json<Page>();
      found.push(...items.map(({ id }) => id));
      if (next === undefined) return found;
      cursor = `&cursor=${next}`;
    }
    throw new Error('there is no last page');
  };

  it('finds messages by a value in their data, those sent last first, in pages', async () => {
    const app = await stageForTest();
    class Order extends Message('greeter.order', z.object({ orderId: z.number() }), {
      search: ['orderId'],
    }) {}
    app.get(MessageRegistry).add(Order as unknown as MessageClass);
    const keep = (id: string, data: object, more: object = {}) =>
      send(app, { ...KEEP, id, data, ...more });
    await keep('a', { orderId: 42 });
    await keep('b', { orderId: '42', tags: ['red', 'blue'] }, { delay: '1h' });
    await keep('c', { orderId: 43 });
    await keep('d', { orderId: 42, tags: ['blue'] });
    await send(app, { type: 'greeter.order', data: { orderId: 42 }, id: 'e' });
    await app.inject({ method: 'DELETE', url: '/v1/messages/a' });
    for (const limit of [1, 2, 3, 100]) {
      expect(await find(app, `q=data.orderId:42&limit=${limit}`)).toEqual(['e', 'd', 'b', 'a']);
      expect(await find(app, `q=data.orderId:42&actor=shelf&limit=${limit}`)).toEqual([
        'd',
        'b',
        'a',
      ]);
    }
    expect(await find(app, 'q=data.tags:blue')).toEqual(['d', 'b']);
    expect(await find(app, 'q=data.orderId:42&state=cancelled&limit=1')).toEqual(['a']);
    expect(await find(app, 'q=data.orderId:42&type=greeter.order')).toEqual(['e']);
    expect(await find(app, 'q=data.orderId:42&key=none')).toEqual([]);
    expect(await find(app, 'q=data.orderId:')).toEqual([]);
    expect(await find(app, `q=${encodeURIComponent('data.orderId:4:2\n')}`)).toEqual([]);
  });

  it('says what can be searched', async () => {
    const app = await stageForTest();
    const problem = async (query: string) => {
      const response = await app.inject({ url: `/v1/messages?${query}` });
      const { code, detail } = response.json<{ code: string; detail: string }>();
      return [response.statusCode, code, detail];
    };
    const bad = (detail: string) => [422, 'invalid_query', detail];
    expect(await problem('q=data.name:Ada')).toEqual(
      bad('q names no field that can be searched; those that can: orderId, tags'),
    );
    for (const q of ['42', 'orderId:42', 'data.:42', 'data.a.b:1', 'data.orderId'])
      expect(await problem(`q=${q}`)).toEqual(bad('q must be data.<field>:<value>'));
    expect(await problem('limit=5')).toEqual(bad('actor must be given without q'));
    expect(await problem('actor=nobody&q=data.tags:x')).toEqual(
      bad(
        "actor 'nobody' is not known; known are greeter, schedule-deployments, schedule-watchdog, schedules, shelf, sync",
      ),
    );
    const listed = await app.inject({ url: '/v1/messages?actor=shelf&limit=1' });
    const cursors = ['x', Buffer.from('["waiting"]').toString('base64url')];
    for (const cursor of [...cursors, listed.json<Page>().next ?? 'y'])
      expect((await problem(`q=data.tags:x&cursor=${cursor}`))[1]).toBe('invalid_query');
    const found = Buffer.from('["found",5,"a"]').toString('base64url');
    expect((await problem(`actor=shelf&cursor=${found}`))[1]).toBe('invalid_query');
  });
});

describe('POST /v1/messages:ask', () => {
  const ask = (app: NestFastifyApplication, body: object) =>
    app.inject({ method: 'POST', url: '/v1/messages:ask', payload: body });

  it('answers with the reply, as JSON', async () => {
    const app = await stageForTest({ providers: [Greeter, Counter] });
    const response = await ask(app, { type: 'count.letters', data: { text: 'abc' }, id: 'a-1' });
    expect([response.statusCode, response.json()]).toEqual([
      200,
      { id: 'a-1', reply: { letters: '3', at: '2026-03-01T00:00:00.000Z' } },
    ]);
    const again = await ask(app, { type: 'count.letters', data: { text: 'abc' }, id: 'a-1' });
    expect(again.json()).toEqual(response.json());
    expect(Counter.calls).toBe(1);
    const message = (await app.inject({ url: '/v1/messages/a-1' })).json();
    expect(message).toMatchObject({ state: 'done', reply: { letters: '3' } });
  });

  it('answers without a reply when the message declares none', async () => {
    const app = await stageForTest();
    const response = await ask(app, GREET);
    expect(response.json()).toEqual({ id: expect.any(String) as string });
  });

  it('says how the message died', async () => {
    const app = await stageForTest();
    const response = await ask(app, { type: 'greeter.greet', data: { name: 'nobody' } });
    expect(response.statusCode).toBe(422);
    expect(response.json()).toMatchObject({
      code: 'ask_failed',
      detail: 'rejected: rejected: nobody is there',
    });
  });
});

describe('DELETE /v1/messages/:id', () => {
  const cancel = (app: NestFastifyApplication, id: string) =>
    app.inject({ method: 'DELETE', url: `/v1/messages/${id}` });

  it('cancels one that waits, once', async () => {
    const app = await stageForTest();
    const id = await send(app, { ...KEEP, id: 'c-1', delay: '1h' });
    const first = await cancel(app, id);
    expect([first.statusCode, first.json()]).toEqual([202, { id, state: 'cancelled' }]);
    expect((await app.inject({ url: `/v1/messages/${id}` })).json()).toMatchObject({
      state: 'cancelled',
    });
    const second = await cancel(app, id);
    expect([second.statusCode, second.json<{ code: string }>().code]).toEqual([
      409,
      'message_ended',
    ]);
  });
});
