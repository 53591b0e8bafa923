import {
  createRedisBackend,
  QueueKeys,
  raw2NextJobData,
  RedisQueueBackend,
  type BackendFactory,
  type ConnectionOptions,
  type IRedisTransaction,
  type Job,
  type RedisClient,
} from 'bullmq';
import type { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AttemptRecord,
  Cancellation,
  Edited,
  Effects,
  MessagePlace,
  MessageRecord,
  MessageState,
  SearchPage,
  StoredState,
} from '../../engine.js';
import type { Envelope } from '../../envelope.js';
import { keyCount } from './bullmq.package.js';
import {
  actorOf,
  DEAD,
  redriven,
  toAnswer,
  toEnvelope,
  toJob,
  type JobProgress,
} from './bullmq.job.js';
import type { Failure, FoundPlace, Keep, NextJob, TurnBackend } from './bullmq.store.js';
import type { Found } from '../../search.result.js';
import { mended } from './damaged.data.js';
import { pauseAfterError } from './error.pause.js';
import { LANES, URGENT } from '../../priority.js';
import type { ReservedTurns } from './reserved.turns.js';
import { redriveAll } from './redrive.all.js';
import { QUARANTINE } from './redis.key.scripts.js';
import { OPERATIONS } from './redis.operations.js';
import { refuse, type Result, type TakenJob } from './redis.answers.js';
import { RedisMailboxes, toState } from './redis.mailboxes.js';
import { RedisPlaces } from './redis.places.js';
import { FINISH_KEYS, FinishArguments, type Taking } from './redis.finish.js';
import { runScript, type Argument } from './redis.run.js';
import { entriesOf, foundIn } from './redis.terms.js';
import { channelsOf, REMEMBERED, type Channels } from './redis.keys.js';
import { BURY, COMPLETE, finishKeysLike, NOTE_PROGRESS, POSTPONE } from './redis.end.scripts.js';
import {
  CANCEL,
  DISCARD,
  FORGET,
  OLDEST,
  OVERDUE,
  REDRIVE,
  REWRITE,
  SEND,
} from './redis.scripts.js';

/** Stands in for a connection and keeps the commands it is given. */
class Recorder {
  readonly commands: { name: string; args: Argument[] }[] = [];
}

/** Runs the script that takes the next job, with further arguments. */
type Take = (more?: Argument[]) => Promise<TakenJob>;

/** BullMQ's Redis backend with the ends of a turn. BullMQ's `BackendFactory` is the documented way to bring it in. */
export class RedisTurnBackend extends RedisQueueBackend implements TurnBackend {
  /** How long ids are remembered, ms. */
  private window = 0;
  private channels: Omit<Channels, 'signal'> = { cancelled: '', inbox: '' };
  readonly mailboxes = new RedisMailboxes(() => this.client, this.toKey(''));
  reserved?: ReservedTurns;
  private readonly finishes = new FinishArguments(
    (fields) =>
      this.moveToFinishedArgs(
        { opts: {} } as Job,
        'null',
        'returnvalue',
        { count: -1 },
        'completed',
        '',
        0,
        false,
        fields,
      ) as Argument[],
    () => (this as unknown as { queue: { opts: Taking } }).queue.opts,
  );
  /** States of keys that came with their jobs, until they are asked for. */
  private readonly states = new Map<string, StoredState | undefined>();

  /** The BullMQ command that would add this message to its actor's queue, with its keys and arguments. */
  async addCommand(envelope: Envelope): Promise<{ name: string; args: Argument[]; id: string }> {
    const recorder = new Recorder();
    const { id, opts, ...job } = toJob(envelope);
    await this.addJobToTransaction(
      recorder as unknown as RedisClient,
      { ...job, opts, id } as unknown as Parameters<RedisQueueBackend['addJobToTransaction']>[1],
      id,
      // A message of a key is parked first; then it is made runnable if it is the first.
      { addToWaitingChildren: envelope.key !== undefined && job.delay <= 0 },
      new QueueKeys(this.redisPrefix).getKeys(envelope.actor),
    );
    const [command] = recorder.commands;
    if (!command) throw new Error('BullMQ issued no command to add a job');
    return { ...command, id };
  }

