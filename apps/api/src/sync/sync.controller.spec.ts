import { Pipeline, type Pull } from '@callsheet/sync';
import { expect, it } from 'vitest';
import { stageForTest } from '../../test/stage.js';
import type { PipelineHistory, PipelineList, PipelineRun, PipelineView } from './pipeline.view.js';

/** Numbers up to ten; `breaks` makes it fail. */
@Pipeline({ name: 'numbers', every: '1h', page: 4, retry: { attempts: 3, delay: '1m' } })
class Numbers {
  static breaks = false;

  pull(cursor: number | null, { limit, until }: Pull) {
    if (Numbers.breaks) throw new Error('the source is away');
    const end = Number(until ?? 10);
    const from = cursor ?? 0;
    const to = Math.min(end, from + limit);
    const rows = Array.from({ length: Math.max(0, to - from) }, (_, n) => from + n);
    return { rows, cursor: to, more: to < end };
  }

  push(): void {}
}

async function staged() {
  Numbers.breaks = false;
  const app = await stageForTest({ providers: [Numbers] });
  const call = async <T>(method: 'GET' | 'POST', url: string, status: number, payload?: object) => {
    const response = await app.inject({ method, url: `/v1/sync${url}`, payload });
    expect(response.statusCode, response.body).toBe(status);
    return response.json<T>();
  };
  const get = <T = PipelineView>(url: string, status = 200) => call<T>('GET', url, status);
  const post = <T = PipelineView>(url: string, status = 200, body?: object) =>
    call<T>('POST', url, status, body);
  const until = async (expected: object): Promise<void> => {
    await expect.poll(() => get('/numbers'), { timeout: 4_000 }).toMatchObject(expected);
  };
  await expect.poll(async () => (await get<PipelineList>('')).items.length).toBe(1);
  return { app, get, post, until };
}

it('shows pipelines with cursor, lag, rows, rate and errors, and runs them', async () => {
  const { get, post, until } = await staged();
  const fresh = { name: 'numbers', state: 'idle', cursor: null, rows: 0, every: '1h', waiting: 0 };
  expect(await get<PipelineList>('')).toMatchObject({ items: [fresh] });
  expect(await post<PipelineRun>('/numbers/run', 202)).toMatchObject({ state: 'started' });
  await until({ state: 'idle', cursor: 10, rows: 10, pages: 3, bad: 0, errors: 0 });
  const view = await get('/numbers');
  expect(view.lag).toBeGreaterThanOrEqual(0);
  expect(view.rate).toBeGreaterThan(0);
  expect(view.last).toMatchObject({ outcome: 'done', reason: 'manual', rows: 10 });
  await post('/numbers/backfill', 202, { from: 2, until: 5 });
  await until({ rows: 13, cursor: 10 });
  const { items } = await get<PipelineHistory>('/numbers/history?limit=1');
  expect(items).toMatchObject([{ kind: 'run', reason: 'backfill', rows: 3 }]);
});

it('pauses, resumes and resets them, in the middle of a failure too', async () => {
  const { get, post, until } = await staged();
  Numbers.breaks = true;
  await post('/numbers/run', 202);
  const troubled = () => get<PipelineList>('?troubled=true');

  await until({ state: 'retrying', failure: { attempts: 1, message: 'the source is away' } });
  expect(await troubled()).toMatchObject({ items: [{ name: 'numbers' }] });
  const paused = await post('/numbers/pause', 200, { reason: 'it moves' });
  expect(paused).toMatchObject({ state: 'paused', pause: { reason: 'it moves' } });
  expect(await post('/numbers/run', 409)).toMatchObject({ code: 'pipeline_paused' });
  Numbers.breaks = false;
  await post('/numbers/resume');
  await until({ state: 'idle', cursor: 10 });
  expect(await post('/numbers/reset', 200, { cursor: 8 })).toMatchObject({ cursor: 8 });
  expect(await post('/numbers/reset')).toMatchObject({ cursor: null });
  const { items } = await get<PipelineHistory>('/numbers/history');
  const notes = items.map((each) => (each.kind === 'note' ? each.what : each.outcome));
  expect(notes).toEqual(['reset', 'reset', 'done', 'resumed', 'paused']);
});

it('says what is wrong with a request', async () => {
  const { app, get, post } = await staged();
  expect(await get('/nobody', 404)).toMatchObject({ code: 'not_found' });
  expect(await get('/No%20body', 404)).toMatchObject({ code: 'not_found' });
  expect(await post('/nobody/run', 404)).toMatchObject({ code: 'not_found' });
  expect(await get('?cursor=!', 422)).toMatchObject({ code: 'invalid_query' });
  expect(await get('?troubled=yes', 422)).toMatchObject({ code: 'invalid_query' });
  expect(await get('/numbers/history?cursor=x', 422)).toMatchObject({ code: 'invalid_query' });
  expect(await post('/numbers/pause', 422, { reason: '' })).toMatchObject({
    code: 'invalid_option',
  });
  expect(await post('/numbers/pause', 422, {})).toMatchObject({ code: 'invalid_body' });
  expect(await post('/numbers/reset', 422, { to: 1 })).toMatchObject({ code: 'invalid_body' });
  // What keeps pipelines is nobody's to send.
  for (const type of ['sync.remove', 'numbers.reset']) {
    const payload = { type, data: { key: 'numbers', cursor: 3 } };
    const { statusCode } = await app.inject({ method: 'POST', url: '/v1/messages', payload });
    expect(statusCode).toBe(422);
  }
});
