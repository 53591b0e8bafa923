import { randomUUID } from 'node:crypto';
import { Cluster, ReplyError, type Redis, type RedisOptions } from 'ioredis';
import type { Bindings, SearchPage, Sightings, Signal, StoreInfo } from '../../engine.js';
import type { Envelope } from '../../envelope.js';
import type { Json } from '../../json.js';
import {
  CallsheetError,
  StoreError,
  StoreFullError,
  UnknownOutcomeError,
} from '../../messaging.errors.js';
import type { ResolvedOptions } from '../../messaging.options.js';
import { MOST_RELEASES, type Release } from '../../release.js';
import { merged, type Found } from '../../search.result.js';
import { revisionOf } from '../revision.js';
import type { BullmqStore, FoundPlace } from './bullmq.store.js';
import { checkClock } from '../../clock.skew.js';
import { redisClient, type Client } from './redis.client.js';
import { redisTurnBackends, type RedisTurnBackend } from './redis.backend.js';
import { BINDINGS, BINDINGS_VERSION, channelsOf, NOTES, PREFIX, RELEASES } from './redis.keys.js';
import { RedisNotices } from './redis.notices.js';
import { RedisRoom } from './redis.room.js';
import { BIND, NOTE, PRESENT, SIGHTINGS } from './redis.scripts.js';
import { redisAddress, safeUrl, type RedisAddress } from './store.url.js';
import { settledWithin, withinTime } from '../../within.time.js';

const MINIMUM = [6, 2] as const;
const COMMAND_TIMEOUT = 5_000;
/** At the start: a server may accept the connection and then say nothing. */
const ANSWER_TIMEOUT = 4_000;
const OPEN_TIMEOUT = 20_000;

type Options = Pick<ResolvedOptions, 'url' | 'idempotencyWindow'>;

/** Redis 6.2 or newer, or a compatible server, alone or as a cluster, with ioredis. */
export class RedisStore implements BullmqStore {
  readonly prefix = PREFIX;
  readonly backend: BullmqStore['backend'];
  info: StoreInfo = { name: 'Redis', durability: 'memory', shared: true, sql: false };

  private isClosed = false;
  private address?: RedisAddress;
  private clients?: { worker: Client; queue: Client };
  /** Knows how BullMQ adds a job, and runs our script on the same connection as the queues. */
  private composer?: RedisTurnBackend;
  private readonly notices = new RedisNotices(() => this.client({ maxRetriesPerRequest: null }));
  private readonly room = new RedisRoom(() => this.queueConnection);

  constructor(private readonly options: Options) {
    this.backend = redisTurnBackends(options.idempotencyWindow) as BullmqStore['backend'];
  }

  /** Keeps commands until the server is back, so that workers go on by themselves. */
  get workerConnection(): Client {
    return this.opened(this.clients).worker;
  }

  /** Sends and reads; gives up, so that callers get an answer. */
  get queueConnection(): Client {
    return this.opened(this.clients).queue;
  }

  async open(): Promise<void> {
    this.address = redisAddress(this.options.url);
    try {
      await settledWithin(OPEN_TIMEOUT, this.connect());
    } catch (error) {
      await this.close();
      throw error instanceof StoreError ? error : this.unusable(error as Error);
    }
  }

  async send(envelopes: readonly Envelope[]): Promise<void> {
    try {
      const composer = this.opened(this.composer);
      await this.bounded(this.room.require());
      await this.bounded(composer.send(envelopes));
    } catch (error) {
      throw explainSend(error);
    }
  }

  listen(inbox: string, ended: (id: string) => void): Promise<() => Promise<void>> {
    return this.notices.listen(channelsOf(this.queueConnection).inbox + inbox, ended);
  }

  onCancel(cancelled: (storageId: string) => void): Promise<() => Promise<void>> {
    return this.notices.listen(channelsOf(this.queueConnection).cancelled, cancelled);
  }

  async signal(signals: readonly Signal[]): Promise<void> {
    const { signal } = channelsOf(this.queueConnection);
    const told = signals.map(({ name, text }) => this.queueConnection.publish(signal + name, text));
    await this.bounded(Promise.all(told));
  }

