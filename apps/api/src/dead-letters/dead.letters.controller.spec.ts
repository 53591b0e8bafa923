import { DeadLetters, ENGINE, type Engine } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SCHEDULER_ACTORS } from '@callsheet/scheduler';
import { SYNC_ACTORS } from '@callsheet/sync';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Greeter, send, stageForTest } from '../../test/stage.js';
import { OWN_ACTORS } from '../actors/known.actor.js';

interface Page {
  items: { id: string; state: string; reason: string }[];
  next?: string;
}

beforeEach(() => {
  Greeter.mended = false;
});

async function list(app: NestFastifyApplication, query = ''): Promise<Page> {
  const response = await app.inject({ url: `/v1/dead-letters${query}` });
  expect(response.statusCode).toBe(200);
  return response.json<Page>();
}

/** Sends a message that dies, and waits for it. */
async function die(app: NestFastifyApplication, id: string, name = 'nobody'): Promise<void> {
  await send(app, { type: 'greeter.greet', data: { name }, id });
  await vi.waitUntil(async () => (await state(app, id)) === 'dead');
}

async function state(app: NestFastifyApplication, id: string): Promise<string> {
  return (await app.inject({ url: `/v1/messages/${id}` })).json<{ state: string }>().state;
}

function redrive(app: NestFastifyApplication, id: string) {
  return app.inject({ method: 'POST', url: `/v1/dead-letters/${id}/redrive` });
}

function ids({ items }: Page): string[] {
  return items.map(({ id }) => id);
}

describe('GET /v1/dead-letters', () => {
  it('lists them newest first, in pages', async () => {
    const app = await stageForTest();
    for (const id of ['a', 'b', 'c', 'd', 'e']) await die(app, id);
    const first = await list(app, '?limit=2');
    const second = await list(app, `?limit=2&cursor=${first.next}`);
    const third = await list(app, `?limit=2&cursor=${second.next}`);
    expect([first, second, third].map(ids)).toEqual([['e', 'd'], ['c', 'b'], ['a']]);
    expect(third.next).toBeUndefined();
    expect(first.items[0]).toMatchObject({ state: 'dead', reason: 'rejected' });
  });

  it('filters by actor', async () => {
    const app = await stageForTest();
    await die(app, 'a');
    expect(ids(await list(app, '?actor=greeter'))).toEqual(['a']);
    expect(ids(await list(app, '?actor=shelf'))).toEqual([]);
  });

  it('leaves none out when those before were redriven, and repeats none when new ones came', async () => {
    const app = await stageForTest();
    const all = ['a', 'b', 'c', 'd', 'e'];
    for (const [index, id] of all.entries()) {
      // Deaths in one millisecond are ordered by storage id; here each has its own.
      await vi.waitUntil(() => Date.now() % 2 === index % 2, { interval: 0 });
      await die(app, id, 'later');
    }
    const first = await list(app, '?limit=2');
    expect(ids(first)).toEqual(['e', 'd']);
    await die(app, 'f');
    expect(ids(await list(app, `?limit=2&cursor=${first.next}`))).toEqual(['c', 'b']);
    Greeter.mended = true;
    for (const id of ['d', 'e']) await redrive(app, id);
    await vi.waitUntil(
      async () => (await state(app, 'd')) === 'done' && (await state(app, 'e')) === 'done',
    );
    expect(ids(await list(app, `?limit=2&cursor=${first.next}`))).toEqual(['c', 'b']);
  });
});

describe('GET /v1/dead-letters/:id', () => {
  it('shows one', async () => {
    const app = await stageForTest();
    await die(app, 'a');
    const response = await app.inject({ url: '/v1/dead-letters/a' });
    expect(response.json()).toMatchObject({ id: 'a', error: 'nobody is there', redrives: 0 });
  });
});

