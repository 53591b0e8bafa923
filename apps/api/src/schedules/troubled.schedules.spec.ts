import { expect, it } from 'vitest';
import { stageForTest } from '../../test/stage.js';
import type { ScheduleList } from './schedule.view.js';

it('those in trouble are found among all schedules, in pages', async () => {
  const app = await stageForTest();
  const post = async (id: string, name: string) => {
    const message = { type: 'greeter.greet', data: { name } };
    const payload = { id, message, every: '1d' };
    const { statusCode } = await app.inject({ method: 'POST', url: '/v1/schedules', payload });
    expect(statusCode).toBe(201);
  };
  const made = async (id: string, name: string) => {
    await post(id, name);
    const run = await app.inject({ method: 'POST', url: `/v1/schedules/${id}/trigger` });
    expect(run.statusCode).toBe(202);
  };
  // More than a page has, before them.
  for (let n = 0; n < 110; n++) await post(`calm${n}`, 'Ada');
  for (const n of [1, 2, 3]) {
    await made(`well${n}`, 'Ada');
    await made(`ill${n}`, 'nobody');
  }
  const page = async (query: string) => {
    const response = await app.inject({ url: `/v1/schedules?troubled=true${query}` });
    const { items, next = '' } = response.json<ScheduleList>();
    return [items.map(({ id }) => id).join(' '), next] as const;
  };
  await expect.poll(() => page(''), { timeout: 4_000 }).toEqual(['ill1 ill2 ill3', '']);
  const [first, next] = await page('&limit=2');
  expect([first, await page(`&limit=2&cursor=${next}`)]).toEqual(['ill1 ill2', ['ill3', '']]);
  expect(await page('&state=paused')).toEqual(['', '']);
});
