import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { Child } from '../../support/child.js';
import type { RedisServer } from '../../support/redis.server.js';
import type { CheckName } from '../checks/index.js';
import { EMPTY, type Commit, type Remains } from '../history.js';
import { Run } from '../run.js';
import type { PlainData, PlainOptions } from './plain.worker.js';

/** A way in which plain BullMQ was measured to lose, double or delay work, and the check that must see it. */
export interface Mutant {
  title: string;
  by: CheckName;
  /** Makes it happen, and answers what is left. */
  play: (stage: Stage) => Promise<Remains>;
}

/** Where a mutant plays: an empty Redis, a ledger, a queue of plain BullMQ. */
export class Stage {
  readonly run: Run;
  readonly redis: Redis;
  readonly queue: Queue<PlainData>;
  readonly connection: { host: string; port: number };

  constructor(
    name: string,
    readonly server: RedisServer,
  ) {
    this.run = new Run(`mutant ${name}`);
    this.connection = { host: '127.0.0.1', port: server.port };
    this.redis = new Redis(server.port, '127.0.0.1');
    this.queue = new Queue<PlainData>('plain', { connection: this.connection });
  }

  /** Adds a job, and writes down that it was accepted. */
  async add(data: PlainData, options: { delay?: number } = {}): Promise<void> {
    this.run.ledger.write({ kind: 'intent', n: 0, ...data });
    await this.queue.add('work', data, { ...options, removeOnComplete: true });
    this.run.ledger.write({ kind: 'acked', id: data.id });
  }

  worker(variant: PlainOptions['variant']): Child {
    const { port } = this.server;
    return this.run.start('mutants/plain.worker.js', { port, variant });
  }

  async effects(): Promise<Commit[]> {
    const lines = await this.redis.lrange('effects', 0, -1);
    return lines.map((line) => JSON.parse(line) as Commit);
  }

  /** What is left: effects, and jobs that were not handled or have failed. */
  async remains(more: Partial<Remains> = {}): Promise<Remains> {
    const undone = await this.queue.getJobs(['wait', 'active', 'delayed', 'prioritized']);
    const failed = await this.queue.getJobs(['failed']);
    return {
      ...structuredClone(EMPTY),
      commits: await this.effects(),
      pending: undone.map(({ data }) => data.id),
      dead: failed.map(({ data }) => data.id),
      ...more,
    };
  }

  async close(): Promise<void> {
    await this.run.end();
    await this.queue.close();
    this.redis.disconnect();
  }
}