describe('POST /v1/dead-letters/:id/redrive', () => {
  it('puts it back, once', async () => {
    const app = await stageForTest();
    await die(app, 'a', 'later');
    Greeter.mended = true;
    const response = await redrive(app, 'a');
    expect([response.statusCode, response.json()]).toEqual([202, { id: 'a', state: 'waiting' }]);
    await vi.waitUntil(async () => (await state(app, 'a')) === 'done');
    const message = (await app.inject({ url: '/v1/messages/a' })).json();
    expect(message).toMatchObject({ redrives: 1, attempts: [{ attempt: 1 }, { attempt: 2 }] });
    expect(message).not.toHaveProperty('error');
    expect((await redrive(app, 'a')).statusCode).toBe(404);
  });

  it('takes the content type that some clients send without a body', async () => {
    const app = await stageForTest();
    const redriven = vi.spyOn(app.get<Engine>(ENGINE), 'redrive').mockResolvedValue(true);
    const response = await app.inject({
      method: 'POST',
      url: '/v1/dead-letters/a/redrive',
      headers: { 'content-type': 'application/json' },
    });
    expect(response.statusCode).toBe(202);
    expect(redriven).toHaveBeenCalledWith('a', [
      ...OWN_ACTORS,
      'greeter',
      ...SCHEDULER_ACTORS,
      'shelf',
      ...SYNC_ACTORS,
    ]);
  });
});

describe('mending', () => {
  it('groups by trouble, filters by it, redrives with other data, discards', async () => {
    const app = await stageForTest();
    for (const id of ['a', 'b', 'c']) await die(app, id);
    await die(app, 'd', 'later');
    const groups = async () =>
      (await app.inject({ url: '/v1/dead-letters:groups' })).json<{
        items: { fingerprint: string; count: number; reason: string; ids: string[] }[];
      }>();
    const { items, ...looked } = await groups();
    expect(looked).toEqual({ complete: true });
    expect(items).toMatchObject([
      { count: 3, reason: 'rejected', actor: 'greeter', ids: ['c', 'b', 'a'] },
      { count: 1, reason: 'exhausted', error: { name: 'TypeError' } },
    ]);
    expect(ids(await list(app, `?fingerprint=${items[1]?.fingerprint}`))).toEqual(['d']);
    expect(ids(await list(app, '?reason=rejected&type=greeter.greet'))).toEqual(['c', 'b', 'a']);
    const mended = await app.inject({
      method: 'POST',
      url: '/v1/dead-letters/a/redrive',
      payload: { data: { name: 'Ada' } },
    });
    expect(mended.statusCode).toBe(202);
    await vi.waitUntil(async () => (await state(app, 'a')) === 'done');
    const wrong = await app.inject({
      method: 'POST',
      url: '/v1/dead-letters/b/redrive',
      payload: { data: { name: '' } },
    });
    expect(wrong.json()).toMatchObject({ status: 422, code: 'invalid_message' });
    const discarded = await app.inject({ method: 'DELETE', url: '/v1/dead-letters/b' });
    expect([discarded.statusCode, discarded.json()]).toEqual([
      200,
      { id: 'b', state: 'discarded' },
    ]);
    expect(ids(await list(app))).toEqual(['d', 'c']);
    // Not all could be looked at in time.
    const part = { groups: [], complete: false, since: Date.UTC(2026, 0, 1) };
    vi.spyOn(app.get(DeadLetters), 'groupSome').mockResolvedValue(part);
    const since = '2026-01-01T00:00:00.000Z';
    expect(await groups()).toEqual({ items: [], complete: false, since });
  });
});

describe('POST /v1/dead-letters:redrive', () => {
  const redriveMany = (app: NestFastifyApplication, payload: object) =>
    app.inject({ method: 'POST', url: '/v1/dead-letters:redrive', payload });

  it('counts, redrives the oldest that match, and says whether more are left', async () => {
    const app = await stageForTest();
    for (const id of ['a', 'b', 'c']) await die(app, id, 'later');
    await die(app, 'd');
    const filter = { actor: 'greeter', error: 'TypeError', type: 'greeter.greet' };
    const counted = await redriveMany(app, { ...filter, limit: 2, dryRun: true });
    expect([counted.statusCode, counted.json()]).toEqual([
      200,
      { state: 'counted', count: 2, matched: 3, more: true },
    ]);
    expect(ids(await list(app))).toEqual(['d', 'c', 'b', 'a']);
    Greeter.mended = true;
    expect((await redriveMany(app, { ...filter, limit: 2 })).json()).toEqual({
      state: 'redriven',
      count: 2,
      matched: 3,
      more: true,
    });
    await vi.waitUntil(
      async () => (await state(app, 'a')) === 'done' && (await state(app, 'b')) === 'done',
    );
    expect(ids(await list(app))).toEqual(['d', 'c']);
    expect((await redriveMany(app, { reason: 'exhausted' })).json()).toMatchObject({
      count: 1,
      more: false,
    });
    expect(ids(await list(app, '?error=RejectError'))).toEqual(['d']);
  });

  it('goes by when they died', async () => {
    const app = await stageForTest();
    await die(app, 'a');
    const at = (await app.inject({ url: '/v1/dead-letters/a' })).json<{ finishedAt: string }>();
    const before = at.finishedAt;
    const later = new Date(Date.parse(before) + 1).toISOString();
    const count = async (time: string) =>
      (await redriveMany(app, { before: time, dryRun: true })).json<{ count: number }>().count;
    expect([await count(before), await count(later)]).toEqual([0, 1]);
    expect(ids(await list(app, `?before=${before}`))).toEqual([]);
    expect(ids(await list(app, `?before=${later}`))).toEqual(['a']);
  });

  it.each<[object, string, string]>([
    [{ limit: 0 }, 'invalid_body', 'limit'],
    [{ limit: 1_001 }, 'invalid_body', 'limit'],
    [{ actr: 'greeter' }, 'invalid_body', 'actr'],
    [{ before: 'yesterday' }, 'invalid_body', 'before'],
    [{ fingerprint: 'x' }, 'invalid_body', 'fingerprint'],
    [{ actor: 'nobody' }, 'invalid_option', 'actor'],
  ])('refuses %o', async (payload, code, path) => {
    const response = await redriveMany(await stageForTest(), payload);
    expect(response.json()).toMatchObject({ status: 422, code, errors: [{ path }] });
  });
});

