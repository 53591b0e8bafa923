import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { serverSuite } from '../../../../../test/support/available.js';
import { atEnd } from '../../../../../test/support/cleanup.js';
import { freePort } from '../../../../../test/support/ports.js';
import { startRedisCluster } from '../../../../../test/support/redis.cluster.js';
import { startRedis, type RedisServer } from '../../../../../test/support/redis.server.js';
import { StoreError, UnknownOutcomeError } from '../../messaging.errors.js';
import { resolveOptions } from '../../messaging.options.js';
import { RedisStore } from './redis.store.js';
import { safeUrl } from './store.url.js';

const PASSWORD = 'p4ss/w#rd?:@';

function store(url: string): RedisStore {
  const made = new RedisStore(resolveOptions({ url }));
  atEnd(() => made.close());
  return made;
}

/** The error of a store that does not open, which must come soon. */
async function refusal(url: string): Promise<StoreError> {
  const start = performance.now();
  const error: unknown = await store(url)
    .open()
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreError);
  expect(performance.now() - start).toBeLessThan(6_000);
  return error as StoreError;
}

/** Everything that a log of the error would show of it. */
function shown(error: Error): string {
  const cause = error.cause instanceof Error ? shown(error.cause) : String(error.cause);
  return `${error.stack}\n${JSON.stringify(error)}\n${cause}`;
}

describe('safeUrl', () => {
  it.each([
    ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
    ['redis://:secret@host:6379/2', 'redis://host:6379/2'],
    ['rediss://user:secret@host', 'rediss://host'],
    ['redis://user@host', 'redis://host'],
    ['redis://:sec@ret@host', 'redis://host'],
    ['redis://:sec/ret@host', 'redis://host'],
    ['redis://:sec#ret?@host', 'redis://host'],
    ['redis://host?password=secret', 'redis://host'],
    ['redis://host/0?user=u&password=secret#secret', 'redis://host/0'],
    ['postgres://u:secret@host/db?sslmode=require', 'postgres://host/db'],
    ['redis:secret@host', 'redis:host'],
    ['redis:/user:secret@host', 'redis:/host'],
    ['REDIS://u:secret@host', 'REDIS://host'],
    ['u:secret@host', 'u:host'],
    ['secret@host', 'host'],
    ['http://:secret@host:port', 'http://host:port'],
    ['redis://:secret\n@host', 'redis://host'],
    ['', ''],
    ['nonsense', 'nonsense'],
  ])('%j is shown as %j', (url, safe) => {
    expect(safeUrl(url)).toBe(safe);
  });
});