  override execCommand(
    client: RedisClient | IRedisTransaction,
    name: string,
    args: Argument[],
  ): ReturnType<RedisQueueBackend['execCommand']> {
    if (client instanceof Recorder) {
      client.commands.push({ name, args });
      return '' as unknown as ReturnType<RedisQueueBackend['execCommand']>;
    }
    const own = 'status' in client ? OPERATIONS[name] : undefined;
    if (!own) return super.execCommand(client, name, args as never);
    const run = (more: Argument[] = []): Promise<unknown> =>
      runScript(client as RedisClient, name, own, [keyCount(name), ...args, ...more]);
    const answer = name === 'moveToActive' ? this.take(run as Take) : run();
    return answer as ReturnType<RedisQueueBackend['execCommand']>;
  }

  private async take(run: Take): Promise<TakenJob> {
    let taken: TakenJob | undefined;
    await this.reserved?.fetch(async (isLimited) => {
      taken = await run(isLimited ? [URGENT] : []);
      return raw2NextJobData(taken as never) as NextJob;
    });
    taken ??= await run();
    this.noteState(taken);
    return taken;
  }

  // A limited worker has no use for the marker, which others wait for.
  override async waitForJob(timeout: number): ReturnType<RedisQueueBackend['waitForJob']> {
    if (this.reserved?.isFull) {
      await sleep(LOOK_AGAIN);
      return null;
    }
    const waiting = new AbortController();
    // It ends by the signal, as a rule; a connection that is lost needs nobody to be roused.
    this.rouse(timeout * 1_000, waiting.signal).catch(() => undefined);
    try {
      return await super.waitForJob(timeout);
    } finally {
      waiting.abort();
    }
  }

  /**
   * A server that nobody talks to looks at what blocks ten times a second (`hz`): it would end a wait for a message that is
   * due up to 100 ms late. With anything that comes it looks at once.
   */
  private async rouse(after: number, signal: AbortSignal): Promise<void> {
    for (const wait of [after + 1, ...ROUSE_AGAIN]) {
      await sleep(wait, undefined, { signal, ref: false });
      const redis = (await this.client) as unknown as Redis;
      // By a key, so that of a cluster the server answers that has the queue.
      if (redis.status === 'ready') await redis.exists(this.toKey('marker'));
    }
  }

  /** BullMQ adds many in a pipeline, where ours are not known. */
  override async addJobs(
    entries: Parameters<RedisQueueBackend['addJobs']>[0],
  ): ReturnType<RedisQueueBackend['addJobs']> {
    const hasKeys = entries.some(({ job }) => 'callsheet' in job.opts);
    if (!hasKeys) return super.addJobs(entries);
    return Promise.all(
      entries.map(({ job, jobId, parentKeyOpts }) => this.addJob(job, jobId, parentKeyOpts)),
    );
  }

  override async getJobData(id: string): ReturnType<RedisQueueBackend['getJobData']> {
    const json = await super.getJobData(id);
    return json && mended(json);
  }

  private noteState(taken: TakenJob): void {
    const [job, id, , , state] = taken;
    if (!Array.isArray(job) || state === undefined) return;
    this.states.set(String(id), state === 0 ? undefined : toState(state));
  }

  stateOf(job: Job): ReturnType<TurnBackend['stateOf']> {
    const id = job.id ?? '';
    const { key } = toEnvelope(job);
    if (key === undefined) return undefined;
    if (!this.states.has(id)) return this.mailboxes.state(key);
    const state = this.states.get(id);
    this.states.delete(id);
    return state;
  }

  async note({ id = '' }: Job, token: string, progress: JobProgress): Promise<boolean> {
    const key = this.toKey(id);
    const args = [key, `${key}:lock`, token, JSON.stringify(progress)];
    return (await this.runScript('note', NOTE_PROGRESS, 2, args)) === 1;
  }

