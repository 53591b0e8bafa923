import { expect, it, onTestFinished } from 'vitest';
import { stageForTest } from '../../test/stage.js';
import { RoomSettings } from './room.settings.js';

const ROOT = { authorization: `Bearer ${'k'.repeat(32)}` };

it('a stream of events ends when its key is revoked', async () => {
  const app = await stageForTest({ apiKey: 'k'.repeat(32) });
  Object.assign(app.get(RoomSettings), { poll: 20, beat: 20 });
  await app.listen(0, '127.0.0.1');
  const made = await app.inject({
    method: 'POST',
    url: '/v1/api-keys',
    headers: ROOT,
    payload: { name: 'ada', role: 'viewer' },
  });
  const { id, key } = made.json<{ id: string; key: string }>();
  const url = `${await app.getUrl()}/v1/rooms/lobby/events`;
  const given = new AbortController();
  onTestFinished(() => given.abort());
  const stream = await fetch(url, {
    headers: { authorization: `Bearer ${key}` },
    signal: given.signal,
  });
  const reader = stream.body!.getReader();
  const beats: string[] = [];
  for (let n = 0; n < 10; n++) beats.push(Buffer.from((await reader.read()).value!).toString());
  expect(beats.join('')).toContain(':\n\n');

  await app.inject({ method: 'DELETE', url: `/v1/api-keys/${id}`, headers: ROOT });
  // Until then it would go on beating.
  let isOver = false;
  while (!isOver)
    isOver = await reader.read().then(
      ({ done }) => done,
      () => true,
    );
  expect(isOver).toBe(true);
});
