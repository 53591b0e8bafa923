import { Queue, type Job } from 'bullmq';
import { Logger } from '@nestjs/common';
import type {
  ActorCounts,
  Bindings,
  Cancellation,
  ConsumeOptions,
  Consumer,
  DeadLetterPlace,
  Edited,
  Engine,
  FinishedTurn,
  JournalRow,
  KeyPage,
  KeyRecord,
  KeyState,
  MessageListing,
  MessagePage,
  MessageRecord,
  QuarantinedKey,
  SearchPage,
  SearchResult,
  Sightings,
  Signal,
  StoredState,
  StoreInfo,
  Transaction,
  TurnFunction,
} from '../../engine.js';
import { storageIds, type Envelope } from '../../envelope.js';
import type { Json } from '../../json.js';
import { CallsheetError, StoreError } from '../../messaging.errors.js';
import type { ResolvedOptions } from '../../messaging.options.js';
import { BullmqConsumer } from './bullmq.consumer.js';
import { DEAD, toBuried, toFinishedTurn, toListed, toRecord, wasCancelled } from './bullmq.job.js';
import { MailboxQueue } from './mailbox.queue.js';
import { verifyBullmqVersion } from './bullmq.package.js';
import type { BullmqStore, FoundPlace, TurnBackend } from './bullmq.store.js';
import { safeUrl } from './store.url.js';
import { whole } from './whole.record.js';
import { settledWithin, withinTime } from '../../within.time.js';

/** The engine for a store URL. Rejects with StoreError for a scheme it does not know. */
export async function createBullmqEngine(options: ResolvedOptions): Promise<BullmqEngine> {
  return new BullmqEngine(await storeOf(options), options);
}

/** Loads the clients of that store only: each takes 0.1 s or more of a start. */
async function storeOf(options: ResolvedOptions): Promise<BullmqStore> {
  const { url } = options;
  if (/^rediss?(\+cluster)?:\/\//.test(url)) {
    const { RedisStore } = await import('./redis.store.js');
    return new RedisStore(options);
  }
  if (/^postgres(ql)?:\/\//.test(url)) {
    const { PostgresStore } = await import('./postgres.store.js');
    return new PostgresStore(options);
  }
  if (/^pglite:./.test(url)) {
    const { PgliteStore } = await import('./pglite.store.js');
    return new PgliteStore(options);
  }
  throw new StoreError(
    `no store for '${safeUrl(url)}': use pglite:<folder>, redis://, rediss://, redis+cluster://, rediss+cluster://, postgres:// or memory:`,
  );
}

/** How often a search goes on behind what it found that is no longer there. */
const MOST_ROUNDS = 5;

/** How long a read may take, ms. */
const READ_TIMEOUT = 10_000;

/** Every message is a BullMQ job; the store decides which database holds it. */
export class BullmqEngine implements Engine {
  private readonly queues = new Map<string, Queue>();

  constructor(
    private readonly database: BullmqStore,
    private readonly options: Pick<ResolvedOptions, 'lockDuration' | 'keepDone' | 'keepDead'>,
  ) {}

  get store(): StoreInfo {
    return this.database.info;
  }

  async open(): Promise<void> {
    verifyBullmqVersion();
    await this.database.open();
    if (this.store.durability === 'memory') {
      new Logger('Callsheet').warn(
        `${this.store.name} does not write messages to disk: they are lost when it stops`,
      );
    }
  }

  send(envelopes: readonly Envelope[], tx?: Transaction): Promise<void> {
    return this.database.send(envelopes, tx);
  }

  async consume(
    actor: string,
    { concurrency, rateLimit, reserved, aging, reads, mailbox }: ConsumeOptions,
    turn: TurnFunction,
  ): Promise<Consumer> {
    await turnBackendOf(this.queue(actor)).mailboxes.employ({ reads, mailbox });
    const consumer = new BullmqConsumer(
      actor,
      this.database,
      turnBackendOf(this.queue(actor + DEAD)),
      {
        ...this.options,
        concurrency,
        ...(rateLimit && { rateLimit }),
        ...(reserved !== undefined && { reserved }),
        ...(aging !== undefined && { aging }),
      },
      turn,
    );
    await consumer.start();
    return consumer;
  }