  async quarantine(
    job: Job,
    token: string,
    failure: Failure,
    attempt: AttemptRecord,
  ): Promise<boolean> {
    const { key } = toEnvelope(job);
    if (key === undefined) return false;
    const args = this.moveToDelayedArgs(job.id ?? '', Date.now(), token, 1, {
      fieldsToUpdate: fieldsOf(failure),
    }) as Argument[];
    const stopped = JSON.stringify({ since: Date.now(), storageId: job.id, attempt });
    const code = await this.runScript('quarantine', QUARANTINE, 11, [...args, key, stopped]);
    if (code < 0) {
      throw this.finishedErrors({ code, jobId: job.id, command: 'quarantine', state: 'active' });
    }
    return code === 0;
  }

  /** As `Engine.send`. @throws IdempotencyConflictError, MessageActiveError, and what the client rejects with */
  async send(envelopes: readonly Envelope[]): Promise<void> {
    const args = [1, REMEMBERED, ...(await this.sends(envelopes))];
    const result = await runScript(await this.client, 'send', SEND, args);
    refuse(result as Result, envelopes);
  }

  /** As `BullmqStore.search`, of one actor. */
  async search(actor: string, term: string, page: SearchPage): Promise<Found<FoundPlace>> {
    const prefixes = [this.keysOf(actor), this.keysOf(actor + DEAD)] as const;
    const { items, ...rest } = await foundIn(await this.client, prefixes, term, page);
    return { items: items.map((place) => ({ ...place, actor })), ...rest };
  }

  async complete(
    job: Job,
    token: string,
    { sends, reply, state, forget, journal }: Effects,
    keep: Keep,
    fetchNext = false,
  ): Promise<NextJob> {
    const value = JSON.stringify(toAnswer({ reply, sends }) ?? null);
    const args = this.finishes.of(job.id ?? '', value, fetchNext);
    const taken = await this.end(
      'complete',
      COMPLETE,
      job,
      args,
      [...fieldsOfState(state ?? forget), token, this.finishes.bounds(keep)],
      sends,
      journal && [
        journal.keep,
        ...journal.rows.slice(-journal.keep).map((row) => JSON.stringify(row)),
      ],
    );
    if (!taken) return undefined;
    this.noteState(taken);
    return raw2NextJobData(taken as never) as NextJob;
  }

  async quit(
    job: Job,
    token: string,
    progress: JobProgress,
    keep: Keep,
    sends: Effects['sends'],
  ): Promise<void> {
    const fields = { progress: JSON.stringify(progress) };
    const args = this.finishes.of(job.id ?? '', 'null', false, fields);
    const more = [...fieldsOfState(undefined), token, this.finishes.bounds(keep)];
    await this.end('complete', COMPLETE, job, args, more, sends);
  }

  async bury(job: Job, token: string, failure: Failure, sends: readonly Envelope[]): Promise<void> {
    const args = this.moveToFailedArgs(
      job,
      failure.reason,
      false,
      token,
      false,
      fieldsOf(failure),
    ) as Argument[];
    await this.end('bury', BURY, job, args, [this.siblingPrefix(DEAD)], sends);
  }

  async postpone(
    job: Job,
    token: string,
    delay: number,
    failure: Failure | undefined,
  ): Promise<void> {
    const args = this.moveToDelayedArgs(job.id ?? '', Date.now(), token, Math.max(1, delay), {
      ...(failure ? { fieldsToUpdate: fieldsOf(failure) } : { skipAttempt: true }),
    }) as Argument[];
    const code = await this.runScript('postpone', POSTPONE, 11, args);
    if (code < 0) {
      throw this.finishedErrors({ code, jobId: job.id, command: 'postpone', state: 'active' });
    }
  }

  async cancel(id: string): Promise<Cancellation> {
    return this.runCancel(id);
  }

  async withdraw(id: string): Promise<Cancellation> {
    return this.runCancel(id, 'unbegun');
  }

  private async runCancel(id: string, only = ''): Promise<Cancellation> {
    const { cancelled, inbox } = this.channels;
    const args = [1, this.toKey(''), id, Date.now(), cancelled, inbox, only];
    return (await runScript(await this.client, 'cancel', CANCEL, args)) as Cancellation;
  }

  async oldest(): Promise<number | undefined> {
    const args = [1, this.toKey(''), ...Object.values(LANES)];
    const oldest = (await runScript(await this.client, 'oldest', OLDEST, args)) as string | null;
    return oldest === null ? undefined : Number(oldest);
  }