describe('a redrive with an Idempotency-Key', () => {
  const post = (app: NestFastifyApplication, url: string, key: string, payload: object = {}) =>
    app.inject({ method: 'POST', url, payload, headers: { 'idempotency-key': key } });

  it('answers as it did when it is asked again, and leaves what died again where it is', async () => {
    const app = await stageForTest();
    const url = '/v1/dead-letters:redrive';
    await die(app, 'a', 'later');
    const redrives = vi.spyOn(app.get<Engine>(ENGINE), 'redrive');
    const first = await post(app, url, 'k', { actor: 'greeter', limit: 1 });
    expect(first.json()).toEqual({ state: 'redriven', count: 1, matched: 1, more: false });
    await vi.waitUntil(async () => {
      const letter = await app.inject({ url: '/v1/dead-letters/a' });
      return letter.json<{ redrives?: number }>().redrives === 1;
    });
    const second = await post(app, url, 'k', { limit: 1, actor: 'greeter' });
    expect([second.statusCode, second.json()]).toEqual([200, first.json()]);
    expect(redrives).toHaveBeenCalledOnce();
    expect((await post(app, url, 'k', { actor: 'greeter', limit: 2 })).json()).toMatchObject({
      status: 409,
      code: 'idempotency_conflict',
      errors: [{ path: 'Idempotency-Key' }],
    });
  });

  it('is of one call, and of one letter', async () => {
    const app = await stageForTest();
    for (const id of ['a', 'b']) await die(app, id, 'later');
    Greeter.mended = true;
    for (const id of ['a', 'b']) {
      const url = `/v1/dead-letters/${id}/redrive`;
      expect((await post(app, url, 'k')).statusCode).toBe(202);
      await vi.waitUntil(async () => (await state(app, id)) === 'done');
      const again = await post(app, url, 'k');
      expect([again.statusCode, again.json()]).toEqual([202, { id, state: 'waiting' }]);
      expect((await post(app, url, 'new')).statusCode).toBe(404);
    }
  });

  it('that was refused is asked anew, and one whose answer could not be noted is answered', async () => {
    const app = await stageForTest();
    const url = '/v1/dead-letters/a/redrive';
    expect((await post(app, url, 'k')).statusCode).toBe(404);
    await die(app, 'a', 'later');
    Greeter.mended = true;
    const engine = app.get<Engine>(ENGINE);
    const note = vi.spyOn(engine, 'note').mockRejectedValueOnce(new Error('no store'));
    expect((await post(app, url, 'k')).statusCode).toBe(202);
    expect(note).toHaveBeenCalledOnce();
  });

  it('goes by the moment that the body names', async () => {
    const app = await stageForTest();
    const body = (before: string) => ({ before, dryRun: true });
    const times = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'] as const;
    expect((await post(app, '/v1/dead-letters:redrive', 'k', body(times[0]))).statusCode).toBe(200);
    expect((await post(app, '/v1/dead-letters:redrive', 'k', body(times[0]))).statusCode).toBe(200);
    expect((await post(app, '/v1/dead-letters:redrive', 'k', body(times[1]))).statusCode).toBe(409);
  });
});
