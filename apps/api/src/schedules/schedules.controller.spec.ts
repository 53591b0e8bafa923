import { Actor, Actors, AskTimeoutError, Handle, Message } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { Greeter, stageForTest } from '../../test/stage.js';
import type { RunList } from './run.list.js';
import type { PreviewView, StoredSchedule } from './schedule.preview.view.js';
import type { ScheduleList, ScheduleView } from './schedule.view.js';

/** A message with something to hide. */
class Pay extends Message(
  'till.pay',
  z.strictObject({
    card: z.string(),
    to: z.array(z.strictObject({ name: z.string(), pin: z.string() })),
  }),
  { secret: ['card', 'to.pin'] },
) {}

/** Runs that end when the door opens. */
@Actor()
class Till {
  static paid: Pay[] = [];
  static open: () => void;
  static door: Promise<void>;

  @Handle(Pay)
  async pay(message: Pay): Promise<void> {
    Till.paid.push(message);
    await Till.door;
  }
}

beforeEach(() => {
  Till.paid = [];
  Till.door = new Promise((resolve) => (Till.open = resolve));
});

const GREET = { type: 'greeter.greet', data: { name: 'Ada' } };
const PAY = {
  type: 'till.pay',
  data: { card: '4111-1111', to: [{ name: 'Ada', pin: '1234' }] },
};
const URL = '/v1/schedules';
const DAILY = { id: 'daily', message: GREET, cron: '30 2 * * *', tz: 'Europe/Madrid' };

function stage(): Promise<NestFastifyApplication> {
  return stageForTest({ providers: [Greeter, Till] });
}

function call(app: NestFastifyApplication, method: 'GET' | 'POST' | 'PUT' | 'DELETE') {
  return async <T = object>(
    url: string,
    status: number,
    payload?: object,
    headers: Record<string, string> = {},
  ): Promise<T> => {
    const response = await app.inject({ method, url: URL + url, payload, headers });
    expect(response.statusCode, response.body).toBe(status);
    return response.body === '' ? (undefined as T) : response.json<T>();
  };
}

async function staged() {
  const app = await stage();
  const calls = {
    get: call(app, 'GET'),
    post: call(app, 'POST'),
    put: call(app, 'PUT'),
    remove: call(app, 'DELETE'),
  };
  return { app, ...calls };
}

const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;

