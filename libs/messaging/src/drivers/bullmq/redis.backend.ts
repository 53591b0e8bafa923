import {
  createRedisBackend,
  QueueKeys,
  RedisQueueBackend,
  type BackendFactory,
  type ConnectionOptions,
  type IRedisTransaction,
  type Job,
  type RedisClient,
} from 'bullmq';
import type { DeadLetterPlace } from '../../engine.js';
import type { Envelope } from '../../envelope.js';
import { pauseAfterError } from './error.pause.js';
import { actorOf, DEAD, redriven, toJob } from './bullmq.job.js';
import { redriveAll } from './redrive.all.js';
import type { Failure, TurnBackend } from './bullmq.store.js';
import { BURY, DEAD_IDS, REDRIVE } from './redis.scripts.js';

export type Argument = string | number | boolean | Buffer | undefined;

/** Stands in for a connection and keeps the commands it is given. */
class Recorder {
  readonly commands: { name: string; args: Argument[] }[] = [];
}

/** BullMQ's Redis backend with the ends of a turn. BullMQ's `BackendFactory` is the documented way to bring it in. */
export class RedisTurnBackend extends RedisQueueBackend implements TurnBackend {
  /** The BullMQ command that would add this message to its actor's queue, with its keys and arguments. */
  async addCommand(envelope: Envelope): Promise<{ name: string; args: Argument[]; id: string }> {
    const recorder = new Recorder();
    const { id, opts, ...job } = toJob(envelope);
    await this.addJobToTransaction(
      recorder as unknown as RedisClient,
      { ...job, opts, id } as unknown as Parameters<RedisQueueBackend['addJobToTransaction']>[1],
      id,
      {},
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
    return super.execCommand(client, name, args as never);
  }

  async postpone(job: Job, token: string, delay: number, failure: Failure): Promise<void> {
    await super.moveToDelayed(job.id ?? '', Date.now(), Math.max(1, delay), token, {
      fieldsToUpdate: fieldsOf(failure),
    });
  }

  async bury(job: Job, token: string, failure: Failure): Promise<void> {
    const args = this.moveToFailedArgs(job, failure.reason, false, token, false, fieldsOf(failure));
    const code = await this.runScript('bury', BURY, 14, [...args, this.siblingPrefix(DEAD)]);
    if (code < 0) {
      throw this.finishedErrors({ code, jobId: job.id, command: 'bury', state: 'active' });
    }
  }

  async deadIds(after: DeadLetterPlace | undefined, limit: number): Promise<string[]> {
    const place = after ? [after.finishedAt, after.storageId] : ['+inf', ''];
    const args = [1, this.toKey('failed'), ...place, limit];
    return (await runScript(await this.client, 'dead-ids', DEAD_IDS, args)) as string[];
  }

  async redrive(id: string, progress: unknown): Promise<boolean> {
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
    ]);
    return code === 1;
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

  // BullMQ calls these by itself only when it could not record a handler's success. That is no failure of the handler:
  // leave the job locked, recovery hands it out again.
  override async moveToFailed(): ReturnType<RedisQueueBackend['moveToFailed']> {
    return { result: undefined, finishedOn: Date.now() } as never;
  }

  override async moveToDelayed(): ReturnType<RedisQueueBackend['moveToDelayed']> {
    return undefined as never;
  }

  override async retryJob(): Promise<void> {}

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

/** Runs one of our scripts, defining it on the connection at first use. `args` begin with the number of KEYS. */
export async function runScript(
  client: RedisClient,
  name: string,
  script: () => string,
  args: Argument[],
): Promise<unknown> {
  const command = `callsheet:${name}`;
  if (!(command in client)) client.defineCommand(command, { lua: script() } as never);
  return client.runCommand(command, args.map((arg) => arg ?? '') as never);
}

/** Makes backends for BullMQ's classes. */
export const createRedisTurnBackend: BackendFactory<RedisTurnBackend> = (
  name,
  opts,
  factoryOptions,
) => {
  const base = createRedisBackend(name, opts as { connection: ConnectionOptions }, factoryOptions);
  // The base shares its connections with ours; only ours is listened to, and an EventEmitter without listener throws.
  base.on('error', () => undefined);
  return new RedisTurnBackend(
    base.connection,
    name,
    base.keys as never,
    (type) => base.toKey(type),
    opts,
    base.blockingConnection,
  );
};

function fieldsOf({ reason, stacktrace, progress }: Failure): Record<string, string> {
  return {
    failedReason: reason,
    stacktrace: JSON.stringify(stacktrace),
    progress: JSON.stringify(progress),
  };
}
