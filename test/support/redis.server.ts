import { connect } from 'node:net';
import { requireBinary } from './available.js';
import { Child } from './child.js';
import { eventually } from './eventually.js';
import { freePort } from './ports.js';
import { removeDir, tempDir } from './temp.js';

export interface RedisOptions {
  /** More arguments of redis-server; the last one of a name wins: `['--maxmemory-policy', 'allkeys-lru']`. */
  args?: string[];
  /** Keep an append-only file, so that data survives {@link RedisServer.kill}. Default false. */
  appendonly?: boolean;
  /** More of its environment: what is preloaded, say. */
  env?: NodeJS.ProcessEnv;
  /** Required from every client; part of the URL. Default none. */
  password?: string;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Where its files are. */
  readonly dir: string;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
  /** `kill -9`; the folder stays. */
  kill(): Promise<void>;
  /** Starts it again, after a kill or from running, on the same port and folder. */
  restart(): Promise<void>;
}

/** A redis-server of our own: free loopback port, temporary folder, no snapshots, `noeviction`. Answers when it resolves. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const binary = requireBinary('redis-server');
  const dir = tempDir('callsheet-redis-');
  const port = await freePort();
  const args = [
    ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', ''],
    ...['--maxmemory-policy', 'noeviction', '--appendonly', options.appendonly ? 'yes' : 'no'],
    ...(options.password ? ['--requirepass', options.password] : []),
    ...(options.args ?? []),
  ];
  const start = async () => {
    const started = new Child(binary, args, { cwd: dir, env: { ...process.env, ...options.env } });
    await eventually(() => !started.running || ping(port, options.password));
    if (!started.running) throw new Error(`redis-server ended at start:\n${started.output}`);
    return started;
  };

  let child = await start();
  return {
    url: `redis://${options.password ? `:${encodeURIComponent(options.password)}@` : ''}127.0.0.1:${port}`,
    port,
    dir,
    async stop() {
      await child.stop();
      removeDir(dir);
    },
    async kill() {
      await child.kill();
    },
    async restart() {
      await child.stop();
      child = await start();
    },
  };
}

/** True when the server says PONG: it listens, has loaded its data, and knows the password. */
async function ping(port: number, password: string | undefined): Promise<boolean> {
  const commands = password ? `AUTH ${password}\r\nPING\r\n` : 'PING\r\n';
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(commands));
    let text = '';
    socket.setEncoding('utf8').setTimeout(1_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject).on('close', () => resolve(text));
  });
  if (!answer.endsWith('+PONG\r\n')) throw new Error(`redis-server answers ${answer.trim()}`);
  return true;
}
