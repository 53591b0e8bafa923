// A worker of plain BullMQ with one well-known mistake, or one that is harmed at the worst moment.
// Usage: node plain.worker.js '<PlainOptions as JSON>'
import { setTimeout as delay } from 'node:timers/promises';
import { UnrecoverableError, Worker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import type { Commit } from '../history.js';
import { Ledger, type End } from '../ledger.js';
import { LOCK } from './lock.js';

export interface PlainOptions {
  port: number;
  ledger: string;
  variant: keyof typeof VARIANTS;
}

export interface PlainData {
  id: string;
  key?: string;
  n?: number;
  due?: number;
}

const die = (): boolean => process.kill(process.pid, 'SIGKILL');

const VARIANTS = {
  /** The job is completed first, and what it is for is done on the event. */
  'writes after the ack': async () => {
    worker(async (job) => end(job, begin(job), 'returned')).on('completed', die);
  },
  /** Dead letters are made on the event that a job failed. */
  'dead letter by event': async () => {
    worker(async (job) => {
      end(job, begin(job), 'rejected');
      throw new UnrecoverableError('given up');
    }).on('failed', die);
  },
  /** Frozen in the middle of its work. */
  freezes: async () => {
    worker(async (job) => {
      const run = begin(job);
      process.kill(process.pid, 'SIGSTOP');
      await commit(job, run);
    });
  },
  /** Waits until it is told to go on. */
  waits: async () => {
    worker(async (job) => {
      const run = begin(job);
      for (let looks = 0; looks < 500 && !(await redis.exists('go')); looks++) await delay(20);
      await commit(job, run);
    });
  },
  'dies at once': async () => {
    worker(async (job) => {
      begin(job);
      die();
    });
  },
  /** Its clock is an hour ahead. */
  'fast clock': async () => {
    const { now } = Date;
    Date.now = () => now() + 3_600_000;
    worker(async (job) => commit(job, begin(job)));
  },
  /** Blocks its event loop for longer than the lock lasts, with a job at work. */
  'blocks its loop': async () => {
    let isFirst = true;
    worker(async (job) => {
      const run = begin(job);
      if (isFirst) {
        isFirst = false;
        // First it must have been seen at work by the check for stalled jobs.
        await delay(3 * LOCK);
        const until = performance.now() + 3 * LOCK;
        while (performance.now() < until);
        for (let looks = 0; looks < 500 && !(await redis.exists('go')); looks++) await delay(20);
      } else {
        await redis.set('go', '1');
      }
      await commit(job, run);
    });
  },
};

const { port, ledger: dir, variant } = JSON.parse(process.argv[2] ?? '') as PlainOptions;
const redis = new Redis(port, '127.0.0.1');
const ledger = new Ledger(dir);
let runs = 0;
await VARIANTS[variant]();

function worker(handle: (job: Job<PlainData>) => Promise<unknown>): Worker<PlainData> {
  return new Worker<PlainData>('plain', handle, {
    connection: { host: '127.0.0.1', port },
    concurrency: 2,
    lockDuration: LOCK,
    stalledInterval: LOCK / 2,
  });
}

function begin({ data }: Job<PlainData>): string {
  const run = `${process.pid}-${++runs}`;
  ledger.write({ kind: 'start', run, ...data });
  return run;
}

function end({ data }: Job<PlainData>, run: string, how: End['how']): void {
  ledger.write({ kind: 'end', id: data.id, run, how });
}

async function commit(job: Job<PlainData>, run: string): Promise<void> {
  const { id: of, key, n } = job.data;
  const effect: Commit = {
    of,
    run,
    ...(key !== undefined && { key }),
    ...(n !== undefined && { n }),
  };
  await redis.rpush('effects', JSON.stringify(effect));
  end(job, run, 'returned');
}
