import { Redis } from 'ioredis';
import { when, type Check } from './check.js';
import { keyIn, type Encrypted } from './encryption.js';
import { isOlder } from './machine.js';
import { skewTo, type Skewed } from './clock.js';

/** What a Redis server tells of itself, and of what Callsheet keeps there. */
export interface RedisFacts extends Skewed, Omit<Encrypted, 'keys'> {
  info: ReadonlyMap<string, string>;
  /** Undefined where CONFIG may not be asked. */
  appendfsync: string | undefined;
  /** When snapshots are taken; empty: never. Undefined where CONFIG may not be asked. */
  save: string | undefined;
  /** Clients that there may be, unknown where nobody says it, and that are connected, the doctor among them. */
  clients: { most: number | undefined; used: number };
  /** Actors that have had messages or workers here. */
  actors: number;
  /** Keys that should go by themselves, and never will. */
  lasting: readonly string[];
}

const OLDEST = [6, 2] as const;
const PREFIX = '{callsheet}';
/** Idempotency keys, and what is noted for a while. */
const PASSING = [`${PREFIX}.sent:*`, `${PREFIX}.notes:*`];
const MOST_LOOKED_AT = 2_000;
const PATIENCE = 5_000;
/** Connections that one process opens, of its queues and for what it hears; each actor it works for adds one. */
const CONNECTIONS = 3;
const CROWDED = 0.8;
/** Sends are refused over this. */
const FULL = 0.8;
const NEARLY = 0.65;

export const REDIS: readonly Check<RedisFacts>[] = [
  {
    id: 'redis-old',
    severity: 'error',
    find: ({ info }) => when(isOlder(version(info), OLDEST), `Redis ${version(info)} is too old`),
    fix: `install Redis ${OLDEST.join('.')} or newer`,
  },
  {
    id: 'redis-evicts',
    severity: 'error',
    find: ({ info }) => {
      const policy = info.get('maxmemory_policy') ?? 'noeviction';
      return when(
        policy !== 'noeviction',
        `maxmemory-policy is ${policy}: Redis may drop messages`,
      );
    },
    fix: 'CONFIG SET maxmemory-policy noeviction, and write it into redis.conf',
  },
  {
    id: 'redis-without-aof',
    severity: 'warning',
    find: ({ info, save }) => {
      const lost = save === '' ? 'every message' : 'what came after the last snapshot';
      return when(
        info.get('aof_enabled') !== '1',
        `there is no append-only file: a crash loses ${save === undefined ? 'messages' : lost}`,
      );
    },
    fix: 'CONFIG SET appendonly yes, and write it into redis.conf',
  },
  {
    id: 'redis-never-syncs',
    severity: 'warning',
    find: ({ info, appendfsync }) =>
      when(
        info.get('aof_enabled') === '1' && appendfsync === 'no',
        'appendfsync is no: a power cut loses what the system has not written by itself',
      ),
    fix: 'CONFIG SET appendfsync everysec, or always',
  },
  {
    id: 'redis-aof-fails',
    severity: 'error',
    find: ({ info }) =>
      when(info.get('aof_last_write_status') === 'err', 'the append-only file cannot be written'),
    fix: 'look at the log of Redis and at its disk: it refuses writes',
  },
  {
    id: 'redis-full',
    severity: 'error',
    find: ({ info }) =>
      when(filled(info) > FULL, `${percent(info)} of maxmemory are in use: sends are refused`),
    fix: 'let workers drain it, keep less (keepDone, keepDead), or raise maxmemory',
  },
  {
    id: 'redis-nearly-full',
    severity: 'warning',
    find: ({ info }) =>
      when(
        filled(info) > NEARLY && filled(info) <= FULL,
        `${percent(info)} of maxmemory are in use; sends are refused over ${FULL * 100} %`,
      ),
    fix: 'keep less (keepDone, keepDead), or raise maxmemory',
  },
  {
    id: 'redis-replica',
    severity: 'error',
    find: ({ info }) =>
      when(info.get('role') === 'slave', 'this server is a replica: it takes no writes'),
    fix: 'let CALLSHEET_URL name the primary',
  },
  {
    id: 'redis-clients-few',
    severity: 'warning',
    find: ({ clients: { most = Infinity, used }, actors }) => {
      const wanted = CONNECTIONS + actors;
      return when(
        most < wanted || used > most * CROWDED,
        `${used} of ${most} clients are connected, and one process with ${actors} actors opens ${wanted}: who comes too many is refused`,
      );
    },
    fix: 'raise maxclients, or see who they are: CLIENT LIST',
  },
  {
    id: 'redis-keys-last',
    severity: 'warning',
    find: ({ lasting: [first, ...more] }) =>
      when(
        first !== undefined,
        `${more.length + 1} idempotency keys or notes have no time to live: ${first}`,
      ),
    fix: 'somebody has taken it from them (PERSIST, a restored dump): give it back with EXPIRE, or delete them',
  },
];