  async overdue(priority: number, before: number, limit: number): Promise<string[]> {
    const args = [1, this.toKey(''), priority, before, limit];
    return (await runScript(await this.client, 'overdue', OVERDUE, args)) as string[];
  }

  async discard(id: string): Promise<boolean> {
    return (await this.runScript('discard', DISCARD, 1, [this.toKey(''), id])) === 1;
  }

  // BullMQ's own retention looks only when a turn ends: not after many cancels, nor while nothing comes.
  async forgetDone(keep: Keep): Promise<void> {
    await this.forget('completed', keep);
  }

  async forgetDead(keep: Keep): Promise<void> {
    await this.forget('failed', keep);
  }

  private async forget(set: string, { age, count }: Keep): Promise<void> {
    const before = Number.isFinite(age) ? Date.now() - age : '-inf';
    const most = Number.isFinite(count) ? count : '';
    const args = [this.toKey(''), this.toKey(set), before, most];
    for (let round = 1; round <= FORGET_ROUNDS; round++) {
      if ((await this.runScript('forget', FORGET, 2, args)) < 1_000) break;
    }
  }

  places(
    state: MessageState,
    after: MessagePlace | undefined,
    limit: number,
  ): Promise<MessagePlace[]> {
    return new RedisPlaces(() => this.client, this.toKey('')).list(state, after, limit);
  }

  async redrive(id: string, progress: unknown, edited?: Edited): Promise<boolean> {
    const change = edited ? await this.changed(id, edited) : ['', '', ''];
    const live = this.livePrefix();
    const keys = [
      '',
      'events',
      'failed',
      'wait',
      'meta',
      'active',
      'marker',
      'prioritized',
      'pc',
    ].map((key) => live + (key || id));
    const args = [id, 'LPUSH', 'failedReason', 'failed', '1', '1'];
    const code = await this.runScript('redrive', REDRIVE, 9, [
      ...keys,
      ...args,
      live,
      this.toKey(''),
      JSON.stringify(redriven(progress)),
      ...change,
    ]);
    return code === 1;
  }

  async rewrite(letter: MessageRecord, failure: Failure): Promise<boolean> {
    const { storageId, finishedAt, redrives, envelope } = letter;
    const fields = fieldsOf(failure);
    const code = await this.runScript('rewrite', REWRITE, 2, [
      ...[this.toKey(''), this.livePrefix(), storageId, finishedAt, redrives],
      ...[fields['failedReason'], fields['stacktrace'], fields['progress']],
      ...(await this.changed(storageId, envelope)),
    ]);
    return code === 1;
  }

  /** New data, options and entries of a dead letter. Nobody else changes them while it is one. */
  private async changed(id: string, { data, types, terms }: Edited): Promise<string[]> {
    const { opts: text = '{}', timestamp } = await (await this.client).hgetall(this.toKey(id));
    const opts = JSON.parse(text) as { callsheet?: object };
    return [
      JSON.stringify(data),
      JSON.stringify({ ...opts, callsheet: { ...opts.callsheet, types, terms } }),
      entriesOf(id, Number(timestamp), terms),
    ];
  }

  /** Ends a turn by a script that takes the KEYS and ARGV of moveToFinished first. */
  private async end(
    name: string,
    script: (finishKeys: string) => string,
    job: Job,
    finish: readonly Argument[],
    more: readonly Argument[],
    sends: readonly Envelope[],
    last: readonly Argument[] = [],
  ): Promise<TakenJob | undefined> {
    const { id, replyTo, key } = toEnvelope(job);
    const prefix = this.toKey('');
    const composed = (): string =>
      script(finishKeysLike(finish.slice(0, FINISH_KEYS) as string[], prefix));
    const args = [
      ...[2, prefix, REMEMBERED],
      ...finish.slice(FINISH_KEYS),
      replyTo === undefined ? '' : this.channels.inbox + replyTo,
      id,
      key,
      ...more,
      ...(sends.length > 0 ? await this.sends(sends) : [this.window, 0]),
      ...last,
    ];
    const result = (await runScript(await this.client, name, composed, args)) as Result;
    const [kind, answer] = result;
    if (kind === 3) {
      const code = Number(answer);
      throw this.finishedErrors({ code, jobId: job.id, command: name, state: 'active' });
    }
    refuse(result, sends);
    return answer as TakenJob | undefined;
  }

