import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { serverSuite } from '../../../../test/support/available.js';
import { eventually } from '../../../../test/support/eventually.js';
import { startRedis, type RedisServer } from '../../../../test/support/redis.server.js';
import { doctorForFile, later, ONE, TWO } from '../../test/doctor.js';
import { examine } from './check.js';
import { REDIS, redisFacts } from './redis.js';

const { ids, ofStore } = doctorForFile();

serverSuite('redis-server', 'Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  const env = () => ({ CALLSHEET_URL: server.url, WEBHOOK_SECRET: 'x' });

  beforeAll(async () => {
    server = await startRedis({ appendonly: true });
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    await redis.flushall();
    await redis.config('SET', 'appendonly', 'yes');
    await redis.config('SET', 'appendfsync', 'everysec');
    await redis.config('SET', 'maxmemory', '0');
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
  });

  const used = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  const encrypted = (kid: string) =>
    redis.hset(`{callsheet}:email:${kid}`, 'data', `{"$encrypted":{"kid":"${kid}","iv":"a"}}`);

  it('may be without mistakes', async () => {
    await redis.set('{callsheet}.sent:a', '1', 'EX', 100);
    await encrypted('k1');
    expect(await ofStore({ ...env(), CALLSHEET_ENCRYPTION_KEYS: `k1:${ONE}` })).toEqual([]);
  });

  it.each<[id: string, plant: () => Promise<unknown>]>([
    ['redis-evicts', () => redis.config('SET', 'maxmemory-policy', 'allkeys-lru')],
    ['redis-without-aof', () => redis.config('SET', 'appendonly', 'no')],
    ['redis-never-syncs', () => redis.config('SET', 'appendfsync', 'no')],
    ['redis-full', async () => redis.config('SET', 'maxmemory', Math.round((await used()) / 0.9))],
    [
      'redis-nearly-full',
      async () => redis.config('SET', 'maxmemory', Math.round((await used()) / 0.72)),
    ],
    ['redis-keys-last', () => redis.set('{callsheet}.sent:a', '1')],
    ['redis-keys-last', () => redis.set('{callsheet}.notes:a', '1')],
    ['encryption-key-missing', () => encrypted('k9')],
    ['encryption-key-old', () => encrypted('k1')],
  ])('has %s', async (id, plant) => {
    const keys = { CALLSHEET_ENCRYPTION_KEYS: `k2:${TWO},k1:${ONE}` };
    expect(await ids({ ...env(), ...keys })).not.toContain(id);
    await plant();
    expect(await ids({ ...env(), ...keys })).toContain(id);
  });

  it('is a replica', async () => {
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${server.port}`] });
    expect(await ids({ ...env(), CALLSHEET_URL: replica.url })).toContain('redis-replica');
    await replica.stop();
  });

  it('cannot write its file', { timeout: 60_000 }, async () => {
    // What is full from the beginning: no byte goes into the device.
    const failing = await startRedis();
    const folder = path.join(failing.dir, 'appendonlydir');
    mkdirSync(folder);
    symlinkSync('/dev/full', path.join(folder, 'temp-appendonly.aof.incr'));
    const client = new Redis(failing.url);
    const own = { ...env(), CALLSHEET_URL: failing.url };
    expect(await ids(own)).not.toContain('redis-aof-fails');
    await client.config('SET', 'appendonly', 'yes');
    // It may refuse this already.
    await client.set('a', '1').catch(() => undefined);
    await eventually(async () => expect(await ids(own)).toContain('redis-aof-fails'), {
      timeout: 40_000,
    });
    client.disconnect();
    await failing.stop();
  });

  it('takes fewer clients than one process needs, or has hardly one to spare', async () => {
    const few = await startRedis({ args: ['--maxclients', '8'] });
    const own = { ...env(), CALLSHEET_URL: few.url };
    const clients = Array.from({ length: 6 }, () => new Redis(few.url, { lazyConnect: true }));
    const [first, ...others] = clients;
    await first!.connect();
    expect(await ids(own)).not.toContain('redis-clients-few');
    const actors = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `{callsheet}:${name}:meta`);
    for (const actor of actors) await first!.hset(actor, 'version', 'x');
    expect(await ids(own)).toContain('redis-clients-few');
    await first!.del(actors);
    expect(await ids(own)).not.toContain('redis-clients-few');
    await Promise.all(others.map((each) => each.connect()));
    expect(await ids(own)).toContain('redis-clients-few');
    clients.forEach((client) => client.disconnect());
    await few.stop();
  });

  it('has another clock', async () => {
    expect(await ids(env(), later(2_000))).toContain('clock-drifts');
    expect(await ids(env(), later(-60_000))).toContain('clock-apart');
  });

  it('is too old, and loses more or less without its file', async () => {
    const facts = await redisFacts(server.url, Date.now);
    const told = (name: string, value: string) =>
      examine(REDIS, { ...facts, info: new Map([...facts.info, [name, value]]) }).map(
        ({ id }) => id,
      );
    expect(told('redis_version', facts.info.get('redis_version')!)).toEqual([]);
    expect(told('redis_version', '6.0.16')).toEqual(['redis-old']);
    const without = { ...facts, info: new Map([...facts.info, ['aof_enabled', '0']]) };
    const loses = (save?: string) => examine(REDIS, { ...without, save }).map((each) => each.found);
    expect(loses('')).toEqual([expect.stringContaining('loses every message')]);
    expect(loses('900 1')).toEqual([expect.stringContaining('after the last snapshot')]);
    expect(loses(undefined)).toEqual([expect.stringContaining('loses messages')]);
  });
});
