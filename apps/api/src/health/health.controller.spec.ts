import { Actors, ENGINE, MessageRegistry, type Engine } from '@callsheet/messaging';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { send, stageForTest } from '../../test/stage.js';
import { CANARY } from './canary.actor.js';

/** Stops the clock by which answers grow old. @returns what moves it on */
function stoppedClock(): (ms: number) => void {
  let now = performance.now();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  return (ms) => void (now += ms);
}

it('is live', async () => {
  const app = await stageForTest();
  expect((await app.inject({ url: '/health/live' })).json()).toEqual({ status: 'live' });
});

it('is ready when a turn was committed', async () => {
  const app = await stageForTest();
  const response = await app.inject({ url: '/health/ready' });
  expect([response.statusCode, response.json()]).toEqual([
    200,
    {
      status: 'ready',
      turnMs: expect.any(Number),
      store: { name: 'memory', durability: 'memory' },
    },
  ]);
  expect((await app.get<Engine>(ENGINE).counts(CANARY)).done).toBe(1);
});

it('asks for one turn for a storm of probes', async () => {
  const app = await stageForTest();
  const passed = stoppedClock();
  const asked = vi.spyOn(app.get(Actors), 'ask');
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => app.inject({ url: '/health/ready' })),
  );
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
  expect(asked).toHaveBeenCalledTimes(1);
  passed(1_001);
  expect((await app.inject({ url: '/health/ready' })).statusCode).toBe(200);
  expect(asked).toHaveBeenCalledTimes(2);
});

it('is live but not ready when the store refuses', async () => {
  const app = await stageForTest();
  vi.spyOn(app.get<Engine>(ENGINE), 'send').mockRejectedValue(new Error('ECONNREFUSED secret'));
  const response = await app.inject({ url: '/health/ready' });
  expect(response.statusCode).toBe(503);
  expect(response.json()).toMatchObject({ code: 'not_ready' });
  expect(response.body).not.toContain('secret');
  expect((await app.inject({ url: '/health/live' })).statusCode).toBe(200);
});

it('is not ready when the store takes messages and gives none out', async () => {
  const app = await stageForTest();
  vi.spyOn(app.get<Engine>(ENGINE), 'send').mockResolvedValue(undefined);
  const actors = app.get(Actors);
  const ask = actors.ask.bind(actors);
  const asked = vi
    .spyOn(actors, 'ask')
    .mockImplementation((message, options) => ask(message, { ...options, timeout: 1 }));
  const response = await app.inject({ url: '/health/ready' });
  expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([503, 'not_ready']);
  expect(asked).toHaveBeenCalledExactlyOnceWith(expect.anything(), { timeout: 2_000 });
});

describe('with a limit for how long messages wait', () => {
  it('is not ready when one has waited longer, and says not which', async () => {
    const app = await stageForTest();
    await send(app, { type: 'shelf.keep', data: {} });
    const since = Date.now();
    await vi.waitUntil(() => Date.now() > since + 1);
    const late = await app.inject({ url: '/health/ready?oldest=1ms' });
    expect([late.statusCode, late.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'not_ready', detail: expect.stringMatching(/has waited/) }),
    ]);
    expect(late.body).not.toContain('shelf');
    expect((await app.inject({ url: '/health/ready?oldest=10m' })).statusCode).toBe(200);
  });

  it('is ready when the actor of what waits is paused', async () => {
    const app = await stageForTest();
    await send(app, { type: 'shelf.keep', data: {} });
    const payload = { reason: 'stocktaking' };
    await app.inject({ method: 'POST', url: '/v1/actors/shelf/pause', payload });
    const since = Date.now();
    await vi.waitUntil(() => Date.now() > since + 1);
    expect((await app.inject({ url: '/health/ready?oldest=1ms' })).statusCode).toBe(200);
  });

  it('looks at the store once for a storm of probes', async () => {
    const app = await stageForTest();
    const passed = stoppedClock();
    const oldest = vi.spyOn(app.get<Engine>(ENGINE), 'oldest');
    await Promise.all(
      Array.from({ length: 50 }, () => app.inject({ url: '/health/ready?oldest=10m' })),
    );
    const actors = [...app.get(MessageRegistry).actors()];
    expect(oldest.mock.calls).toEqual(actors.map((actor) => [actor]));
    passed(5_001);
    await app.inject({ url: '/health/ready?oldest=10m' });
    expect(oldest).toHaveBeenCalledTimes(2 * actors.length);
  });

  it.each(['?oldest=soon', '?oldest=-1s', '?oldest=400d', '?newest=1s'])(
    'refuses %s',
    async (query) => {
      const app = await stageForTest();
      expect((await app.inject({ url: `/health/ready${query}` })).statusCode).toBe(422);
    },
  );
});
