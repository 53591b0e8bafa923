import { Actor, Handle, Message, type Turn } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { serverSuite } from '../../../../test/support/available.js';
import { eventually } from '../../../../test/support/eventually.js';
import { startRedis, type RedisServer } from '../../../../test/support/redis.server.js';
import { openStage } from '../../test/stage.js';

const KEY = 'k'.repeat(32);
const CLIENTS = 6;
const ROTATIONS = 4;

class Count extends Message('counter.count', z.strictObject({})) {}

@Actor()
class Counter {
  static readonly handled: string[] = [];

  @Handle(Count)
  async count(_message: Count, turn: Turn): Promise<void> {
    Counter.handled.push(turn.id);
  }
}

serverSuite('redis-server', 'two processes', () => {
  let server: RedisServer;
  let apps: NestFastifyApplication[];
  let urls: string[];
  beforeAll(async () => {
    server = await startRedis();
    const stage = { url: server.url, apiKey: KEY, providers: [Counter], messages: [Count] };
    apps = [await openStage(stage), await openStage(stage)];
    for (const app of apps) await app.listen(0, '127.0.0.1');
    urls = await Promise.all(apps.map((app) => app.getUrl()));
  }, 60_000);
  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await server.stop();
  }, 60_000);

  async function post<T>(n: number, path: string, key: string, body: object): Promise<T> {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(urls[n % urls.length]! + path, request);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  it('refuse no message while the key of its clients is rotated, and lose none', async () => {
    const options = { name: 'shop', role: 'operator', permissions: ['messages:send'] };
    const made = await post<{ id: string; key: string }>(0, '/v1/api-keys', KEY, options);
    const rotate = `/v1/api-keys/${made.id}/rotate`;
    let newest = made.key;
    let isOver = false;
    const sent: string[] = [];
    const used = Array.from({ length: CLIENTS }, () => [newest]);
    /** Sends everywhere; of two clients one takes another key at once, one sends with that of before until it has. */
    const client = async (own: string[], who: number): Promise<void> => {
      for (let n = who; !isOver; n++) {
        const known = newest;
        const key = who % 2 === 0 ? known : own.at(-1)!;
        const message = { type: 'counter.count', data: {}, id: `${who}-${n}` };
        sent.push((await post<{ id: string }>(n, '/v1/messages', key, message)).id);
        if (own.at(-1) !== known) own.push(known);
      }
    };
    const all = Promise.all(used.map(client));
    try {
      for (let rotation = 0; rotation < ROTATIONS; rotation++) {
        const before = sent.length;
        newest = (await post<{ key: string }>(rotation, rotate, KEY, { overlap: '1h' })).key;
        const isTaken = (): boolean =>
          used.every((own) => own.at(-1) === newest) && sent.length >= before + 5 * CLIENTS;
        await Promise.race([all, eventually(isTaken, { timeout: 20_000 })]);
      }
    } finally {
      isOver = true;
    }
    await all;
    expect(used.map((own) => new Set(own).size)).toEqual(used.map(() => ROTATIONS + 1));
    expect(sent.length).toBeGreaterThanOrEqual(ROTATIONS * 5 * CLIENTS);
    await eventually(() => Counter.handled.length >= sent.length, { timeout: 20_000 });
    expect(Counter.handled.toSorted()).toEqual(sent.toSorted());
  }, 60_000);
});
