import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { serverSuite } from '../../../../../test/support/available.js';
import { atEnd } from '../../../../../test/support/cleanup.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { startRedis, type RedisServer } from '../../../../../test/support/redis.server.js';
import { resolveOptions } from '../../messaging.options.js';
import { channelsOf } from './redis.keys.js';
import { RedisNotices } from './redis.notices.js';
import { RedisStore } from './redis.store.js';

serverSuite('redis-server', 'notices on Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
    redis.on('error', () => undefined);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });
  beforeEach(async () => eventually(async () => (await connections()) === 0));

  /** How many connections listen. */
  async function connections(): Promise<number> {
    const list = String(await redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
    return list.split('\n').filter(Boolean).length;
  }

  const listenersOf = async (channel: string): Promise<unknown> =>
    (await redis.pubsub('NUMSUB', channel))[1];

  async function opened(): Promise<RedisStore> {
    const store = new RedisStore(resolveOptions({ url: server.url }));
    atEnd(() => store.close());
    await store.open();
    return store;
  }

  it('take one connection for all channels, made at the first need and closed with the store', async () => {
    const store = await opened();
    expect(await connections()).toBe(0);
    const heard: string[] = [];
    await Promise.all([
      store.listen('one', (id) => heard.push(`one ${id}`)),
      store.listen('two', (id) => heard.push(`two ${id}`)),
      store.onCancel((id) => heard.push(`cancel ${id}`)),
      store.onCancel((id) => heard.push(`again ${id}`)),
      store.onSignal('one', (text) => heard.push(`told ${text}`)),
    ]);
    expect(await connections()).toBe(1);
    await redis.publish(`${channelsOf(redis).inbox}one`, 'a b');
    await redis.publish(`${channelsOf(redis).inbox}two`, 'żółć');
    await redis.publish(channelsOf(redis).cancelled, 'h-1');
    await store.signal([{ name: 'one', text: '2' }]);
    await eventually(() => heard.length === 5);
    expect(heard).toEqual(['one a b', 'two żółć', 'cancel h-1', 'again h-1', 'told 2']);
    await store.close();
    await eventually(async () => (await connections()) === 0);
  });

  it('come again after the connection was cut, and after the server was away', async () => {
    const store = await opened();
    const heard: string[] = [];
    await store.listen('mine', (id) => heard.push(id));
    await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(async () => (await listenersOf(`${channelsOf(redis).inbox}mine`)) === 1);
    await redis.publish(`${channelsOf(redis).inbox}mine`, 'one');
    await eventually(() => heard.length === 1);
    await server.kill();
    await server.restart();
    await eventually(async () => (await listenersOf(`${channelsOf(redis).inbox}mine`)) === 1);
    await redis.publish(`${channelsOf(redis).inbox}mine`, 'two');
    await eventually(() => heard.length === 2);
    expect(heard).toEqual(['one', 'two']);
    await store.close();
  }, 20_000);

  it('are stopped by each listener for itself, and the last one frees the channel', async () => {
    const store = await opened();
    const heard: string[] = [];
    const [one, two] = [
      await store.listen('mine', (id) => heard.push(`one ${id}`)),
      await store.listen('mine', (id) => heard.push(`two ${id}`)),
    ];
    await one();
    await one();
    await redis.publish(`${channelsOf(redis).inbox}mine`, 'a');
    await eventually(() => heard.length === 1);
    await two();
    expect(await listenersOf(`${channelsOf(redis).inbox}mine`)).toBe(0);
    // Stopped and begun at the same time: begun counts.
    const [, again] = await Promise.all([
      (await store.listen('mine', () => undefined))(),
      store.listen('mine', (id) => heard.push(`three ${id}`)),
    ]);
    await redis.publish(`${channelsOf(redis).inbox}mine`, 'b');
    await eventually(() => heard.length === 2);
    expect(heard).toEqual(['two a', 'three b']);
    await again();
    await store.close();
  });

  it('that cannot be heard at first can be at the next try', async () => {
    let made = 0;
    const notices = new RedisNotices(() => {
      const port = made++ === 0 ? 1 : server.port;
      const client = new Redis({ port, lazyConnect: true, maxRetriesPerRequest: null });
      client.on('error', () => undefined);
      return client;
    });
    await expect(notices.listen('c', () => undefined)).rejects.toThrow('Connection is closed');
    const heard: string[] = [];
    await notices.listen('c', (message) => heard.push(message));
    await redis.publish('c', 'heard');
    await eventually(() => heard.length === 1);
    notices.close();
  });
});
