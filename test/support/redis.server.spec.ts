import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { serverSuite } from './available.js';
import { atEnd } from './cleanup.js';
import { startRedis, type RedisServer } from './redis.server.js';

serverSuite('redis-server', 'startRedis', () => {
  it('starts a server with noeviction and without persistence, and stops it', async () => {
    const server = await startRedis();
    const redis = connect(server);
    expect(await redis.config('GET', 'maxmemory-policy')).toContain('noeviction');
    expect(await redis.config('GET', 'appendonly')).toContain('no');
    redis.disconnect();
    await server.stop();
    await expect(connect(server).ping()).rejects.toThrow('Connection is closed');
  });

  it('keeps what was acknowledged over kill -9 when it has an append-only file', async () => {
    const server = await startRedis({ appendonly: true });
    const before = connect(server);
    await before.set('a', '1');
    await server.kill();
    await expect(connect(server).ping()).rejects.toThrow('Connection is closed');
    await server.restart();
    expect(await connect(server).get('a')).toBe('1');
  });

  it('loses everything over kill -9 when it has none', async () => {
    const server = await startRedis();
    await connect(server).set('a', '1');
    await server.kill();
    await server.restart();
    expect(await connect(server).get('a')).toBeNull();
  });

  describe('options', () => {
    it('takes a password', async () => {
      const server = await startRedis({ password: 's3cret' });
      expect(await connect(server).ping()).toBe('PONG');
      await expect(connect({ url: `redis://127.0.0.1:${server.port}` }).get('a')).rejects.toThrow(
        'NOAUTH',
      );
    });

    it('takes arguments that win over its own', async () => {
      const server = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
      expect(await connect(server).config('GET', 'maxmemory-policy')).toContain('allkeys-lru');
    });

    it('tells why it does not start with bad ones', async () => {
      await expect(startRedis({ args: ['--no-such-option', '1'] })).rejects.toThrow(
        /ended at start:[^]*no-such-option/,
      );
    });
  });
});

function connect({ url }: Pick<RedisServer, 'url'>): Redis {
  const redis = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined); // the command that fails says it
  atEnd(() => redis.disconnect());
  return redis;
}