  onSignal(name: string, hear: (text: string) => void): Promise<() => Promise<void>> {
    return this.notices.listen(channelsOf(this.queueConnection).signal + name, hear);
  }

  async bind(owner: string, value: Json | undefined, only?: 'higher'): Promise<boolean> {
    const client = this.queueConnection;
    const text = value === undefined ? null : JSON.stringify(value);
    const bound = [
      owner,
      text ?? '',
      revisionOf(value) ?? '',
      BINDINGS_VERSION,
      randomUUID(),
      only ?? '',
    ];
    return (await client.eval(BIND, 1, BINDINGS, ...bound)) === 1;
  }

  async bound(owner: string): Promise<Json | undefined> {
    const text = await this.queueConnection.hget(BINDINGS, owner);
    return text === null ? undefined : parsed(text);
  }

  async bindings(known?: string): Promise<Bindings | undefined> {
    const client = this.queueConnection;
    const current = async () => (await client.hget(BINDINGS, BINDINGS_VERSION)) ?? '';
    // Without one, which a full server could not write, nobody knows.
    if (known && known === (await current())) return undefined;
    const { [BINDINGS_VERSION]: version = '', ...texts } = await client.hgetall(BINDINGS);
    const owners = Object.entries(texts).map(([owner, text]) => [owner, parsed(text)]);
    return { version, owners: Object.fromEntries(owners) as Bindings['owners'] };
  }

  async note(name: string, value: Json, age: number): Promise<Json> {
    const given = [JSON.stringify(value), Math.ceil(age)];
    return parsed(String(await this.queueConnection.eval(NOTE, 1, NOTES + name, ...given)));
  }

  async noted(name: string): Promise<Json | undefined> {
    const text = await this.queueConnection.get(NOTES + name);
    return text === null ? undefined : parsed(text);
  }

  async present(actor: string, release: string): Promise<void> {
    await this.queueConnection.eval(PRESENT, 1, RELEASES + actor, release, MOST_RELEASES);
  }

  async releases(actor: string): Promise<Sightings> {
    const answer = await this.queueConnection.eval(SIGHTINGS, 1, RELEASES + actor);
    const [now, ...seen] = answer as [number, ...string[]];
    const releases: Release[] = [];
    for (let at = 0; at < seen.length; at += 2) {
      releases.push({ id: seen[at] ?? '', seenAt: Number(seen[at + 1]) });
    }
    return { now, releases };
  }

  async search(
    actors: readonly string[],
    term: string,
    page: SearchPage,
  ): Promise<Found<FoundPlace>> {
    const composer = this.opened(this.composer);
    const all = Promise.all(actors.map((actor) => composer.search(actor, term, page)));
    return merged(await this.bounded(all), page.limit, (place) => place);
  }

  async ping(): Promise<void> {
    await this.bounded(this.queueConnection.ping());
  }

  /** The client of a cluster that is away keeps commands without end; that of a server knows its `commandTimeout`. */
  private bounded<T>(work: Promise<T>): Promise<T> {
    return this.address?.isCluster ? settledWithin(COMMAND_TIMEOUT, work) : work;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const clients = Object.values(this.clients ?? {});
    await withinTime(1_000, Promise.allSettled(clients.map((client) => client.quit())));
    for (const client of clients) client.disconnect();
    // A cluster's client would connect again for the next command.
    this.clients = undefined;
    this.notices.close();
  }

  private async connect(): Promise<void> {
    this.info = await this.verify();
    if (this.isClosed) throw new StoreError('the store was closed while it was opened');
    this.clients = {
      worker: this.client({ maxRetriesPerRequest: null }),
      queue: this.client({ maxRetriesPerRequest: 2, commandTimeout: COMMAND_TIMEOUT }),
    };
    await Promise.all(Object.values(this.clients).map((client) => client.connect()));
    await checkClock(this.info.name, async () => {
      const [seconds, micros] = await this.queueConnection.time();
      return Number(seconds) * 1_000 + Number(micros) / 1_000;
    });
    this.composer = redisTurnBackends(this.options.idempotencyWindow)('', {
      connection: this.queueConnection,
      prefix: PREFIX,
    } as never);
    this.composer.on('error', () => undefined);
    await this.composer.waitUntilReady();
  }

