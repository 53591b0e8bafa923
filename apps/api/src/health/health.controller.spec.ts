import { ENGINE, type Engine } from '@callsheet/messaging';
import { expect, it, vi } from 'vitest';
import { stageForTest } from '../../test/stage.js';

it('is live', async () => {
  const app = await stageForTest();
  expect((await app.inject({ url: '/health/live' })).json()).toEqual({ status: 'live' });
});

it('is ready when the store answers', async () => {
  const app = await stageForTest();
  const response = await app.inject({ url: '/health/ready' });
  expect([response.statusCode, response.json()]).toEqual([
    200,
    { status: 'ready', store: { name: 'memory', durability: 'memory' } },
  ]);
});

it('is live but not ready when the store refuses', async () => {
  const app = await stageForTest();
  vi.spyOn(app.get<Engine>(ENGINE), 'ping').mockRejectedValue(new Error('ECONNREFUSED secret'));
  const response = await app.inject({ url: '/health/ready' });
  expect(response.statusCode).toBe(503);
  expect(response.json()).toMatchObject({ code: 'not_ready' });
  expect(response.body).not.toContain('secret');
  expect((await app.inject({ url: '/health/live' })).statusCode).toBe(200);
});

it('is not ready when the store is silent for two seconds', async () => {
  const app = await stageForTest();
  vi.spyOn(app.get<Engine>(ENGINE), 'ping').mockReturnValue(new Promise(() => undefined));
  const start = performance.now();
  const response = await app.inject({ url: '/health/ready' });
  expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([503, 'not_ready']);
  expect(performance.now() - start).toBeGreaterThan(1_900);
});
