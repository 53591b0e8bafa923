import { expect, it } from 'vitest';
import { stageForTest } from '../../test/stage.js';

it('lists schedules with their next time', async () => {
  const app = await stageForTest();
  const { items } = (await app.inject({ url: '/v1/schedules' })).json<{
    items: { next: string }[];
  }>();
  expect(items).toEqual([
    {
      id: 'greeter.monday',
      actor: 'greeter',
      cron: '0 7 * * 1',
      tz: 'Europe/Madrid',
      next: expect.stringMatching(/T0[56]:00:00\.000Z$/) as string,
    },
  ]);
  expect(Date.parse(items[0]?.next ?? '')).toBeGreaterThan(Date.now());
});