/** @throws what the client says, when it cannot be asked */
export async function redisFacts(url: string, now: () => number): Promise<RedisFacts> {
  const client = new Redis(oneOf(url), {
    lazyConnect: true,
    connectTimeout: PATIENCE,
    commandTimeout: PATIENCE,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let refusal: Error | undefined;
  client.on('error', (error) => (refusal = error));
  try {
    await client.connect();
    const info = parsed(await client.info());
    const skew = await skewTo(async () => {
      const [seconds, micros] = await client.time();
      return Number(seconds) * 1_000 + Number(micros) / 1_000;
    }, now);
    const setting = async (name: string): Promise<string | undefined> =>
      ((await client.config('GET', name).catch(() => [])) as string[])[1];
    const passing = (await Promise.all(PASSING.map((match) => some(client, match)))).flat();
    const times = await Promise.all(passing.map((key) => client.ttl(key)));
    const most = info.get('maxclients') ?? (await setting('maxclients'));
    const queues = await some(client, `${PREFIX}:*:meta`, 'hash');
    const jobs = await some(client, `${PREFIX}:*:*`, 'hash');
    const payloads = await Promise.all(jobs.map((key) => client.hget(key, 'data')));
    return {
      info,
      skew,
      appendfsync: await setting('appendfsync'),
      save: await setting('save'),
      clients: {
        most: most === undefined ? undefined : Number(most),
        used: Number(info.get('connected_clients')),
      },
      actors: queues.filter((key) => !/\.dead:meta$|:state:/.test(key)).length,
      lasting: passing.filter((_, index) => times[index] === -1),
      used: [...new Set(payloads.map(keyIn).filter((id) => id !== undefined))],
    };
  } catch (error) {
    throw refusal ?? error;
  } finally {
    client.disconnect();
  }
}

/** Of a cluster one server is looked at. */
function oneOf(url: string): string {
  const [, scheme, user = '', host = ''] = /^(rediss?)\+cluster:\/\/(.*@)?([^@,]*)/.exec(url) ?? [];
  return scheme === undefined ? url : `${scheme}://${user}${host}`;
}

/** Keys that match, some thousands at most: enough to see what is wrong. */
async function some(client: Redis, match: string, kind?: string): Promise<string[]> {
  const found: string[] = [];
  let cursor = '0';
  for (let step = 0; step < 50 && found.length < MOST_LOOKED_AT; step++) {
    const page =
      kind === undefined
        ? await client.scan(cursor, 'MATCH', match, 'COUNT', 500)
        : await client.scan(cursor, 'MATCH', match, 'COUNT', 500, 'TYPE', kind);
    found.push(...page[1]);
    cursor = page[0];
    if (cursor === '0') break;
  }
  return found;
}

function parsed(text: string): Map<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

function version(info: RedisFacts['info']): string {
  return info.get('redis_version') ?? '0';
}

function filled(info: RedisFacts['info']): number {
  const max = Number(info.get('maxmemory') ?? 0);
  return max > 0 ? Number(info.get('used_memory')) / max : 0;
}

function percent(info: RedisFacts['info']): string {
  return `${Math.round(filled(info) * 100)} %`;
}
