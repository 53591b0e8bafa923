// The tally on plain BullMQ, as one would write it there: the control of the suite. What the handler does is what
// `tally.actor.ts` does; that a key has one turn at a time, and that its effects are one step, is what BullMQ has not.
// Usage: node plain.tally.worker.js '<PlainTallyOptions as JSON>'
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, UnrecoverableError, Worker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import { NEW, tallied, type Commit, type Tally } from './history.js';
import { Ledger } from './ledger.js';
import { PLAIN, type PlainAdd, type PlainTallyOptions } from './plain.tally.js';

const options = JSON.parse(process.argv[2] ?? '') as PlainTallyOptions;
const connection = { host: '127.0.0.1', port: options.port };
const redis = new Redis(connection);
const notes = new Queue<Commit>(PLAIN.notes, { connection });
const ledger = new Ledger(options.ledger);
let runs = 0;

new Worker<PlainAdd>(PLAIN.queue, add, {
  connection,
  concurrency: 12,
  lockDuration: options.lock,
  stalledInterval: options.lock / 2,
  // As many as Callsheet allows: with BullMQ's own limit, one, more is given up.
  maxStalledCount: 6,
});

async function add({ data: { id, key, n }, attemptsMade }: Job<PlainAdd>): Promise<void> {
  const run = `${process.pid}-${++runs}`;
  ledger.write({ kind: 'start', id, run, key, n });
  const before = (await redis.hget(PLAIN.states, key)) ?? JSON.stringify(NEW);
  const [least, most] = options.work;
  await delay(least + Math.random() * (most - least));
  if (n % 10 === 3 && attemptsMade === 0) {
    ledger.write({ kind: 'end', id, run, how: 'thrown' });
    throw new Error('every tenth is tried again');
  }
  if (n % 50 === 7) {
    ledger.write({ kind: 'end', id, run, how: 'rejected' });
    throw new UnrecoverableError('every fiftieth is given up');
  }
  await redis.hset(PLAIN.states, key, JSON.stringify(tallied(JSON.parse(before) as Tally, n)));
  await redis.hset(PLAIN.timers, key, n);
  await notes.add('keep', { of: id, run, key, n });
  ledger.write({ kind: 'end', id, run, how: 'returned' });
}