  async find(id: string, actors: readonly string[]): Promise<MessageRecord | undefined> {
    return this.reading(() => whole(() => this.jobOf(id, actors)));
  }

  async counts(actor: string): Promise<ActorCounts> {
    return this.reading(async () => {
      const [live, dead] = await Promise.all([
        this.queue(actor).getJobCounts(
          'waiting',
          'prioritized',
          'waiting-children',
          'delayed',
          'active',
          'completed',
        ),
        this.queue(actor + DEAD).getJobCounts('failed'),
      ]);
      const of = (state: string): number => live[state] ?? 0;
      return {
        waiting: of('waiting') + of('prioritized') + of('waiting-children'),
        delayed: of('delayed'),
        active: of('active'),
        done: of('completed'),
        dead: dead['failed'] ?? 0,
      };
    });
  }

  async oldest(actor: string): Promise<number | undefined> {
    return this.reading(() => turnBackendOf(this.queue(actor)).oldest());
  }

  async finished(actor: string, limit: number): Promise<FinishedTurn[]> {
    return this.reading(async () => {
      const found: Job[] = [];
      // On past those that were cancelled, a few pages at most.
      for (let from = 0; from < 5 * limit && found.length < limit; from += limit) {
        const jobs = await this.queue(actor).getJobs(['completed'], from, from + limit - 1);
        found.push(...present(jobs).filter((job) => !wasCancelled(job)));
        if (jobs.length < limit) break;
      }
      return found
        .slice(0, limit)
        .map(toFinishedTurn)
        .sort((a, b) => b.finishedAt - a.finishedAt);
    });
  }

  async list(actor: string, { state, after, limit }: MessagePage): Promise<MessageListing> {
    return this.reading(async () => {
      const queue = this.queue(state === 'dead' ? actor + DEAD : actor);
      const places = await turnBackendOf(queue).places(state, after, limit);
      const items = await Promise.all(
        places.map(async (place) => {
          const job = (await queue.getJob(place.storageId)) as Job | undefined;
          const record = job && toListed(job, state);
          return record && { record, place };
        }),
      );
      const next = places.length < limit ? undefined : places.at(-1);
      return { items: items.filter((item) => item !== undefined), ...(next && { next }) };
    });
  }

  async search(
    actors: readonly string[],
    term: string,
    { after, limit }: SearchPage,
  ): Promise<SearchResult> {
    return this.reading(async () => {
      const items: MessageRecord[] = [];
      let next = after;
      for (let round = 1; round <= MOST_ROUNDS && items.length < limit; round++) {
        const wanted = limit - items.length;
        const page = { limit: wanted, ...(next && { after: next }) };
        const found = await this.database.search(actors, term, page);
        const records = await Promise.all(found.items.map((place) => this.recordOf(place, term)));
        items.push(...records.filter((record) => record !== undefined));
        next = found.next;
        if (!next) break;
      }
      return { items, ...(next && { next }) };
    });
  }

  async deadLetters(
    actors: readonly string[],
    { after, limit }: { after?: DeadLetterPlace; limit: number },
  ): Promise<MessageRecord[]> {
    return this.reading(async () => {
      const found = await Promise.all(actors.map((actor) => this.deadOf(actor, after, limit)));
      return found
        .flat()
        .map((job) => toRecord(job, 'failed'))
        .sort(newestFirst)
        .slice(0, limit);
    });
  }

  async redrive(id: string, actors: readonly string[], edited?: Edited): Promise<boolean> {
    return this.reading(async () => {
      const job = await this.jobOf(id, actors);
      if (!job?.queueName.endsWith(DEAD)) return false;
      return turnBackendOf(this.queue(job.queueName)).redrive(job.id ?? '', job.progress, edited);
    });
  }

  async rewrite(letter: MessageRecord): Promise<boolean> {
    const { envelope } = letter;
    return this.reading(() =>
      turnBackendOf(this.queue(envelope.actor + DEAD)).rewrite(letter, toBuried(letter)),
    );
  }

