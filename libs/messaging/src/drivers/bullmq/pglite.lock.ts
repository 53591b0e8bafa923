import {
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../../messaging.errors.js';

interface Owner {
  pid: number;
  /** Distinguishes a process from a later one with the same pid; empty where the system does not tell. */
  started: string;
}

/** Folders this process itself holds. */
const held = new Set<string>();

/**
 * Takes a folder for this process; PGlite itself would let two open it and corrupt it. A lock whose process is gone is
 * taken over.
 *
 * @returns gives the folder back
 * @throws StoreError when a living process has it
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  // Its real path: the same folder by another name is still held.
  const path = join(realpathSync(folder), 'lock');
  const mine: Owner = { pid: process.pid, started: startOf(process.pid) };
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(mine));
  try {
    if (held.has(path) || !(create(draft, path) || (takeOver(path) && create(draft, path)))) {
      const owner = read(path);
      throw new StoreError(
        `the folder ${folder} is in use by process ${owner?.pid ?? 'unknown'}; an embedded store has one process only, use redis:// or postgres:// for more`,
      );
    }
  } finally {
    rmSync(draft, { force: true });
  }
  held.add(path);
  return () => {
    held.delete(path);
    rmSync(path, { force: true });
  };
}

/** A hard link appears whole and only if there is none yet. */
function create(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of a process that is gone. The rename lets only one of several starters do it. */
function takeOver(path: string): boolean {
  const owner = read(path);
  if (owner && isAlive(owner)) return false;
  const stale = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, stale);
  } catch {
    return true;
  }
  const moved = read(stale);
  const wasReplaced = moved && isAlive(moved);
  if (wasReplaced) create(stale, path);
  rmSync(stale, { force: true });
  return !wasReplaced;
}

function read(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, started }: Owner): boolean {
  // This process holds no lock it does not know of: in a container the pid is the same after every restart.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return started === '' || started === startOf(pid);
}

/** Start time of a process in clock ticks since boot, on Linux; empty elsewhere. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
