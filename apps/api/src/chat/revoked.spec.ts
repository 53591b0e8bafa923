import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { stageForTest } from '../../test/stage.js';
import { RoomSettings } from './room.settings.js';

const ROOT = { authorization: `Bearer ${'k'.repeat(32)}` };

it('a stream of events ends when its key is revoked, and no other', async () => {
  const app = await stageForTest({ apiKey: 'k'.repeat(32) });
  Object.assign(app.get(RoomSettings), { poll: 20, beat: 20 });
  await app.listen(0, '127.0.0.1');
  const url = `${await app.getUrl()}/v1/rooms/lobby/events`;
  const [revoked, kept] = [await makeKey(app), await makeKey(app)];
  const [own, other] = [await follow(url, revoked.key), await follow(url, kept.key)];
  await eventually(() => own.beats > 0 && other.beats > 0);

  const path = `/v1/api-keys/${revoked.id}`;
  const gone = await app.inject({ method: 'DELETE', url: path, headers: ROOT });
  expect(gone.statusCode).toBe(204);
  await eventually(() => own.isOver);
  const before = other.beats;
  await eventually(() => other.beats > before + 2);
  expect(other.isOver).toBe(false);
});

async function makeKey(app: NestFastifyApplication): Promise<{ id: string; key: string }> {
  const payload = { name: 'ada', role: 'viewer' };
  const options = { method: 'POST', url: '/v1/api-keys', headers: ROOT, payload } as const;
  return (await app.inject(options)).json();
}

/** How often a stream has beaten, and whether it is over. */
async function follow(url: string, key: string): Promise<{ beats: number; isOver: boolean }> {
  const given = new AbortController();
  onTestFinished(() => given.abort());
  const headers = { authorization: `Bearer ${key}` };
  const { body } = await fetch(url, { headers, signal: given.signal });
  const seen = { beats: 0, isOver: false };
  const read = async (): Promise<void> => {
    for await (const chunk of body!) {
      seen.beats += Buffer.from(chunk).toString().split(':\n\n').length - 1;
    }
  };
  void read()
    .catch(() => undefined)
    .finally(() => (seen.isOver = true));
  return seen;
}
