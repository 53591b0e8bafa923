import type { RedisClient } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serverSuite } from '../../../../../test/support/available.js';
import { startRedis, type RedisServer } from '../../../../../test/support/redis.server.js';
import { runScript, type Argument } from './redis.run.js';

serverSuite('redis-server', 'a script that is run', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  const HEX = `
local function hex(text) return (string.gsub(text, '.', function(c) return string.format('%02x', string.byte(c)) end)) end
local found = {}
for _, key in ipairs(KEYS) do found[#found + 1] = 'key ' .. hex(key) end
for _, arg in ipairs(ARGV) do found[#found + 1] = hex(arg) end
return found`;
  const run = (...args: Argument[]): Promise<unknown> =>
    runScript(redis as unknown as RedisClient, 'hex', () => HEX, args);
  const hex = (text: string): string => Buffer.from(text).toString('hex');

  it('gets its keys and arguments byte by byte', async () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(
      await run(
        1,
        'k',
        '',
        'Grüße, 世界 🎬\r\n$5\r\n',
        every,
        Buffer.alloc(0),
        undefined,
        1.5,
        true,
        'end',
      ),
    ).toEqual([
      `key ${hex('k')}`,
      '',
      hex('Grüße, 世界 🎬\r\n$5\r\n'),
      every.toString('hex'),
      '',
      '',
      hex('1.5'),
      hex('true'),
      hex('end'),
    ]);
    expect(await run(0, 'only text')).toEqual([hex('only text')]);
    expect(await run(0, Buffer.from([255]))).toEqual(['ff']);
    expect(await run(0)).toEqual([]);
  });

  it('answers text as text', async () => {
    const echo = (): Promise<unknown> =>
      runScript(
        redis as unknown as RedisClient,
        'echo',
        () => 'return { ARGV[1], 7, { ARGV[1] } }',
        [0, 'ü'],
      );
    expect(await echo()).toEqual(['ü', 7, ['ü']]);
  });

  it('is learned again by a server that has forgotten it, each call once', async () => {
    const count = (): Promise<unknown> =>
      runScript(
        redis as unknown as RedisClient,
        'count',
        () => `return redis.call('INCR', KEYS[1])`,
        [1, 'n'],
      );
    expect(await count()).toBe(1);
    await redis.script('FLUSH');
    const counts = await Promise.all([count(), count(), count()]);
    expect(counts.toSorted()).toEqual([2, 3, 4]);
    expect(await redis.get('n')).toBe('4');
  });

  it('rejects with what the server says', async () => {
    const bad = (): Promise<unknown> =>
      runScript(
        redis as unknown as RedisClient,
        'bad',
        () => `return redis.call('INCR', KEYS[1])`,
        [1, 'word'],
      );
    await redis.set('word', 'x');
    await expect(bad()).rejects.toThrow(/not an integer/);
  });

  it('waits for a connection, and is sent again over the next one when this one is lost', async () => {
    const client = new Redis(server.url, { lazyConnect: true });
    try {
      const sum = (n: number): Promise<unknown> =>
        runScript(client as unknown as RedisClient, 'sum', () => 'return 1 + ARGV[1]', [0, n]);
      expect(await sum(1)).toBe(2);
      const underWay = [sum(2), sum(3)];
      client.stream.destroy();
      expect(await Promise.all([...underWay, sum(4)])).toEqual([3, 4, 5]);
    } finally {
      client.disconnect();
    }
  });
});
