import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { requireBinary } from './available.js';
import { Child } from './child.js';
import { eventually } from './eventually.js';
import { freePort } from './ports.js';
import { removeDir, tempDir } from './temp.js';

export interface PostgresOptions {
  /** More arguments of postgres; the last one of a name wins: `['-c', 'fsync=on']`. */
  args?: string[];
}

export interface PostgresServer {
  /** The maintenance database; give each suite one of its own with {@link createDatabase}. */
  readonly url: string;
  readonly port: number;
  /** A new empty database; resolves to its URL. */
  createDatabase(): Promise<string>;
  /** Ends it, cutting its connections, and removes its folder. */
  stop(): Promise<void>;
  /** `kill -9` of the postmaster; its backends follow. The folder stays. */
  kill(): Promise<void>;
  /** Starts it again, after a kill or from running, on the same port and folder. */
  restart(): Promise<void>;
}

/**
 * A PostgreSQL of our own: fresh cluster in a temporary folder, free loopback port, user `callsheet` without password.
 * `fsync` is off: data survives a kill of the server, which tests do, not of the machine, which they cannot.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const [initdb, postgres] = [requireBinary('initdb'), requireBinary('postgres')];
  const dir = tempDir('callsheet-postgres-');
  const data = path.join(dir, 'data');
  const port = await freePort();
  const owner = unprivileged();
  if (owner) chownSync(dir, owner.uid, owner.gid);
  const run = (binary: string, args: string[]) => new Child(binary, args, { cwd: dir, ...owner });

  const init = run(initdb, [
    ...['-D', data, '-U', 'callsheet', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'],
  ]);
  const { code } = await init.exited;
  if (code !== 0) throw new Error(`initdb failed:\n${init.output}`);

  const url = `postgres://callsheet@127.0.0.1:${port}/postgres`;
  const args = [
    ...['-D', data, '-p', `${port}`, '-k', dir, '-c', 'listen_addresses=127.0.0.1'],
    ...['-c', 'fsync=off', '-c', 'max_connections=300', ...(options.args ?? [])],
  ];
  let child: Child | undefined;
  // A server that was killed can leave backends which hold its shared memory for a moment; until then a new one refuses.
  const start = () =>
    eventually(
      async () => {
        if (!child?.running) child = run(postgres, args);
        await query(url, 'select 1').catch(async (cause: unknown) => {
          if (child?.running) throw cause;
          throw new Error(`postgres ended at start:\n${child?.output}`, { cause });
        });
        return child;
      },
      { timeout: 30_000, interval: 50 },
    );
  // SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
  const stop = () => child?.stop('SIGINT');

  await start();
  let databases = 0;
  return {
    url,
    port,
    async createDatabase() {
      databases += 1;
      const name = `callsheet_${databases}`;
      await query(url, `create database ${name}`);
      return `postgres://callsheet@127.0.0.1:${port}/${name}`;
    },
    async stop() {
      await stop();
      removeDir(dir);
    },
    async kill() {
      await child?.kill();
    },
    async restart() {
      await stop();
      await start();
    },
  };
}

async function query(connectionString: string, sql: string): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined); // the server may be killed while we talk to it; the query reports it
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/**
 * PostgreSQL refuses to run as root. Then it runs as the user that its package made, else as nobody; Node switches the user
 * between fork and exec, so there is no wrapper process that could swallow a signal.
 */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string, user: string) =>
    Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: 'pipe' }));
  try {
    return { uid: id('-u', 'postgres'), gid: id('-g', 'postgres') };
  } catch {
    return { uid: id('-u', 'nobody'), gid: id('-g', 'nobody') };
  }
}
