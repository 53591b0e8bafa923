import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import type { RedisServer } from '../support/redis.server.js';

/**
 * Kills a server that runs with the `power` shim, and takes away what it had written without syncing: what a machine without
 * power would have lost. Only appended files of Redis. Resolves to how many bytes were lost.
 */
export async function cutPower(server: RedisServer): Promise<number> {
  await server.kill();
  let lost = 0;
  for (const file of appended(server)) {
    const synced = syncedSize(file);
    lost += Math.max(0, statSync(file).size - synced);
    truncateSync(file, synced);
  }
  return lost;
}

/** How many bytes would be lost now. */
export function unsynced(server: RedisServer): number {
  const all = appended(server).map((file) => statSync(file).size - syncedSize(file));
  return all.reduce((sum, size) => sum + Math.max(0, size), 0);
}

function appended({ dir }: RedisServer): string[] {
  const folder = path.join(dir, 'appendonlydir');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.incr.aof'))
    .map((name) => path.join(folder, name));
}

function syncedSize(file: string): number {
  const note = `${file}.synced`;
  return existsSync(note) ? Number(readFileSync(note, 'utf8')) : 0;
}