  /** Messages as the arguments that the scripts take. */
  private async sends(envelopes: readonly Envelope[]): Promise<Argument[]> {
    const args: Argument[] = [this.window, envelopes.length];
    for (const envelope of envelopes) {
      const command = await this.addCommand(envelope);
      const queue = this.keysOf(envelope.actor);
      args.push(
        command.name,
        envelope.fingerprint ?? '',
        command.id,
        queue,
        this.keysOf(envelope.actor + DEAD),
        envelope.replace ? 'replace' : '',
        envelope.type,
        envelope.key,
        entriesOf(command.id, envelope.sentAt, envelope.terms),
        command.args.length,
        ...command.args,
      );
    }
    return args;
  }

  // A button on the dashboard: retrying a dead letter is redriving it.
  override async retryFinishedJob(
    ...args: Parameters<RedisQueueBackend['retryFinishedJob']>
  ): Promise<void> {
    if (!this.name.endsWith(DEAD)) return super.retryFinishedJob(...args);
    const [job] = args;
    await this.redrive(job.id ?? '', job.progress);
  }

  override async retryFinishedJobs(
    ...args: Parameters<RedisQueueBackend['retryFinishedJobs']>
  ): Promise<number> {
    if (!this.name.endsWith(DEAD)) return super.retryFinishedJobs(...args);
    await redriveAll(this, args[2]);
    return 0;
  }

  override moveToActive(
    ...args: Parameters<RedisQueueBackend['moveToActive']>
  ): ReturnType<RedisQueueBackend['moveToActive']> {
    return pauseAfterError(() => super.moveToActive(...args));
  }

  private livePrefix(): string {
    return this.keysOf(actorOf(this.name));
  }

  private siblingPrefix(suffix: string): string {
    return this.keysOf(this.name + suffix);
  }

  private keysOf(queue: string): string {
    return `${this.redisPrefix}:${queue}:`;
  }

  private async runScript(
    name: string,
    script: () => string,
    keys: number,
    args: Argument[],
  ): Promise<number> {
    const client = await this.client;
    return (await runScript(client, name, script, [keys, ...args])) as number;
  }
}

/**
 * Makes what makes backends for BullMQ's classes.
 *
 * @param window how long ids are remembered, ms
 */
export function redisTurnBackends(window: number): BackendFactory<RedisTurnBackend> {
  return (name, opts, factoryOptions) => {
    const base = createRedisBackend(
      name,
      opts as { connection: ConnectionOptions },
      factoryOptions,
    );
    // The base shares its connections with ours; only ours is listened to, and an EventEmitter without listener throws.
    base.on('error', () => undefined);
    const backend = new RedisTurnBackend(
      base.connection,
      name,
      base.keys as never,
      (type) => base.toKey(type),
      opts,
      base.blockingConnection,
    );
    const channels = channelsOf((opts as { connection: Redis }).connection);
    return Object.assign(backend, { window, channels });
  };
}

/** How often at most, in one go, ended messages are dropped. */
const FORGET_ROUNDS = 10;

/** How soon a worker whose free turns are all reserved looks again for an urgent message, ms. */
const LOOK_AGAIN = 2;

/** When it is roused again, if its clock has not come so far yet, ms. */
const ROUSE_AGAIN = [2, 5, 20];

/** As COMPLETE takes it: a new state, only the revision of one that is removed, or none. */
function fieldsOfState(state: StoredState | Pick<StoredState, 'revision'> | undefined): Argument[] {
  if (!state) return ['', '', ''];
  if (!('version' in state)) return [state.revision, '', ''];
  const { revision, version, ...carried } = state;
  return [revision, version, JSON.stringify(carried)];
}

function fieldsOf({ reason, stacktrace, progress }: Failure): Record<string, string> {
  return {
    failedReason: reason,
    stacktrace: JSON.stringify(stacktrace),
    progress: JSON.stringify(progress),
  };
}
