import type { RedisClient } from 'bullmq';

export type Argument = string | number | boolean | Buffer | undefined;

/** Runs one of our scripts, defining it on the connection at first use. `args` begin with the number of KEYS. */
export async function runScript(
  client: RedisClient,
  name: string,
  script: () => string,
  args: readonly Argument[],
): Promise<unknown> {
  const command = `callsheet:${name}`;
  if (!(command in client)) client.defineCommand(command, { lua: script() } as never);
  return client.runCommand(command, args.map((arg) => arg ?? '') as never);
}
