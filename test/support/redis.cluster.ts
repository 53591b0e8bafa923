import { spawnSync } from 'node:child_process';
import { requireBinary } from './available.js';
import { eventually } from './eventually.js';
import { freePort } from './ports.js';
import { startRedis, type RedisServer } from './redis.server.js';

export interface RedisCluster {
  readonly url: string;
  readonly servers: readonly RedisServer[];
  /** Ends it and removes its folders. */
  stop(): Promise<void>;
}

/** Three servers of our own that share the slots. Answers when it resolves. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const binary = requireBinary('redis-cli');
  // The bus of each listens at a port of its own, which is otherwise its port and ten thousand: often not free.
  const servers = await Promise.all(
    [1, 2, 3].map(async () =>
      startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', `${await freePort()}`] }),
    ),
  );
  const nodes = servers.map(({ port }) => `127.0.0.1:${port}`);
  const { status, stdout } = spawnSync(binary, ['--cluster', 'create', ...nodes, '--cluster-yes'], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (status !== 0) throw new Error(`redis-cli makes no cluster:\n${stdout}`);
  await eventually(() =>
    servers.every(({ port }) =>
      /cluster_state:ok/.test(
        spawnSync(binary, ['-p', `${port}`, 'cluster', 'info'], { encoding: 'utf8' }).stdout,
      ),
    ),
  );
  return {
    url: `redis+cluster://${nodes.join(',')}`,
    servers,
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
