import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { stageForTest } from '../test/stage.js';
import { ApiKeys } from './access/api.keys.js';
import { AuditLog } from './audit/audit.log.js';

const PATIENCE = 100;
const ROTATED = { key: 'cs_x', record: { id: 'x', name: 'x', role: 'viewer', createdAt: 0 } };

/** A call whose handler, and whose entry in the audit log, end when the test says. */
async function rotation() {
  const app = await stageForTest({ patience: PATIENCE });
  let handle: () => void = () => undefined;
  let keep: () => void = () => undefined;
  const handled = new Promise<void>((resolve) => (handle = resolve));
  let fail: () => void = () => undefined;
  const kept = new Promise<void>((resolve, reject) => {
    keep = resolve;
    fail = () => reject(new Error('the log is full'));
  });
  kept.catch(() => undefined);
  const close = vi.fn<() => Promise<void>>(() => kept);
  const drop = async (): Promise<void> => undefined;
  vi.spyOn(app.get(AuditLog), 'open').mockResolvedValue({ close, drop });
  vi.spyOn(app.get(ApiKeys), 'rotate').mockReturnValue(handled.then(() => ROTATED as never));
  return {
    handle,
    keep,
    fail,
    untilKept: () => vi.waitFor(() => expect(close).toHaveBeenCalled()),
    answer: app.inject({ method: 'POST', url: '/v1/api-keys/x/rotate', payload: {} }),
  };
}

it('a handler that is done too late does not put its answer into that of the timeout', async () => {
  const { handle, keep, untilKept, answer } = await rotation();
  await untilKept();
  handle();
  await sleep(50);
  keep();
  const { statusCode, headers, body } = await answer;
  expect([statusCode, headers['content-type']]).toEqual([
    503,
    'application/problem+json; charset=utf-8',
  ]);
  expect(JSON.parse(body)).toMatchObject({ code: 'timeout' });
});

it('a timeout does not put its answer into that of a handler that is done', async () => {
  const { handle, keep, untilKept, answer } = await rotation();
  handle();
  await untilKept();
  await sleep(PATIENCE + 50);
  keep();
  const { statusCode, headers, body } = await answer;
  expect([statusCode, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
  expect(JSON.parse(body)).toMatchObject({ key: 'cs_x' });
});

it('a hook that fails on the way out is answered as any other error', async () => {
  const { handle, fail, answer } = await rotation();
  handle();
  fail();
  const { statusCode, body } = await answer;
  expect([statusCode, JSON.parse(body)]).toMatchObject([500, { code: 'internal' }]);
});
