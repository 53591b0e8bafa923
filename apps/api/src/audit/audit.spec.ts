import { Actors, ENGINE, RoutesActor, type Engine, type JournalRow } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { Greeter, openStage, send } from '../../test/stage.js';
import { difference } from './audit.entry.js';
import { AuditLog } from './audit.log.js';

interface Entry {
  id: string;
  call: string;
  action: string;
  target: string;
  [field: string]: unknown;
}

const PLAN = {
  id: 'weekly',
  message: { type: 'greeter.greet', data: { name: 'Ada' } },
  cron: '0 7 * * 1',
  tz: 'Europe/Madrid',
};

let app: NestFastifyApplication;
beforeAll(async () => {
  app = await openStage({ providers: [Greeter, RoutesActor] });
});
afterAll(() => app.close());

async function entries(query = ''): Promise<Entry[]> {
  const response = await app.inject({ url: `/v1/audit${query}` });
  return response.json<{ items: Entry[] }>().items;
}

/** The newest entry, when it is the one of this call. */
function newest(call: string): Promise<Entry> {
  return eventually(async () => {
    const [entry] = await entries('?limit=1');
    if (entry?.call !== call) throw new Error(`the newest is ${entry?.call}`);
    return entry;
  });
}

describe('the audit log', () => {
  it('tells what was made, changed and removed, by whom and why', async () => {
    const reason = { 'x-reason': 'the week begins' };
    await app.inject({ method: 'POST', url: '/v1/schedules', payload: PLAN, headers: reason });
    expect(await newest('POST /v1/schedules')).toMatchObject({
      ...{ who: 'local', name: 'local', path: '/v1/schedules', status: 201 },
      ...{ reason: 'the week begins', after: { id: 'weekly' } },
      ...{ action: 'create', target: 'schedules/weekly' },
    });

    await app.inject({
      method: 'POST',
      url: '/v1/schedules/weekly/pause',
      payload: { reason: 'holidays' },
    });
    const paused = await newest('POST /v1/schedules/:id/pause');
    expect(paused).toMatchObject({
      ...{ path: '/v1/schedules/weekly/pause', status: 200, reason: 'holidays' },
      ...{ asked: { reason: 'holidays' }, after: { state: 'paused' } },
    });
    // Only what became otherwise.
    expect(paused.before).not.toHaveProperty('rule');
    expect(paused.after).not.toHaveProperty('id');

    await app.inject({ method: 'DELETE', url: '/v1/schedules/weekly' });
    const removed = await newest('DELETE /v1/schedules/:id');
    expect(removed).toMatchObject({ status: 204, before: { id: 'weekly' } });
    expect(removed).not.toHaveProperty('after');
  });

  it('names who asked', async () => {
    const made = await app.inject({
      method: 'POST',
      url: '/v1/api-keys',
      payload: { name: 'Ada', role: 'admin' },
    });
    const { id, key } = made.json<{ id: string; key: string }>();
    const creation = await newest('POST /v1/api-keys');
    expect(creation).toMatchObject({ after: { id, role: 'admin' }, asked: { name: 'Ada' } });
    const route = { match: { topic: 'greeter.greet' }, to: ['shelf'], order: 1 };
    const headers = { authorization: `Bearer ${key}` };
    const put = await app.inject({ method: 'PUT', url: '/v1/routes/r', payload: route, headers });
    expect([put.statusCode, put.body]).toEqual([
      expect.any(Number),
      expect.not.stringContaining(key),
    ]);
    expect(await newest('PUT /v1/routes/:id')).toMatchObject({ who: `api-key:${id}`, name: 'Ada' });
    expect(JSON.stringify(await entries('?limit=100'))).not.toContain(key.slice(20));
  });

  it('does not tell of what changes nothing, or only sends', async () => {
    const before = await entries();
    await send(app, { type: 'shelf.keep', data: {} });
    await app.inject({
      method: 'POST',
      url: '/v1/schedules:preview',
      payload: { cron: '0 7 * * 1' },
    });
    await app.inject({ url: '/v1/schedules' });
    // What is refused changes nothing.
    await app.inject({ method: 'DELETE', url: '/v1/dead-letters/nobody' });
    const payload = { reason: 'a\0b' };
    await app.inject({ method: 'POST', url: '/v1/schedules/weekly/pause', payload });
    const counts = await app.get<Engine>(ENGINE).counts('audit-log');
    expect([await entries(), counts]).toEqual([
      before,
      expect.objectContaining({ waiting: 0, delayed: 0 }),
    ]);
  });

  it('is paged', async () => {
    const all = await entries('?limit=100');
    const first = await app.inject({ url: '/v1/audit?limit=2' });
    const { items, next } = first.json<{ items: Entry[]; next: string }>();
    const rest = await entries(`?limit=100&before=${next}`);
    expect([...items, ...rest]).toEqual(all);
  });

  it('is narrowed by what was done, by whom and to what, a page at a time', async () => {
    const of = (id: string) => `/v1/schedules/${id}`;
    for (const id of ['north', 'south']) {
      await app.inject({ method: 'POST', url: '/v1/schedules', payload: { ...PLAN, id } });
      for (const step of ['pause', 'resume', 'pause']) {
        const payload = step === 'pause' ? { reason: 'away' } : undefined;
        await app.inject({ method: 'POST', url: `${of(id)}/${step}`, payload });
      }
    }
    await newest('POST /v1/schedules/:id/pause');
    const told = async (query: string): Promise<string[]> =>
      (await entries(`?${query}`)).map(({ action, target }) => `${action} ${target}`);
    expect(await told('target=schedules/north')).toEqual([
      'pause schedules/north',
      'resume schedules/north',
      'pause schedules/north',
      'create schedules/north',
    ]);
    expect(await told('target=north&action=pause&who=LOC')).toHaveLength(2);
    expect(await told('target=nort')).toEqual([]);
    expect(await told('who=ada')).toEqual(['create routes/r']);

    const first = await app.inject({
      url: '/v1/audit?action=pause&target=schedules/north&limit=1',
    });
    const { items, next } = first.json<{ items: Entry[]; next: string }>();
    const rest = await entries(`?action=pause&target=schedules/north&before=${next}`);
    expect([items.length, rest.length]).toEqual([1, 1]);
    const refused = await app.inject({ url: `/v1/audit?action=${'x'.repeat(61)}` });
    expect(refused.json()).toMatchObject({ code: 'invalid_query', errors: [{ path: 'action' }] });
  });

  it('is searched a thousand entries in a call', async () => {
    const log = app.get(AuditLog);
    const engine = app.get<Engine>(ENGINE);
    const entry = { ...{ at: '', who: 'x', name: 'x' }, call: 'DELETE /x', path: '/x' };
    const rows = Array.from({ length: 2_500 }, (_, n) => ({
      ...{ id: `${2_500 - n}-0`, at: 0 },
      row: { ...entry, name: n === 1_500 ? 'Ada' : 'Eve' },
    }));
    const journal = vi.spyOn(engine, 'journal').mockImplementation(async (_actor, _key, page) => {
      const from =
        page.before === undefined ? 0 : rows.findIndex(({ id }) => id === page.before) + 1;
      return rows.slice(from, from + page.limit);
    });
    const pages = [];
    let before: string | undefined;
    do {
      const { items, next } = await log.page({ who: 'ada' }, 10, before);
      pages.push([items.length, next]);
      before = next;
    } while (before !== undefined);
    expect(pages).toEqual([
      [0, '1501-0'],
      [1, '501-0'],
      [0, undefined],
    ]);
    journal.mockRestore();
  });

  it('tells of an entry that cannot be decrypted that it is there, and finds those before it', async () => {
    const entry = { at: '2026-01-01T00:00:00.000Z', who: 'x', name: 'Ada' };
    const rows: JournalRow[] = [
      { id: '2-0', at: 0, row: { $encrypted: { kid: 'gone' } } },
      { id: '1-0', at: 0, row: { ...entry, call: 'DELETE /x', path: '/x' } },
    ];
    const journal = vi.spyOn(app.get<Engine>(ENGINE), 'journal').mockResolvedValue(rows);
    const all = await entries();
    const found = await entries('?who=ada&action=delete&target=x');
    journal.mockRestore();
    expect(all).toEqual([
      {
        ...{ id: '2-0', at: '1970-01-01T00:00:00.000Z', who: '', name: '', call: '', path: '' },
        ...{ action: '', target: '', unreadable: expect.stringContaining("key 'gone'") },
      },
      expect.objectContaining({ id: '1-0', action: 'delete' }),
    ]);
    expect(found).toEqual(all.slice(1));
  });

  it("is nobody's to write", async () => {
    const entry = { at: new Date().toISOString(), who: 'x', name: 'x', call: 'x', path: '/' };
    const response = await app.inject({
      method: 'POST',
      url: '/v1/messages',
      payload: { type: 'audit-log.keep', data: { log: 'log', entry } },
    });
    expect(response.json()).toMatchObject({ code: 'unknown_message' });
  });

  it('is shown nowhere else', async () => {
    await newest('POST /v1/schedules/:id/pause');
    const engine = app.get<Engine>(ENGINE);
    const { items } = await engine.list('audit-log', { state: 'done', limit: 1 });
    const id = encodeURIComponent(items[0]!.record.envelope.id);
    const statuses = await Promise.all(
      [
        ['GET', '/v1/actors/audit-log'],
        ['POST', '/v1/actors/audit-log/resume'],
        ['GET', '/v1/actors/audit-log/keys/log'],
        ['GET', '/v1/actors/audit-log/keys/log/journal'],
        ['POST', '/v1/actors/audit-log/keys/log/release'],
        ['GET', `/v1/messages/${id}`],
        ['DELETE', `/v1/messages/${id}`],
        ['GET', '/v1/messages?actor=audit-log'],
        ['GET', '/v1/dead-letters?actor=audit-log'],
      ].map(async ([method, url]) => {
        const response = await app.inject({ method: method as 'GET', url: url! });
        return response.statusCode;
      }),
    );
    expect(statuses).toEqual([404, 404, 404, 404, 404, 404, 404, 422, 422]);
    const payload = {
      type: 'shelf.keep',
      data: {},
      id: items[0]!.record.envelope.id,
      replace: true,
    };
    const replaced = await app.inject({ method: 'POST', url: '/v1/messages', payload });
    expect(replaced.json()).toMatchObject({ code: 'invalid_option' });
  });

  it('must be written, or nothing is changed', async () => {
    await send(app, { type: 'greeter.greet', data: { name: 'nobody' }, id: 'dead-1' });
    const letter = { url: '/v1/dead-letters/dead-1' };
    await eventually(async () => (await app.inject(letter)).statusCode === 200);
    const open = vi.spyOn(app.get(Actors), 'tell').mockRejectedValue(new Error('away'));
    const response = await app.inject({ method: 'DELETE', ...letter });
    open.mockRestore();
    expect(response.statusCode).toBe(500);
    expect((await app.inject(letter)).statusCode).toBe(200);
  });

  it('has an entry without outcome for a change whose process ended', async () => {
    const log = app.get(AuditLog);
    log.unanswered = 20;
    await log.open({ who: 'local', name: 'local', call: 'DELETE /x', path: '/x' });
    log.unanswered = 60_000;
    expect(await newest('DELETE /x')).not.toHaveProperty('status');
  });
});

describe('what became otherwise', () => {
  it.each([
    [
      { a: 1, b: 2 },
      { a: 1, b: 3 },
      { before: { b: 2 }, after: { b: 3 } },
    ],
    [{ a: 1 }, { a: 1, b: { c: 1 } }, { before: {}, after: { b: { c: 1 } } }],
    [undefined, { a: 1 }, { after: { a: 1 } }],
    [{ a: 1 }, undefined, { before: { a: 1 } }],
    [undefined, undefined, {}],
    [{ a: 'x'.repeat(2_000), b: 1 }, undefined, { before: { b: 1 }, omitted: ['a'] }],
  ])('between %o and %o', (before, after, expected) => {
    expect(difference(before, after)).toEqual(expected);
  });
});