  async discard(id: string, actors: readonly string[]): Promise<boolean> {
    return this.reading(async () => {
      const job = await this.jobOf(id, actors);
      if (!job?.queueName.endsWith(DEAD)) return false;
      return turnBackendOf(this.queue(job.queueName)).discard(job.id ?? '');
    });
  }

  async cancel(id: string, actors: readonly string[]): Promise<Cancellation> {
    return this.cancelBy('cancel', id, actors);
  }

  async withdraw(id: string, actors: readonly string[]): Promise<boolean> {
    return (await this.cancelBy('withdraw', id, actors)) === 'cancelled';
  }

  private async cancelBy(
    how: 'cancel' | 'withdraw',
    id: string,
    actors: readonly string[],
  ): Promise<Cancellation> {
    return this.reading(async () => {
      // One that becomes a dead letter, or is redriven, between two looks is in the place looked at first.
      for (let look = 1; look <= 3; look++) {
        const job = await this.jobOf(id, actors);
        if (job?.queueName.endsWith(DEAD)) return 'ended';
        const found = job && (await turnBackendOf(this.queue(job.queueName))[how](job.id ?? ''));
        if (found && found !== 'unknown') return found;
      }
      return 'unknown';
    });
  }

  listen(inbox: string, ended: (id: string) => void): Promise<() => Promise<void>> {
    return this.hearing(() => this.database.listen(inbox, ended));
  }

  async signal(signals: readonly Signal[]): Promise<void> {
    return this.reading(() => this.database.signal(signals));
  }

  onSignal(name: string, hear: (text: string) => void): Promise<() => Promise<void>> {
    return this.hearing(() => this.database.onSignal(name, hear));
  }

  async bind(owner: string, value: Json | undefined, only?: 'higher'): Promise<boolean> {
    return this.reading(() => this.database.bind(owner, value, only));
  }

  async bound(owner: string): Promise<Json | undefined> {
    return this.reading(() => this.database.bound(owner));
  }

  async bindings(known?: string): Promise<Bindings | undefined> {
    return this.reading(() => this.database.bindings(known));
  }

  async note(name: string, value: Json, age: number): Promise<Json> {
    return this.reading(() => this.database.note(name, value, age));
  }

  async noted(name: string): Promise<Json | undefined> {
    return this.reading(() => this.database.noted(name));
  }

  async present(actor: string, release: string): Promise<void> {
    return this.reading(() => this.database.present(actor, release));
  }

  async releases(actor: string): Promise<Sightings> {
    return this.reading(() => this.database.releases(actor));
  }

  async state(actor: string, key: string): Promise<StoredState | undefined> {
    return this.reading(() => turnBackendOf(this.queue(actor)).mailboxes.state(key));
  }

  async states(actor: string, page: { after?: string; limit: number }): Promise<KeyState[]> {
    return this.reading(() => turnBackendOf(this.queue(actor)).mailboxes.states(page));
  }

  async journal(
    actor: string,
    key: string,
    page: { before?: string; limit: number },
  ): Promise<JournalRow[]> {
    return this.reading(() => turnBackendOf(this.queue(actor)).mailboxes.journal(key, page));
  }

  async keys(actor: string, page: KeyPage): Promise<KeyRecord[]> {
    return this.reading(() => turnBackendOf(this.queue(actor)).mailboxes.list(page));
  }

  async key(actor: string, key: string): Promise<KeyRecord | undefined> {
    return this.reading(() => turnBackendOf(this.queue(actor)).mailboxes.find(key));
  }

  async quarantined(actor: string): Promise<QuarantinedKey[]> {
    return this.reading(() => turnBackendOf(this.queue(actor)).mailboxes.quarantined());
  }

  async release(actor: string, key: string): Promise<boolean> {
    return this.reading(() => turnBackendOf(this.queue(actor)).mailboxes.release(key));
  }