describe('a schedule', () => {
  it('is made, and answered with what it will do', async () => {
    const { post, get } = await staged();
    const { occurrences, warnings, ...made } = await post<StoredSchedule>('', 201, {
      ...DAILY,
      window: '10m',
      catchUp: { within: '2h' },
      exclude: { dates: '12-25' },
      priority: 'high',
      tags: ['money', 'report'],
      description: 'The daily report',
    });
    expect(made).toEqual({
      id: 'daily',
      message: { type: 'greeter.greet', version: 1, data: { name: 'Ada' } },
      cron: '30 2 * * *',
      tz: 'Europe/Madrid',
      dst: 'once',
      exclude: { dates: ['12-25'] },
      onExcluded: 'drop',
      window: 600_000,
      overlap: 'skip',
      catchUp: { within: 7_200_000 },
      grace: 60_000,
      priority: expect.any(Number),
      tags: ['money', 'report'],
      description: 'The daily report',
      text: expect.stringMatching(/02:30.*Europe\/Madrid/),
      outcome: 'created',
      state: 'active',
      next: iso,
      running: [],
      buffered: 0,
      failures: 0,
      createdAt: iso,
      changedAt: iso,
      revision: expect.any(Number),
    });
    expect(occurrences).toHaveLength(10);
    expect(occurrences[0]).toEqual({
      at: made.next,
      local: expect.stringMatching(/^\d{4}-\d\d-\d\d 02:30:00 \+0[12]:00$/),
    });
    expect(warnings).toEqual([expect.stringContaining('02:30'), expect.stringContaining('02:30')]);
    const { outcome: _, ...view } = made;
    expect(await get('/daily', 200)).toEqual(view);
    await post('', 409, DAILY);
  });

  it('is made once with one Idempotency-Key', async () => {
    const { post } = await staged();
    const headers = { 'idempotency-key': 'k1' };
    await post('', 201, DAILY, headers);
    expect(await post('', 201, DAILY, headers)).toMatchObject({ outcome: 'created' });
    expect(await post('', 409, { ...DAILY, tz: 'UTC' }, headers)).toMatchObject({
      code: 'idempotency_conflict',
    });
    expect(await post('', 409, DAILY)).toMatchObject({
      code: 'schedule_exists',
      errors: [{ path: 'id' }],
    });
  });

  it.each<[string, object]>([
    ['cron', { cron: ['0 7 * * *', '30 8 * * H'], overlap: 'buffer-one', jitter: '10s' }],
    ['every', { every: '90s', phase: '5s', limit: 5, timeout: '1m', pauseAfter: 3 }],
    ['at', { at: ['2087-01-01T00:00:00Z', '2088-01-01T12:00'], tz: 'Asia/Tokyo' }],
    ['rrule', { rrule: 'FREQ=MONTHLY;BYDAY=-1FR', start: '2026-01-01T09:00', seed: 'x' }],
    [
      'calendars',
      {
        cron: '0 9 * * *',
        include: { days: ['mon', 'tue'] },
        exclude: [{ dates: ['12-25'] }, { days: ['tue'] }],
        onExcluded: 'next-day',
        catchUp: { last: 3 },
        dst: 'skip',
        tags: ['a'],
        priority: 7,
        description: 'all of it',
      },
    ],
  ])('can be put back as it was shown: %s', async (_, spec) => {
    const { put, get } = await staged();
    const body = { message: PAY, ...spec };
    const made = await put<StoredSchedule>('/x', 201, body);
    expect(made.outcome).toBe('created');
    const shown = await get<ScheduleView>('/x', 200);
    expect(await put('/x', 200, shown)).toMatchObject({ outcome: 'unchanged' });
    expect(await put('/x', 200, { ...body, id: 'x' })).toMatchObject({ outcome: 'unchanged' });
    expect(await get('/x', 200)).toEqual(shown);
    expect(await put('/x', 200, { ...shown, overlap: 'allow' })).toMatchObject({
      outcome: 'changed',
      overlap: 'allow',
      occurrences: expect.any(Array) as object,
    });
  });

  it('hides the secrets of its message, and keeps them when it is put back', async () => {
    const { app, put, get, post } = await staged();
    await post('', 201, { id: 'pay', message: PAY, every: '1h' });
    const shown = await get<ScheduleView>('/pay', 200);
    expect(shown.message.data).toEqual({
      card: '[secret]',
      to: [{ name: 'Ada', pin: '[secret]' }],
    });
    expect(JSON.stringify(await get('', 200))).not.toContain('4111');
    await put('/pay', 200, { ...shown, tags: ['kept'] });
    await post('/pay/trigger', 202);
    await vi.waitUntil(() => Till.paid.length === 1);
    expect(Till.paid[0]).toMatchObject(PAY.data);
    const to = [...((shown.message.data?.to ?? []) as object[]), { name: 'Bob', pin: '[secret]' }];
    const more = { ...shown.message, data: { ...shown.message.data, to } };
    expect(await put('/pay', 422, { ...shown, message: more })).toMatchObject({
      code: 'invalid_message',
      errors: [{ path: 'message/data/to/1/pin' }],
    });
    expect(await post('', 422, { id: 'other', message: shown.message, every: '1h' })).toMatchObject(
      { errors: [{ path: 'message/data/card' }] },
    );
    Till.open();
    await app.inject({ url: '/health/ready' });
  });

  it('is removed, with its history', async () => {
    const { post, remove, get } = await staged();
    await post('', 201, DAILY);
    expect(await remove('/daily', 204)).toBeUndefined();
    await get('/daily', 404);
    await get('/daily/runs', 404);
    expect(await remove('/daily', 404)).toMatchObject({ code: 'not_found' });
  });
});

describe('a schedule that is declared in code', () => {
  it('is shown, and can be paused, but is changed by its code alone', async () => {
    const { get, put, remove, post } = await staged();
    await vi.waitUntil(async () => (await get<ScheduleList>('', 200)).items.length === 1);
    const view = await get<ScheduleView>('/greeter.monday', 200);
    expect(view).toMatchObject({
      owner: 'greeter',
      message: { type: 'greeter.monday', version: 1, data: {} },
      cron: '0 7 * * 1',
      tz: 'Europe/Madrid',
      next: expect.stringMatching(/T0[56]:00:00\.000Z$/) as string,
    });
    const message = { type: 'greeter.greet', data: { name: 'Ada' } };
    const declared = { code: 'declared_schedule' };
    const body = { message, cron: '0 8 * * 1' };
    expect(await put('/greeter.monday', 409, body)).toMatchObject(declared);
    expect(await remove('/greeter.monday', 409)).toMatchObject(declared);
    expect(await post('', 409, { id: 'greeter.monday', ...body })).toMatchObject({
      code: 'schedule_exists',
    });
    expect(await post('/greeter.monday/pause', 200, { reason: 'holidays' })).toMatchObject({
      state: 'paused',
    });
  });
});