describe('a Redis that cannot be used', () => {
  it('is named when nothing listens there', async () => {
    const port = await freePort();
    const error = await refusal(`redis://user:s3cret@127.0.0.1:${port}/0`);
    expect(error.message).toBe(
      `cannot use Redis at redis://127.0.0.1:${port}/0: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
    expect(shown(error)).not.toContain('s3cret');
  });

  it('is named when its name is not known', async () => {
    const error = await refusal('redis://:s3cret@no-such-host.invalid');
    expect(error.message).toMatch(
      /^cannot use Redis at redis:\/\/no-such-host\.invalid: .*no-such-host/,
    );
    expect(shown(error)).not.toContain('s3cret');
  });

  it('is named when something else answers', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(() => server.close());
    const { port } = server.address() as { port: number };
    const error = await refusal(`redis://127.0.0.1:${port}`);
    expect(error.message).toMatch(/^cannot use Redis at redis:\/\/127\.0\.0\.1:\d+: ./);
  });
});

serverSuite('redis-server', 'Redis', () => {
  let open: RedisServer;
  let locked: RedisServer;
  beforeAll(async () => {
    [open, locked] = await Promise.all([startRedis(), startRedis({ password: 's3cret-p4ss' })]);
  });
  afterAll(() => Promise.all([open.stop(), locked.stop()]));

  it('is refused when its clock is far from that of this process', async () => {
    const { now } = Date;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 7_000);
    try {
      const error = await refusal(open.url);
      expect(error.message).toMatch(/clock of this process is \d+ ms ahead of that of Redis/);
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('opens, says what it is, and closes', async () => {
    const redis = store(open.url);
    await redis.open();
    expect(redis.info).toEqual({
      name: expect.stringMatching(/^Redis \d+\.\d+\.\d+$/) as string,
      durability: 'memory',
      shared: true,
      sql: false,
    });
    await redis.ping();
    await redis.close();
    await expect(redis.ping()).rejects.toThrow('the store is not open');
  });

  it.each([
    [['--appendonly', 'yes', '--appendfsync', 'everysec'], 'process-safe'],
    [['--appendonly', 'yes', '--appendfsync', 'always'], 'power-safe'],
    [['--appendonly', 'no', '--appendfsync', 'always'], 'memory'],
  ])('with %j keeps messages %s', async (args, durability) => {
    const server = await startRedis({ args });
    const redis = store(server.url);
    await redis.open();
    expect(redis.info.durability).toBe(durability);
    await redis.close();
    await server.stop();
  });

  it.each(['allkeys-lru', 'volatile-ttl'])(
    'is refused with the eviction policy %s',
    async (policy) => {
      const server = await startRedis({ args: ['--maxmemory-policy', policy] });
      expect((await refusal(server.url)).message).toBe(
        `Redis may evict messages: its maxmemory-policy is '${policy}'; set it to 'noeviction' (CONFIG SET maxmemory-policy noeviction)`,
      );
      await server.stop();
    },
  );

  it.each([
    ['a wrong one', `:${encodeURIComponent(PASSWORD)}@`, /WRONGPASS|invalid/],
    [
      'a wrong one in the query',
      '',
      /WRONGPASS|invalid/,
      `?password=${encodeURIComponent(PASSWORD)}`,
    ],
    ['none', '', /NOAUTH/],
  ])(
    'that wants a password is refused with %s, without telling it',
    async (_, login, why, query = '') => {
      const error = await refusal(`redis://${login}127.0.0.1:${locked.port}${query}`);
      expect(error.message).toMatch(
        new RegExp(`^cannot use Redis at redis://127\\.0\\.0\\.1:${locked.port}: `),
      );
      expect(error.message).toMatch(why);
      for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), 's3cret-p4ss']) {
        expect(shown(error)).not.toContain(secret);
      }
    },
  );

  it('takes the right password', async () => {
    const redis = store(locked.url);
    await redis.open();
    await expect(redis.ping()).resolves.toBeUndefined();
  });

  it('is refused over TLS on a plain port', async () => {
    const error = await refusal(`rediss://127.0.0.1:${open.port}`);
    expect(error.message).toBe(
      `cannot use Redis at rediss://127.0.0.1:${open.port}: no answer within 4 s; does that port speak TLS?`,
    );
  }, 15_000);

  it('that takes the connection and says nothing is refused in bounded time', async () => {
    const mute = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    const error = await refusal(`redis://127.0.0.1:${port}`);
    expect(error.message).toBe(
      `cannot use Redis at redis://127.0.0.1:${port}: no answer within 4 s`,
    );
    mute.close();
  }, 15_000);

  it('that is too old is refused', async () => {
    const info = 'redis_version:5.0.14\r\nmaxmemory_policy:noeviction\r\naof_enabled:0\r\n';
    // As much of an old server as is asked: it knows INFO, and answers OK to the rest.
    const old = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data: Buffer) => {
        const commands = data.toString().match(/\*\d+\r\n\$\d+\r\n\w+/g) ?? [];
        for (const command of commands) {
          socket.write(/info$/i.test(command) ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n');
        }
      });
    }).listen(0, '127.0.0.1');
    await once(old, 'listening');
    const { port } = old.address() as AddressInfo;
    const error = await refusal(`redis://127.0.0.1:${port}`);
    expect(error.message).toBe('Redis 5.0.14 is too old: Callsheet needs 6.2 or newer');
    old.close();
  }, 15_000);

  it.each([
    'redis://h/99999',
    'redis://h/abc',
    'redis://u:p%ZZ@h',
    'redis://[bad',
    'redis://h:99999',
    'redis://',
  ])('is not looked for at %s', async (url) => {
    expect((await refusal(url)).message).toMatch(/^'redis:.*' is not a Redis URL: use redis:/);
  });

  it.each([
    'redis+cluster://h:1,',
    'redis+cluster://',
    'redis+cluster://h:1/2',
    'redis+cluster://h:1,h:99999',
    'rediss+cluster://u:p%ZZ@h,i',
  ])('is no cluster at %s', async (url) => {
    const { message } = await refusal(url);
    expect(message).toMatch(/^'rediss?\+cluster:.*' is not a Redis URL: use rediss?\+cluster:/);
    expect(message).not.toContain('p%ZZ');
  });

  it('has no such database', async () => {
    const error = await refusal(`redis://127.0.0.1:${open.port}/99`);
    expect(error.message).toContain('DB index is out of range');
  });

  it.each([
    ['server', async () => startRedis()],
    ['cluster', startRedisCluster],
  ])(
    'that goes away leaves the outcome of a send unknown, in bounded time: a %s',
    async (_, launch) => {
      const server = await launch();
      const redis = store(server.url);
      await redis.open();
      await Promise.all(
        ('servers' in server ? server.servers : [server]).map((each) => each.kill()),
      );
      const start = performance.now();
      const envelope = {
        id: 'a-1',
        type: 'a.b' as const,
        version: 1,
        actor: 'a',
        data: {},
        priority: 1,
        sentAt: Date.now(),
        headers: {},
      };
      await expect(redis.send([envelope])).rejects.toThrow(UnknownOutcomeError);
      await redis.close();
      expect(performance.now() - start).toBeLessThan(8_000);
    },
    30_000,
  );
});