  queue(name: string): Queue {
    const known = this.queues.get(name);
    if (known) return known;
    const { queueConnection, prefix, backend } = this.database;
    const queue = new MailboxQueue(
      name,
      { connection: queueConnection as never, ...(prefix !== undefined && { prefix }) },
      backend,
    ) as unknown as Queue;
    // Outages reach callers as rejections; unheard, the event would end the process.
    queue.on('error', () => undefined);
    this.queues.set(name, queue);
    return queue;
  }

  ping(): Promise<void> {
    return this.database.ping();
  }

  async close(): Promise<void> {
    const queues = [...this.queues.values()];
    await withinTime(2_000, Promise.allSettled(queues.map((queue) => queue.close())));
    await this.database.close();
  }

  /** Reads on where letters have been redriven between listing and reading them: a short answer would mean the end. */
  private async deadOf(
    actor: string,
    after: DeadLetterPlace | undefined,
    limit: number,
  ): Promise<Job[]> {
    const queue = this.queue(actor + DEAD);
    const found: Job[] = [];
    let place = after && { rank: 0, order: after.finishedAt, storageId: after.storageId };
    while (found.length < limit) {
      const wanted = limit - found.length;
      const places = await turnBackendOf(queue).places('dead', place, wanted);
      const jobs = await Promise.all(places.map(({ storageId }) => queue.getJob(storageId)));
      found.push(...present(jobs as (Job | undefined)[]));
      if (places.length < wanted) break;
      place = places.at(-1);
    }
    return found;
  }

  private async hearing(begin: () => Promise<() => Promise<void>>): Promise<() => Promise<void>> {
    let listening: ReturnType<typeof begin> | undefined;
    try {
      return await this.reading(() => (listening = begin()));
    } catch (error) {
      // If it begins after all, nobody knows of it who could end it.
      listening?.then((end) => end()).catch(() => undefined);
      throw error;
    }
  }

  /** Whatever a read fails with that is not ours, the store is what failed. */
  private async reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      // A queue that is new while the store is away waits for it without end.
      return await settledWithin(READ_TIMEOUT, read());
    } catch (error) {
      if (error instanceof CallsheetError) throw error;
      const { message } = error as Error;
      throw new StoreError(`${this.store.name} does not answer: ${message}`, { cause: error });
    }
  }

  /** What stands at a place; undefined when it is gone, or another one that has no such term, or another place. */
  private async recordOf(
    { actor, storageId, sentAt }: FoundPlace,
    term: string,
  ): Promise<MessageRecord | undefined> {
    const record = await whole(async () => {
      for (const queue of [actor, actor + DEAD]) {
        const job = (await this.queue(queue).getJob(storageId)) as Job | undefined;
        if (job) return job;
      }
      return undefined;
    });
    if (!record?.envelope.terms?.includes(term)) return undefined;
    return record.envelope.sentAt === sentAt ? record : undefined;
  }

  /** Looks first where the id says it belongs, then everywhere at once. */
  private async jobOf(id: string, actors: readonly string[]): Promise<Job | undefined> {
    const isNamed = (actor: string): boolean =>
      id.startsWith(`${actor}-`) || id.startsWith(`repeat:${actor}.`);
    for (const group of [actors.filter(isNamed), actors.filter((actor) => !isNamed(actor))]) {
      const queues = group.flatMap((actor) => [actor, actor + DEAD]);
      const jobs = await Promise.all(
        queues.flatMap((queue) => storageIds(id).map((jobId) => this.queue(queue).getJob(jobId))),
      );
      const [job] = present(jobs as (Job | undefined)[]);
      if (job) return job;
    }
    return undefined;
  }
}

/** The backend that this engine gave the queue. */
function turnBackendOf(queue: Queue): TurnBackend {
  return queue.getBackend() as unknown as TurnBackend;
}

/** Order of dead letters; equal times by storage id. */
function newestFirst(a: MessageRecord, b: MessageRecord): number {
  return (b.finishedAt ?? 0) - (a.finishedAt ?? 0) || (a.storageId < b.storageId ? 1 : -1);
}

/** A job may be removed between listing and reading it. */
function present(jobs: (Job | undefined)[]): Job[] {
  return jobs.filter((job) => job !== undefined);
}
