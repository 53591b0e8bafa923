import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { storeRelease } from '@callsheet/messaging';
import { tzdataProblems } from '@callsheet/scheduler';
import { when, type Check } from './check.js';

/** What is known of this machine, and of what is installed. */
export interface Machine {
  node: string;
  bullmq: { installed: string; proved: string };
  tzdata: readonly string[];
  /** Whether the store is an embedded one, which writes into the folder. */
  isEmbedded: boolean;
  folder: string;
  /** Bytes that are free there, and that there are. */
  disk: { free: number; size: number };
  isWritable: boolean;
  /** Process that has the embedded store there; undefined: none. */
  holder?: number | undefined;
}

const OLDEST = [20, 19] as const;
const MIB = 2 ** 20;
const LEAST = 100 * MIB;
const FEW = 0.05;

export const MACHINE: readonly Check<Machine>[] = [
  {
    id: 'node-old',
    severity: 'error',
    find: ({ node }) => when(isOlder(node, OLDEST), `this is Node ${node}`),
    fix: `install Node ${OLDEST.join('.')} or newer; 24 is recommended`,
  },
  {
    id: 'bullmq-other',
    severity: 'error',
    find: ({ bullmq: { installed, proved } }) =>
      when(
        installed !== proved,
        `bullmq ${installed} is installed; this release is proved on ${proved} only`,
      ),
    fix: 'run npm ci, which installs what package-lock.json says',
  },
  {
    id: 'tzdata-old',
    severity: 'warning',
    find: ({ tzdata }) => {
      const zones = tzdata.map((problem) => problem.split(':', 1)[0]);
      return when(
        zones.length > 0,
        `time zone data is old: schedules in ${zones.slice(0, 3).join(', ')}${zones.length > 3 ? ` and ${zones.length - 3} more` : ''} run an hour off`,
      );
    },
    details: ({ tzdata }) => tzdata,
    fix: 'install a newer release of Node, which brings newer time zone data; --json says more',
  },
  {
    id: 'disk-full',
    severity: 'error',
    find: ({ isEmbedded, disk: { free }, folder }) =>
      when(isEmbedded && free < LEAST, `${Math.round(free / MIB)} MiB are free where ${folder} is`),
    fix: 'make room: a store that cannot write stops',
  },
  {
    id: 'disk-nearly-full',
    severity: 'warning',
    find: ({ isEmbedded, disk: { free, size }, folder }) =>
      when(
        isEmbedded && free >= LEAST && free < size * FEW,
        `${Math.round((free / size) * 100)} % of the disk are free where ${folder} is`,
      ),
    fix: 'make room, or keep less (keepDone, keepDead)',
  },
  {
    id: 'folder-read-only',
    severity: 'error',
    find: ({ isEmbedded, isWritable, folder }) =>
      when(isEmbedded && !isWritable, `${folder} cannot be written`),
    fix: 'give the user of the process the folder, or name another in CALLSHEET_URL=pglite:<folder>',
  },
];

/** A store that somebody has is as it should be, if that is who answers. */
export const HELD: Check<Machine & { isAnswered: boolean }> = {
  id: 'store-held',
  severity: 'warning',
  find: ({ holder, isAnswered, folder }) =>
    when(
      holder !== undefined && !isAnswered,
      `process ${holder} has the embedded store in ${folder}, and no API answers`,
    ),
  fix: 'end that process before another is started there, or set CALLSHEET_API_URL to where it listens',
};

/** @param embedded folder of the embedded store, if that is the store */
export async function machineFacts(embedded: string | undefined): Promise<Machine> {
  const folder = path.resolve(embedded ?? '.');
  // It need not be there yet.
  let found = folder;
  while (!existsSync(found)) found = path.dirname(found);
  const { bavail, blocks, bsize } = await statfs(found);
  const { version } = createRequire(import.meta.url)('bullmq/package.json') as { version: string };
  return {
    node: process.versions.node,
    bullmq: { installed: version, proved: (await storeRelease()).bullmq },
    tzdata: tzdataProblems(),
    isEmbedded: embedded !== undefined,
    folder,
    disk: { free: bavail * bsize, size: blocks * bsize },
    isWritable: isWritable(found),
    holder: holderOf(folder),
  };
}

/** Whether a version, '20.20.2', is older than one of major and minor. */
export function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [first = 0, second = 0] = version.split('.').map(Number);
  return first < major || (first === major && second < minor);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The living process whose lock lies in a folder. */
function holderOf(folder: string): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(path.join(folder, 'lock'), 'utf8')) as { pid: number };
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM' ? 0 : undefined;
  }
}
