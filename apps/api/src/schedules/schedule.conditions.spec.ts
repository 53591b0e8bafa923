import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Greeter, openStage } from '../../test/stage.js';
import type { StoredSchedule } from './schedule.preview.view.js';
import type { ScheduleView } from './schedule.view.js';

const GREET = { type: 'greeter.greet', data: { name: 'Ada' } };
const conflict = { status: 412, body: { code: 'precondition_failed' } };

let app: NestFastifyApplication;

beforeAll(async () => {
  app = await openStage({ providers: [Greeter] });
});
afterAll(() => app.close());

async function call<T = object>(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  url: string,
  payload?: object,
  headers: Record<string, string> = {},
) {
  const response = await app.inject({ method, url: `/v1/schedules${url}`, payload, headers });
  const body = response.body === '' ? (undefined as T) : response.json<T>();
  return { status: response.statusCode, etag: String(response.headers.etag), body };
}

function put(id: string, every: string, headers?: Record<string, string>) {
  return call<StoredSchedule>('PUT', `/${id}`, { message: GREET, every }, headers);
}

describe('the ETag of a schedule', () => {
  it('is its revision, in every answer that shows it', async () => {
    const made = await call<StoredSchedule>('POST', '', { id: 'a', message: GREET, every: '1h' });
    expect([made.status, made.etag]).toEqual([201, `"${made.body.revision}"`]);
    const shown = await call<ScheduleView>('GET', '/a');
    expect([shown.etag, shown.body.revision]).toEqual([made.etag, made.body.revision]);
    expect(await put('a', '1h')).toMatchObject({ etag: made.etag, body: { outcome: 'unchanged' } });
    const changed = await put('a', '2h');
    expect(changed.etag).not.toBe(made.etag);
    expect((await call('GET', '/a')).etag).toBe(changed.etag);
    // What was shown can be sent back, whole.
    const { body } = await call<ScheduleView>('GET', '/a');
    expect((await call('PUT', '/a', body, { 'if-match': changed.etag })).status).toBe(200);
  });

  it('stays when it is paused, and runs', async () => {
    const { etag } = await put('b', '1h');
    await call('POST', '/b/pause', { reason: 'holidays' });
    await call('POST', '/b/resume');
    expect((await call('POST', '/b/trigger')).status).toBe(202);
    await vi.waitUntil(async () => (await call<ScheduleView>('GET', '/b')).body.last);
    expect((await call('GET', '/b')).etag).toBe(etag);
  });
});

describe('conditions', () => {
  it('change a schedule only as it was seen', async () => {
    const { etag } = await put('c', '1h');
    expect(await put('c', '2h', { 'if-match': '"1"' })).toMatchObject({ ...conflict, etag });
    const changed = await put('c', '2h', { 'if-match': etag });
    expect(changed).toMatchObject({ status: 200, body: { outcome: 'changed' } });
    expect(await put('c', '3h', { 'if-match': etag })).toMatchObject({
      ...conflict,
      etag: changed.etag,
      body: { detail: expect.stringContaining('look at it') as string },
    });
    expect((await call('GET', '/c')).body).toMatchObject({ every: 7_200_000 });
    expect(await put('c', '3h', { 'if-match': '*' })).toMatchObject({ status: 200 });
  });

  it('make a schedule only if there is none', async () => {
    expect(await put('new', '1h', { 'if-match': '*' })).toMatchObject(conflict);
    expect(await put('new', '1h', { 'if-match': '"1"' })).toMatchObject(conflict);
    expect((await call('GET', '/new')).status).toBe(404);
    expect(await put('new', '1h', { 'if-none-match': '*' })).toMatchObject({ status: 201 });
    expect(await put('new', '2h', { 'if-none-match': '*' })).toMatchObject(conflict);
  });

  it('remove a schedule only as it was seen', async () => {
    const { etag } = await put('d', '1h');
    const remove = (tag: string) => call('DELETE', '/d', undefined, { 'if-match': tag });
    expect(await remove('"1"')).toMatchObject({ ...conflict, etag });
    expect(await remove(etag)).toMatchObject({ status: 204 });
    for (const tag of [etag, '*']) expect(await remove(tag)).toMatchObject({ status: 404 });
    await put('d', '1h');
    expect(await remove(etag)).toMatchObject(conflict);
    expect(await remove('*')).toMatchObject({ status: 204 });
  });

  it('let one of many at once through', async () => {
    const { etag } = await put('busy', '1h');
    const puts = await Promise.all(
      [2, 3, 4, 5, 6].map((hours) => put('busy', `${hours}h`, { 'if-match': etag })),
    );
    expect(puts.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      ...[200, 412, 412, 412, 412],
    ]);
  });

  it('do not let through what only its code may change', async () => {
    const get = () => call<ScheduleView>('GET', '/greeter.monday');
    const { etag } = await vi.waitUntil(async () => {
      const found = await get();
      return found.status === 200 && found;
    });
    for (const tag of [etag, '"1"', '*']) {
      const answers = [
        await put('greeter.monday', '1h', { 'if-match': tag }),
        await call('DELETE', '/greeter.monday', undefined, { 'if-match': tag }),
      ];
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 409, body: { code: 'declared_schedule' } });
      }
    }
  });

  it.each<[Record<string, string>, path: string]>([
    [{ 'if-match': 'W/"1"' }, 'If-Match'],
    [{ 'if-match': '1' }, 'If-Match'],
    [{ 'if-match': '"1", "2"' }, 'If-Match'],
    [{ 'if-none-match': '"1"' }, 'If-None-Match'],
    [{ 'if-none-match': '*', 'if-match': '*' }, 'If-None-Match'],
  ])('that are none are refused: %o', async (headers, path) => {
    const refused = { status: 422, body: { code: 'invalid_option', errors: [{ path }] } };
    expect(await put('e', '1h', headers)).toMatchObject(refused);
    expect(await call('DELETE', '/e', undefined, headers)).toMatchObject(refused);
    expect((await call('GET', '/e')).status).toBe(404);
  });
});
