import { randomUUID } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../../messaging.errors.js';

interface Owner {
  pid: number;
  /** Distinguishes a process from a later one with the same pid; empty where the system does not tell. */
  started: string;
  /** Distinguishes this lock from every other. */
  token: string;
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
  if (held.has(path) || !acquire(path)) {
    throw new StoreError(
      `the folder ${folder} is in use by process ${read(path)?.pid ?? 'unknown'}; an embedded store has one process only, use redis:// or postgres:// for more`,
    );
  }
  held.add(path);
  return () => {
    held.delete(path);
    rmSync(path, { force: true });
  };
}

/**
 * Makes a lock file ours unless a living process has it. One that was left behind is removed only by who holds the claim
 * named after it: of several starters, a slow one must not remove the lock that a quick one has just made.
 */
function acquire(path: string): boolean {
  if (create(path)) return true;
  const owner = read(path);
  if (owner && isAlive(owner)) return false;
  const claim = `${path}.${owner?.token ?? 'broken'}`;
  if (!acquire(claim)) return false;
  try {
    if (read(path)?.token !== owner?.token) return acquire(path);
    // Gone by itself: then it is free for whoever is first, and there is nothing of ours to remove.
    if (!existsSync(path)) return create(path);
    rmSync(path, { force: true });
    return create(path);
  } finally {
    rmSync(claim, { force: true });
  }
}

/** A hard link appears whole, and only if there is none yet. */
function create(path: string): boolean {
  const mine: Owner = { pid: process.pid, started: startOf(process.pid), token: randomUUID() };
  const draft = `${path}.${mine.token}.draft`;
  writeFileSync(draft, JSON.stringify(mine));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
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
