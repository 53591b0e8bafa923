import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { eventually } from '../support/eventually.js';
import { CHECKS, type CheckName } from './checks/index.js';
import type { Commit, Remains, Tally } from './history.js';
import { PLAIN, type PlainAdd, type PlainTallyOptions } from './plain.tally.js';
import { report } from './report.js';
import { Run } from './run.js';
import { keysOf } from './sender.js';

const KEYS = keysOf(100);

/** How many of each there are, of what the checks find. */
export type Findings = Record<CheckName, number>;

/** What `storm` does, on plain BullMQ: the same messages, handler, faults and checks. */
export async function plainStorm(
  name: string,
  port: number,
  { messages, kills }: { messages: number; kills: number },
): Promise<Findings> {
  const run = new Run(name);
  const connection = { host: '127.0.0.1', port };
  const queue = new Queue<PlainAdd>(PLAIN.queue, { connection });
  const redis = new Redis(connection);
  const options: Omit<PlainTallyOptions, 'ledger'> = { port, lock: 2_000, work: [5, 20] };
  const worker = () => run.start('plain.tally.worker.js', options);
  try {
    for (let n = 0; n < messages / KEYS.length; n++) {
      const round = KEYS.map((key) => ({ id: `${key}-${n}`, key, n }));
      for (const data of round) run.ledger.write({ kind: 'intent', ...data });
      const opts = { attempts: 3, backoff: { type: 'fixed', delay: 20 } };
      await queue.addBulk(
        round.map((data) => ({ name: 'add', data, opts: { ...opts, jobId: data.id } })),
      );
      for (const { id } of round) run.ledger.write({ kind: 'acked', id });
    }
    const running = [worker(), worker()];
    for (let killed = 0; killed < kills; killed++) {
      const place = run.nemesis.between(0, running.length - 1);
      await run.reached(running[place]!, run.nemesis.between(20, 200));
      await run.down(running[place]!, 'kill -9');
      running[place] = worker();
    }
    const isOver = async () => {
      const { active, waiting, delayed } = await queue.getJobCounts('active', 'waiting', 'delayed');
      return active! + waiting! + delayed! === 0;
    };
    await eventually(isOver, { timeout: 180_000, interval: 200 });
    await run.end();
    const history = { events: run.events(), remains: await remainsOf(queue, redis) };
    const verdicts = Object.entries(CHECKS).map(([check, of]) => [check, of(history)] as const);
    const findings = Object.fromEntries(verdicts.map(([check, { length }]) => [check, length]));
    const { seed } = run.nemesis;
    report({ name, seed, seconds: run.seconds, history, verdicts, figures: findings });
    run.forget();
    return findings as Findings;
  } finally {
    await run.end();
    await queue.close();
    redis.disconnect();
  }
}

async function remainsOf(queue: Queue<PlainAdd>, redis: Redis): Promise<Remains> {
  const notes = new Queue<Commit>(PLAIN.notes, { connection: queue.opts.connection });
  try {
    const [kept, failed, left] = await Promise.all([
      notes.getJobs(['waiting']),
      queue.getFailed(),
      queue.getJobs(['waiting', 'delayed', 'active']),
    ]);
    const states = Object.entries(await redis.hgetall(PLAIN.states));
    const timers = Object.entries(await redis.hgetall(PLAIN.timers));
    return {
      commits: kept.map(({ data }) => data),
      dead: failed.map(({ data }) => data.id),
      pending: left.map(({ data }) => data.id),
      states: Object.fromEntries(states.map(([key, text]) => [key, JSON.parse(text) as Tally])),
      timers: Object.fromEntries(timers.map(([key, n]) => [key, Number(n)])),
      leftovers: [],
    };
  } finally {
    await notes.close();
  }
}
