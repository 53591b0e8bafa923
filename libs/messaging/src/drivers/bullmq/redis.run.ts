import type { RedisClient } from 'bullmq';
import type { Redis } from 'ioredis';

export type Argument = string | number | boolean | Buffer | undefined;

/** Runs one of our scripts, defining it on the connection at first use. `args` begin with the number of KEYS. */
export function runScript(
  client: RedisClient,
  name: string,
  script: () => string,
  args: readonly Argument[],
): Promise<unknown> {
  const command = `callsheet:${name}`;
  if (!(command in client)) client.defineCommand(command, { lua: script() } as never);
  gather(client);
  return client.runCommand(command, args.map((arg) => arg ?? '') as never);
}

/** What is sent in one go, as the ends of turns that ended together, leaves in one write: a write costs as much as a turn's own work. */
function gather(client: RedisClient): void {
  // A cluster has several, none of them its own.
  const { stream } = client as unknown as Partial<Pick<Redis, 'stream'>>;
  if (!stream || stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}
