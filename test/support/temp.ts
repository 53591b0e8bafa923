import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { atEnd } from './cleanup.js';

/** A new empty folder, removed after the suites of the file. */
export function tempDir(prefix = 'callsheet-'): string {
  const dir = mkdtempSync(path.join(tmpdir(), prefix));
  atEnd(() => removeDir(dir));
  return dir;
}

/** Removes a folder and all in it; retries while a dying process still writes into it. */
export function removeDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}