  private opened<T>(part: T | undefined): T {
    if (part === undefined) throw new StoreError('the store is not open');
    return part;
  }

  private client(options: RedisOptions): Client {
    return redisClient(this.opened(this.address), options);
  }

  /** Connects once, without retrying, and reads what kind of server this is. */
  private async verify(): Promise<StoreInfo> {
    const probe = this.client({ retryStrategy: () => null, maxRetriesPerRequest: 0 });
    let refusal: Error | undefined;
    probe.on('error', (error: Error) => (refusal = error));
    try {
      await settledWithin(ANSWER_TIMEOUT, probe.connect());
      const { database } = this.opened(this.address);
      const servers = probe instanceof Cluster ? probe.nodes('master') : [probe];
      const infos = await Promise.all(
        servers.map(async (server) => {
          await settledWithin(ANSWER_TIMEOUT, server.select(database));
          const info = parseInfo(await settledWithin(ANSWER_TIMEOUT, server.info()));
          return describe(info, await appendfsync(server));
        }),
      );
      return infos.reduce(weaker);
    } catch (error) {
      throw error instanceof StoreError ? error : this.unusable(refusal ?? (error as Error));
    } finally {
      probe.disconnect();
    }
  }

  private unusable(reason: Error & { command?: unknown }): StoreError {
    // ioredis notes the command that failed, AUTH with the password for one.
    delete reason.command;
    const { url } = this.options;
    const isMute = reason.message.startsWith('no answer') && url.startsWith('rediss:');
    const hint = isMute ? '; does that port speak TLS?' : '';
    return new StoreError(`cannot use Redis at ${safeUrl(url)}: ${reason.message}${hint}`, {
      cause: reason,
    });
  }
}

function explainSend(error: unknown): unknown {
  if (error instanceof CallsheetError) return error;
  const { message } = error as Error;
  // The server answered: nothing is stored.
  if (error instanceof ReplyError) {
    if (/\bOOM command not allowed/.test(message)) {
      return new StoreFullError(`Redis is full: ${message}`, { cause: error });
    }
    return new StoreError(`Redis refused the message: ${message}`, { cause: error });
  }
  return new UnknownOutcomeError(
    `Redis did not answer (${message}); the message may or may not be stored: sending again is safe with the same id, if it was given one`,
    { cause: error },
  );
}

function describe(info: Map<string, string>, fsync: string): StoreInfo {
  const version = info.get('redis_version') ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1])) {
    throw new StoreError(
      `Redis ${version} is too old: Callsheet needs ${MINIMUM.join('.')} or newer`,
    );
  }
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  if (policy !== 'noeviction') {
    throw new StoreError(
      `Redis may evict messages: its maxmemory-policy is '${policy}'; set it to 'noeviction' (CONFIG SET maxmemory-policy noeviction)`,
    );
  }
  const aof = info.get('aof_enabled') === '1';
  return {
    name: `Redis ${version}`,
    durability: !aof ? 'memory' : fsync === 'always' ? 'power-safe' : 'process-safe',
    shared: true,
    sql: false,
  };
}

/** A cluster keeps no more than the one of its servers that keeps least. */
function weaker(one: StoreInfo, other: StoreInfo): StoreInfo {
  const order = ['memory', 'process-safe', 'power-safe'];
  return order.indexOf(other.durability) < order.indexOf(one.durability) ? other : one;
}

/** Managed servers refuse CONFIG; then the usual setting is assumed. */
async function appendfsync(client: Redis): Promise<string> {
  try {
    const [, value] = (await settledWithin(
      ANSWER_TIMEOUT,
      client.config('GET', 'appendfsync'),
    )) as string[];
    return value ?? 'everysec';
  } catch {
    return 'everysec';
  }
}

function parseInfo(text: string): Map<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

/** What a person has broken is null: of one owner, not of all. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
