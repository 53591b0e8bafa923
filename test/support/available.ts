import { accessSync, constants, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe } from 'vitest';

const PACKAGES = {
  'redis-server': 'redis-server',
  'redis-cli': 'redis-tools',
  postgres: 'postgresql',
  initdb: 'postgresql',
  chromium: 'chromium',
  gcc: 'gcc',
  bash: 'bash',
  script: 'bsdutils',
  stty: 'coreutils',
  'systemd-analyze': 'systemd',
} as const;

/** A program that some suites need, and that a machine may lack. */
export type Binary = keyof typeof PACKAGES;

/** Where the program is: on the PATH, else where Debian puts the newest PostgreSQL. */
export function findBinary(name: Binary): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean);
  return [...onPath, ...postgresDirs()]
    .map((dir) => path.join(dir, name))
    .find((file) => isExecutable(file));
}

export function hasBinary(name: Binary): boolean {
  return findBinary(name) !== undefined;
}

/** The path of a program that must be there. */
export function requireBinary(name: Binary): string {
  const file = findBinary(name);
  if (!file) throw new Error(reason(name));
  return file;
}

/**
 * Why suites that need `name` cannot run here, or undefined when they can. In CI (`CI=true`) everything must run: there it
 * throws, so a missing server fails the build instead of thinning it out.
 */
export function missing(name: Binary): string | undefined {
  if (hasBinary(name)) return undefined;
  if (process.env['CI'] === 'true') throw new Error(reason(name));
  return reason(name);
}

/**
 * `describe` for a suite that needs a program, or all of several: skipped where one is missing, with the reason in its name; fails
 * in CI.
 */
export function serverSuite(
  names: Binary | readonly Binary[],
  title: string,
  suite: () => void,
): void {
  const why = [names].flat().map(missing).find(Boolean);
  describe.skipIf(why)(why ? `${title} (skipped: ${why})` : title, suite);
}

function reason(name: Binary): string {
  return `${name} is not installed; apt-get install ${PACKAGES[name]}`;
}

function postgresDirs(): string[] {
  const root = '/usr/lib/postgresql';
  try {
    return readdirSync(root)
      .sort((a, b) => Number.parseFloat(b) - Number.parseFloat(a))
      .map((version) => path.join(root, version, 'bin'));
  } catch {
    return [];
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
