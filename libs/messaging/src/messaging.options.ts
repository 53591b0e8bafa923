import { KeyRing } from './encryption/key.ring.js';
import { toMilliseconds, type Duration } from './duration.js';
import { ACTOR_NAME, type MessageClass } from './message.js';
import { OptionError } from './messaging.errors.js';

/** Options of `CallsheetModule.forRoot`: what users write. */
export interface CallsheetOptions {
  /**
   * The store: `pglite:<dir>` (embedded), `redis://`, `rediss://`, `redis+cluster://host,host`, `postgres://`, `postgresql://` or `memory:`.
   * Default `pglite:./.callsheet`.
   */
  url?: string;
  /**
   * Messages that can be sent by name, over HTTP say, and whose queues are shown on the dashboard. Classes that are only
   * sent from code, or only handled, need not be listed.
   */
  messages?: readonly MessageClass[];
  /**
   * Names of actors that have no message among `messages`, those that only run schedules say: an api of its own shows
   * their queues and schedules too.
   */
  actors?: readonly string[];
  /** How long running turns may take when the process stops, before their messages are handed back. Default '20s'. */
  shutdownGrace?: Duration;
  /** How long a message id chosen by its sender is remembered, at least. Default '24h'. */
  idempotencyWindow?: Duration;
  /** How long, and how many, handled messages stay readable per actor; a few more until that is looked after, every few seconds. Default { age: '24h', count: 10000 }. */
  keepDone?: { age?: Duration; count?: number };
  /** How long, and how many, dead letters are kept per actor, oldest dropped first. Default: all of them, for ever. */
  keepDead?: { age?: Duration; count?: number };
  /**
   * How long a worker that died or froze holds its messages before others may take them. Longer tolerates longer pauses of the
   * event loop, and delays recovery. Default '5s'; on an embedded store, which no other process has, '60s': what a process
   * leaves there is given out by the next one at its start.
   */
  lockDuration?: Duration;
  /**
   * Whether actors of this process take messages. `false`: for commands that use an application's modules to look, or to send,
   * and leave the work to workers. Default true.
   */
  consume?: boolean;
  /** Payloads are encrypted in the store: messages, replies, states, journals, errors. Default: they are not. */
  encryption?: EncryptionOptions;
}

/** How payloads are encrypted. */
export interface EncryptionOptions {
  /**
   * `<id>:<base64 of 32 bytes>`, with commas between: the first key encrypts, all decrypt. Ids have 1 to 32 letters, digits, `_`
   * and `-`. Behind `none`, in place of the first key, they only decrypt. Undefined or empty: nothing is encrypted.
   */
  keys: string | KeyRing | undefined;
}

/** {@link CallsheetOptions} with all defaults set, durations in milliseconds. */
export interface ResolvedOptions {
  url: string;
  messages: readonly MessageClass[];
  actors: readonly string[];
  shutdownGrace: number;
  idempotencyWindow: number;
  keepDone: { age: number; count: number };
  /** Infinity: without limit. */
  keepDead: { age: number; count: number };
  lockDuration: number;
  consume: boolean;
  /** Absent: nothing is encrypted. */
  encryption?: KeyRing;
}

const FIELDS = new Set<string>([
  'url',
  'messages',
  'actors',
  'shutdownGrace',
  'idempotencyWindow',
  'keepDone',
  'keepDead',
  'lockDuration',
  'consume',
  'encryption',
] satisfies (keyof CallsheetOptions)[]);

const DAY = 24 * 3_600_000;

/** Injection token of the {@link ResolvedOptions}. */
export const OPTIONS = Symbol('callsheet:options');

/** Checks the options and sets defaults. Throws OptionError naming the field. */
export function resolveOptions(options: CallsheetOptions = {}): ResolvedOptions {
  for (const field of Object.keys(options)) {
    if (!FIELDS.has(field)) throw new OptionError(field, 'is not an option');
  }
  const idempotencyWindow = toMilliseconds(options.idempotencyWindow ?? '24h', 'idempotencyWindow');
  if (idempotencyWindow === 0) throw new OptionError('idempotencyWindow', 'must be longer than 0');
  const { url = 'pglite:./.callsheet', consume = true } = options;
  if (typeof consume !== 'boolean') throw new OptionError('consume', 'must be true or false');
  if (typeof url !== 'string') throw new OptionError('url', 'must be a string');
  const usual = url.startsWith('pglite:') ? '60s' : '5s';
  const lockDuration = toMilliseconds(options.lockDuration ?? usual, 'lockDuration');
  if (lockDuration < 500) throw new OptionError('lockDuration', "must be at least '500ms'");
  const ring = toKeyRing(options.encryption);
  return {
    url,
    messages: checkedMessages(options.messages ?? []),
    actors: checkedActors(options.actors ?? []),
    shutdownGrace: toMilliseconds(options.shutdownGrace ?? '20s', 'shutdownGrace'),
    idempotencyWindow,
    keepDone: toKeep(options.keepDone, 'keepDone', { age: DAY, count: 10_000 }),
    keepDead: toKeep(options.keepDead, 'keepDead', { age: Infinity, count: Infinity }),
    lockDuration,
    consume,
    ...(ring && { encryption: ring }),
  };
}

function toKeyRing(given: EncryptionOptions | undefined): KeyRing | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== 'object' || given === null) {
    throw new OptionError('encryption', 'must be an object { keys }');
  }
  for (const field of Object.keys(given)) {
    if (field !== 'keys') throw new OptionError(`encryption.${field}`, 'is not an option');
  }
  const { keys } = given;
  return keys instanceof KeyRing ? keys : KeyRing.parse(keys);
}

function toKeep(
  given: CallsheetOptions['keepDone'] = {},
  path: string,
  defaults: ResolvedOptions['keepDone'],
): ResolvedOptions['keepDone'] {
  for (const field of Object.keys(given)) {
    if (field !== 'age' && field !== 'count') {
      throw new OptionError(`${path}.${field}`, 'is not an option');
    }
  }
  const { age, count = defaults.count } = given;
  if (given.count !== undefined && (!Number.isSafeInteger(count) || count < 1)) {
    throw new OptionError(`${path}.count`, 'must be a whole number from 1');
  }
  return { age: age === undefined ? defaults.age : toMilliseconds(age, `${path}.age`), count };
}

function checkedMessages(classes: readonly MessageClass[]): readonly MessageClass[] {
  for (const [index, each] of classes.entries()) {
    if (typeof each !== 'function' || typeof each.meta?.type !== 'string')
      throw new OptionError(`messages.${index}`, 'must be a class made with Message(...)');
  }
  return classes;
}

function checkedActors(names: readonly string[]): readonly string[] {
  for (const [index, name] of names.entries()) {
    if (!ACTOR_NAME.test(name))
      throw new OptionError(`actors.${index}`, `must match ${ACTOR_NAME}`);
  }
  return names;
}
