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

/** How many commands leave in one write: with many, the server waits for them, and then the client for it, in turns. */
const AT_ONCE = 8;

/** How many were given to a stream in this go. */
const given = new WeakMap<Redis['stream'], number>();

/** What is sent in one go, as the ends of turns that ended together, leaves in few writes: each costs as much as a part of a turn. */
function gather(client: RedisClient): void {
  // A cluster has several streams, none of them its own.
  const { stream } = client as unknown as Partial<Pick<Redis, 'stream'>>;
  if (!stream) return;
  const count = given.get(stream) ?? 0;
  given.set(stream, count + 1);
  if (count === 0) {
    stream.cork();
    process.nextTick(() => {
      given.delete(stream);
      stream.uncork();
    });
  } else if (count % AT_ONCE === 0) {
    stream.uncork();
    stream.cork();
  }
}