describe('GET /v1/schedules', () => {
  it('lists by id, in pages, by tag, text and state', async () => {
    const { put, get, post } = await staged();
    for (const id of ['c', 'a', 'b']) {
      await put(`/${id}`, 201, { message: GREET, every: '1d', tags: [`t-${id}`], description: id });
    }
    await post('/b/pause', 200, { reason: 'x' });
    const page = async (query: string) => {
      const { items, next } = await get<ScheduleList>(query, 200);
      return [items.map(({ id }) => id).join(' '), next] as const;
    };
    await vi.waitUntil(async () => (await page(''))[0] === 'a b c greeter.monday');
    const [first, cursor] = await page('?limit=2');
    expect([first, await page(`?limit=2&cursor=${cursor}`)]).toEqual([
      'a b',
      ['c greeter.monday', undefined],
    ]);
    expect(await page('?tag=t-a')).toEqual(['a', undefined]);
    expect(await page('?q=MONDAY')).toEqual(['greeter.monday', undefined]);
    expect(await page('?q=greeter.greet&state=active')).toEqual(['a c', undefined]);
    expect(await page('?state=paused')).toEqual(['b', undefined]);
    expect(await page('?tag=none')).toEqual(['', undefined]);
    expect(await page('?troubled=true')).toEqual(['', undefined]);
    await get('?troubled=yes', 422);
  });
});

describe('what is done with a schedule', () => {
  it('pauses and resumes', async () => {
    const { post, put } = await staged();
    await put('/x', 201, { message: GREET, every: '1h' });
    const until = '2099-01-01T00:00:00+01:00';
    expect(await post('/x/pause', 200, { reason: 'holidays', until })).toMatchObject({
      state: 'paused',
      pause: { since: iso, reason: 'holidays', until: '2098-12-31T23:00:00.000Z' },
    });
    const resumed = await post('/x/resume', 200);
    expect(resumed).toMatchObject({ state: 'active' });
    expect(resumed).not.toHaveProperty('pause');
    expect(await post('/x/resume', 200)).toMatchObject({ state: 'active' });
  });

  it('triggers a run, once with one Idempotency-Key', async () => {
    const { app, post, put, get } = await staged();
    await put('/x', 201, { message: PAY, every: '1h' });
    const headers = { 'idempotency-key': 'now' };
    const started = await post<{ run: string }>('/x/trigger', 202, undefined, headers);
    expect(started).toEqual({ id: 'x', state: 'started', run: expect.any(String) });
    expect(await post('/x/trigger', 202, undefined, headers)).toEqual(started);
    const message = await app.inject({ url: `/v1/messages/${encodeURIComponent(started.run)}` });
    expect(message.json()).toMatchObject({ type: 'till.pay', headers: { schedule: 'x' } });
    expect(await post('/x/trigger', 409)).toMatchObject({ code: 'run_skipped' });
    expect(await post('/x/trigger', 202, { overlap: 'buffer-one' })).toEqual({
      id: 'x',
      state: 'buffered',
    });
    expect(await get('/x', 200)).toMatchObject({
      buffered: 1,
      running: [{ id: started.run, reason: 'manual', nominal: iso, startedAt: iso }],
    });
    Till.open();
    await vi.waitUntil(async () => {
      const { items } = await get<RunList>('/x/runs', 200);
      return items.filter(({ kind }) => kind === 'end').length === 2;
    });
    expect(await get('/x', 200)).toMatchObject({
      last: { outcome: 'succeeded', nominal: iso, finishedAt: iso },
    });
  });

  it('runs a range of time, counted first, once', async () => {
    const { post, put, get } = await staged();
    await put('/x', 201, { message: GREET, every: '1h' });
    const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-01T05:00:00Z' };
    const counted = { id: 'x', state: 'counted', count: 5 };
    expect(await post('/x/backfill', 200, { ...range, dryRun: true })).toEqual(counted);
    const headers = { 'idempotency-key': 'january' };
    const begun = { ...counted, state: 'begun' };
    expect(await post('/x/backfill', 202, range, headers)).toEqual(begun);
    const again = await post('/x/backfill', 202, { ...range, id: 'january' });
    expect(again).toEqual({ ...counted, state: 'known' });
    const ended = () => get<RunList>('/x/runs?limit=100', 200);
    const ends = await vi.waitUntil(async () => {
      const { items } = await ended();
      const found = items.filter(({ kind }) => kind === 'end');
      return found.length === 5 && found;
    });
    expect(ends.map((end) => 'nominal' in end && end.nominal)).toEqual(
      [5, 4, 3, 2, 1].map((hour) => `2026-01-01T0${hour}:00:00.000Z`),
    );
    expect(ends[0]).toEqual({
      kind: 'end',
      at: iso,
      run: expect.any(String),
      nominal: iso,
      outcome: 'succeeded',
      startedAt: iso,
      drift: expect.any(Number),
      attempts: 1,
    });
  });

  it('shows what has become of it in pages, newest first', async () => {
    const { post, put, get } = await staged();
    await put('/x', 201, { message: GREET, every: '1h' });
    await post('/x/pause', 200, { reason: 'a while' });
    await post('/x/resume', 200);
    const { items } = await get<RunList>('/x/runs', 200);
    expect(items).toEqual([
      { kind: 'note', at: iso, what: 'resumed' },
      { kind: 'note', at: iso, what: 'paused', detail: 'a while' },
      { kind: 'note', at: iso, what: 'created' },
    ]);
    const page = await get<RunList>('/x/runs?limit=2', 200);
    expect(page.items).toEqual(items.slice(0, 2));
    expect(await get('/x/runs?limit=2&cursor=' + page.next, 200)).toEqual({
      items: items.slice(2),
    });
  });

  it('tells the next times', async () => {
    const { put, get } = await staged();
    await put('/x', 201, { message: GREET, cron: '0 7 * * *', tz: 'Asia/Tokyo', limit: 3 });
    const { occurrences } = await get<PreviewView>('/x/next?count=2', 200);
    expect(occurrences).toEqual([
      { at: expect.stringMatching(/T22:00:00\.000Z$/), local: expect.stringMatching(/\+09:00$/) },
      expect.any(Object),
    ]);
    expect((await get<PreviewView>('/x/next', 200)).occurrences).toHaveLength(3);
  });

  it('says so when no process that runs schedules answers', async () => {
    const { app, post, put, remove } = await staged();
    await put('/x', 201, { message: GREET, every: '1h' });
    vi.spyOn(app.get(Actors), 'ask').mockRejectedValue(new AskTimeoutError('m', 10_000));
    for (const answer of [
      await post('', 504, DAILY),
      await put('/x', 504, { message: GREET, every: '2h' }),
      await remove('/x', 504),
      await post('/x/trigger', 504),
    ]) {
      expect(answer).toMatchObject({
        code: 'ask_timeout',
        detail: expect.stringContaining('no process that runs schedules') as string,
      });
    }
  });
});

