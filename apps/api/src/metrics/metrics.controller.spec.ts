import { ENGINE, type Engine } from '@callsheet/messaging';
import { SCHEDULER_ACTORS } from '@callsheet/scheduler';
import { SYNC_ACTORS } from '@callsheet/sync';
import { expect, it, vi } from 'vitest';
import { send, stageForTest } from '../../test/stage.js';
import { OWN_ACTORS } from '../actors/known.actor.js';

it('shows what was sent and handled, and what waits', async () => {
  const app = await stageForTest();
  await send(app, { type: 'greeter.greet', data: { name: 'Ada' } });
  await send(app, { type: 'greeter.greet', data: { name: 'nobody' } });
  await send(app, { type: 'shelf.keep', data: {} });
  const lines = await vi.waitUntil(async () => {
    const { body } = await app.inject({ url: '/metrics' });
    return /outcome="done"[^]*^callsheet_dead_letters_total\{/m.test(body) && body.split('\n');
  });
  const greet = 'actor="greeter",type="greeter.greet"';
  expect(lines).toEqual(
    expect.arrayContaining([
      `callsheet_messages_sent_total{${greet}} 2`,
      'callsheet_messages_sent_total{actor="shelf",type="shelf.keep"} 1',
      `callsheet_turns_total{${greet},outcome="done"} 1`,
      `callsheet_dead_letters_total{${greet},reason="rejected"} 1`,
      `callsheet_latency_seconds_count{${greet}} 1`,
      'callsheet_queue_messages{actor="shelf",state="waiting"} 1',
    ]),
  );
});

it("is in Prometheus' text format", async () => {
  const app = await stageForTest();
  const { statusCode, headers, body } = await app.inject({ url: '/metrics' });
  expect([statusCode, headers['content-type']]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  expect(body).toMatch(/^# HELP callsheet_turns_total .*\n# TYPE callsheet_turns_total counter$/m);
});

it('is OpenMetrics to who accepts that', async () => {
  const app = await stageForTest();
  await send(app, { type: 'shelf.keep', data: {} });
  const accept = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
  const { headers, body } = await app.inject({ url: '/metrics', headers: { accept } });
  expect(headers).toMatchObject({ 'content-type': accept, vary: 'accept' });
  expect(body).toMatch(/^# TYPE callsheet_messages_sent counter\ncallsheet_messages_sent_total\{/m);
  expect(body).toMatch(/[^\n]\n# EOF\n$/);
  expect(body).not.toContain('\n\n');
  const plain = await app.inject({ url: '/metrics' });
  expect(plain.body).toContain('# TYPE callsheet_messages_sent_total counter\n');
});

it('is behind the API key', async () => {
  const apiKey = 'k'.repeat(32);
  const app = await stageForTest({ apiKey });
  expect((await app.inject({ url: '/metrics' })).statusCode).toBe(401);
  const headers = { authorization: `Bearer ${apiKey}` };
  expect((await app.inject({ url: '/metrics', headers })).statusCode).toBe(200);
});

it('answers without the queues when the store does not', async () => {
  const app = await stageForTest();
  vi.spyOn(app.get<Engine>(ENGINE), 'counts').mockRejectedValue(new Error('ECONNREFUSED secret'));
  const { statusCode, body } = await app.inject({ url: '/metrics' });
  expect(statusCode).toBe(200);
  expect(body).toContain('# TYPE callsheet_queue_messages gauge');
  expect(body).not.toMatch(/^callsheet_queue_messages|secret/m);
});

it('asks the store once for a storm of scrapes', async () => {
  const app = await stageForTest();
  const counts = vi.spyOn(app.get<Engine>(ENGINE), 'counts');
  await Promise.all(Array.from({ length: 50 }, () => app.inject({ url: '/metrics' })));
  expect(counts.mock.calls.map(([actor]) => actor)).toEqual([
    ...OWN_ACTORS,
    'greeter',
    ...SCHEDULER_ACTORS,
    'shelf',
    ...SYNC_ACTORS,
  ]);
});
