import { createRequire } from 'node:module';
import { StoreError } from '../../messaging.errors.js';

/** The release the contract suite passed on. Scripts and tables are BullMQ's internals: another one may differ. */
export const BULLMQ_VERSION = '6.7.0';

interface Script {
  readonly content: string;
  /** Number of KEYS. */
  readonly keys: number;
}

const require = createRequire(import.meta.url);

/** Throws StoreError when another release of BullMQ is installed than the one proved. */
export function verifyBullmqVersion(): void {
  const { version } = require('bullmq/package.json') as { version: string };
  if (version === BULLMQ_VERSION) return;
  throw new StoreError(
    `bullmq ${version} is installed, but this release of Callsheet is proved on ${BULLMQ_VERSION} only; install bullmq@${BULLMQ_VERSION}`,
  );
}

/** The number of KEYS of one of BullMQ's scripts. */
export function keyCount(name: string): number {
  return shippedScript(name).keys;
}

/** One of BullMQ's scripts, of which pieces that occur once are replaced. */
export interface Altered {
  readonly name: string;
  readonly changes: readonly (readonly [piece: string, instead: string])[];
}

/**
 * A Lua script made of BullMQ's own, found by name in the installed package, and `main`. Each is a local function of its
 * name that takes KEYS and ARGV as BullMQ's caller would give them; `keyCount.<name>` is its number of KEYS.
 */
export function composeScript(scripts: readonly (string | Altered)[], main: string): string {
  const counts: string[] = [];
  const parts = scripts.map((script) => {
    const { name, changes } = typeof script === 'string' ? { name: script, changes: [] } : script;
    const { content, keys } = shippedScript(name);
    const text = changes.reduce((before, change) => replaced(name, before, change), content);
    counts.push(`${name} = ${keys}`);
    return `local function ${name}(KEYS, ARGV)\n${text}\nend`;
  });
  return [`local keyCount = { ${counts.join(', ')} }`, ...parts, main].join('\n');
}

function replaced(
  name: string,
  text: string,
  [piece, instead]: Altered['changes'][number],
): string {
  const [before, after, ...more] = text.split(piece);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new StoreError(`bullmq ${BULLMQ_VERSION} does not have '${piece}' once in '${name}'`);
  }
  return before + instead + after;
}

/** Required once: each time would look for the file again, with each fetch. */
let shipped: Record<string, Script | undefined> | undefined;

function shippedScript(name: string): Script {
  shipped ??= require('bullmq/dist/cjs/scripts/index.js') as Record<string, Script | undefined>;
  const script = shipped[name];
  if (!script) throw new StoreError(`bullmq ${BULLMQ_VERSION} has no script '${name}'`);
  return script;
}