describe('POST /v1/schedules:preview', () => {
  it('tells what a schedule would do, and stores nothing', async () => {
    const { app, get } = await staged();
    const payload = {
      cron: '30 2 * * *',
      tz: 'Europe/Madrid',
      from: '2026-03-28T00:00:00Z',
      count: 2,
      tags: ['a'],
      overlap: 'allow',
    };
    const response = await app.inject({ method: 'POST', url: `${URL}:preview`, payload });
    expect([response.statusCode, response.json()]).toEqual([
      200,
      {
        text: expect.stringContaining('02:30') as string,
        occurrences: [
          { at: '2026-03-28T01:30:00.000Z', local: '2026-03-28 02:30:00 +01:00' },
          { at: '2026-03-29T01:00:00.000Z', local: '2026-03-29 03:00:00 +02:00' },
        ],
        warnings: expect.arrayContaining([expect.stringContaining('2026-03-29')]) as string[],
      },
    ]);
    const whole = { ...DAILY, from: '2026-01-01T00:00:00Z' };
    expect(
      (await app.inject({ method: 'POST', url: `${URL}:preview`, payload: whole })).json(),
    ).toMatchObject({ occurrences: { length: 10 } });
    await get('/daily', 404);
  });
});

describe('the messages with which schedules are kept', () => {
  it('are nobody else to send', async () => {
    const app = await stageForTest();
    const payload = { type: 'schedules.remove', data: { key: 'x', owner: 'greeter' } };
    const response = await app.inject({ method: 'POST', url: '/v1/messages', payload });
    expect(response.json()).toMatchObject({ status: 422, code: 'unknown_message' });
    expect((await app.inject({ url: '/openapi.json' })).body).not.toContain('schedules.remove');
  });
});
