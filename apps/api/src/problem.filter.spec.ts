import {
  ENGINE,
  StoreError,
  StoreFullError,
  UnknownOutcomeError,
  UnreadableError,
  type Engine,
} from '@callsheet/messaging';
import { Logger } from '@nestjs/common';
import { expect, it, onTestFinished, vi } from 'vitest';
import { stageForTest } from '../test/stage.js';

const KEEP = { type: 'shelf.keep', data: {} };

/** Keeps log lines instead of writing them. */
function logged(): unknown[][] {
  const lines: unknown[][] = [];
  const keep = (...line: unknown[]): void => void lines.push(line);
  Logger.overrideLogger({ log: () => undefined, warn: keep, error: keep });
  onTestFinished(() => Logger.overrideLogger(true));
  return lines;
}

it.each([
  ['unknown outcome', new UnknownOutcomeError('redis://secret'), 503, 'unknown_outcome', '1'],
  ['unusable store', new StoreError('redis://secret'), 503, 'store_unusable', '5'],
  ['full store', new StoreFullError('redis://secret'), 503, 'store_full', '5'],
  ['fault', new TypeError('redis://secret'), 500, 'internal', undefined],
  ['thrown text', 'redis://secret', 500, 'internal', undefined],
  [
    'http error that is none',
    Object.assign(new Error('redis://secret'), { statusCode: 502 }),
    500,
    'internal',
    undefined,
  ],
])('%s', async (_, error, status, code, retryAfter) => {
  const app = await stageForTest();
  const lines = logged();
  vi.spyOn(app.get<Engine>(ENGINE), 'send').mockRejectedValue(error);
  const response = await app.inject({ method: 'POST', url: '/v1/messages', payload: KEEP });
  expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([status, code]);
  expect(response.headers['retry-after']).toBe(retryAfter);
  expect(response.body).not.toContain('secret');
  expect(JSON.stringify(lines)).toContain('secret');
});

it('says what it cannot read, and why', async () => {
  const app = await stageForTest();
  logged();
  const problem = "is encrypted with key 'k1', which this process does not have";
  const error = new UnreadableError("journal of shelf 'a':", problem);
  vi.spyOn(app.get<Engine>(ENGINE), 'counts').mockRejectedValue(error);
  const response = await app.inject({ url: '/v1/actors' });
  expect(response.statusCode).toBe(500);
  expect(response.json()).toMatchObject({
    code: 'unreadable',
    detail: `journal of shelf 'a': ${problem}`,
  });
});

it('gives up a store that is silent', async () => {
  const app = await stageForTest({ patience: 100 });
  vi.spyOn(app.get<Engine>(ENGINE), 'counts').mockReturnValue(new Promise(() => undefined));
  const response = await app.inject({ url: '/v1/actors' });
  expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([503, 'timeout']);
});

it('logs nothing for what the client did', async () => {
  const app = await stageForTest();
  const lines = logged();
  await app.inject({ url: '/nope' });
  await app.inject({ method: 'POST', url: '/v1/messages', payload: {} });
  expect(lines).toEqual([]);
});
