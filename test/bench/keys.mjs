// What a key costs: turns with state of 200 keys, of 10,000 keys and of one hot key, and turns without key, beside plain
// BullMQ without any, and with one job at a time, on the same server, one after the other in each round.
// Usage: npm run build && node test/bench/keys.mjs redis://127.0.0.1:<port> [messages] [rounds] [sides beside plain BullMQ, e.g. 'without key,200 keys']
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Queue, Worker } from 'bullmq';
import { z } from 'zod';
import {
  Actor,
  Actors,
  CallsheetModule,
  Handle,
  Message,
} from '../../dist/libs/messaging/src/index.js';

const [url, count = '20000', rounds = '5', only = ''] = process.argv.slice(2);
const N = Number(count);
const AT_ONCE = 100;

const shape = z.object({ id: z.string(), text: z.string() });
class Add extends Message('tally.add', shape, { key: 'id' }) {}
class Work extends Message('plainwork.do', shape) {}
const Tally_ = z.object({ n: z.number().default(0) });

let left = 0;
let begun = 0;
let finished = () => undefined;
const handled = () => {
  if (left-- === N) begun = performance.now();
  if (left === 0) finished();
};

class Tally {
  add(_, turn) {
    turn.state.n += 1;
    handled();
  }
}
class Unkeyed {
  work() {
    handled();
  }
}
const method = (type, message, name) =>
  Handle(message)(type.prototype, name, Object.getOwnPropertyDescriptor(type.prototype, name));
method(Tally, Add, 'add');
method(Unkeyed, Work, 'work');
Actor({ state: Tally_, concurrency: AT_ONCE })(Tally);
Actor({ name: 'plainwork', concurrency: AT_ONCE })(Unkeyed);

/** From the first turn to the last: what a process takes to start is not what a message takes. */
async function drained(start) {
  left = N;
  const all = new Promise((resolve) => (finished = resolve));
  const stop = await start();
  await all;
  const perSecond = Math.round((N / (performance.now() - begun)) * 1_000);
  await stop();
  return perSecond;
}

const app = (providers) => {
  class App {}
  Module({ imports: [CallsheetModule.forRoot({ url })], providers })(App);
  return NestFactory.createApplicationContext(App, { logger: false });
};
const text = 'x'.repeat(150);

const ours = (actor, make) => async () => {
  const sender = await app([]);
  for (let n = 0; n < N; n += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, (_, i) => make(n + i));
    await sender.get(Actors).tellMany(batch);
  }
  await sender.close();
  return drained(async () => {
    const worker = await app([actor]);
    return () => worker.close();
  });
};
const keyed = (keys) => ours(Tally, (n) => new Add({ id: `k${n % keys}`, text }));

const plain = (concurrency) => async () => {
  const { hostname, port } = new URL(url);
  const connection = { host: hostname, port: Number(port) };
  const queue = new Queue('plain', { connection });
  const opts = { priority: 100 };
  for (let n = 0; n < N; n += AT_ONCE) {
    const jobs = Array.from({ length: AT_ONCE }, (_, i) => n + i);
    await queue.addBulk(jobs.map((id) => ({ name: 'do', data: { id: `k${id}`, text }, opts })));
  }
  const keep = { age: 86_400, count: 10_000 };
  const rate = await drained(async () => {
    const worker = new Worker('plain', async () => handled(), {
      connection,
      concurrency,
      removeOnComplete: keep,
    });
    return () => worker.close();
  });
  await queue.obliterate({ force: true });
  await queue.close();
  return rate;
};

const sides = {
  'plain BullMQ': plain(AT_ONCE),
  'plain BullMQ, one by one': plain(1),
  'without key': ours(Unkeyed, (n) => new Work({ id: `k${n}`, text })),
  '200 keys': keyed(200),
  '10,000 keys': keyed(10_000),
  'one hot key': keyed(1),
};
const wanted = only ? ['plain BullMQ', ...only.split(',')] : Object.keys(sides);
const names = Object.keys(sides).filter((name) => wanted.includes(name));
const rows = [];
for (let round = 0; round <= Number(rounds); round++) {
  const row = {};
  // The first round warms up; then each round begins with another side.
  const order = [...names.slice(round % names.length), ...names.slice(0, round % names.length)];
  for (const name of order) row[name] = await sides[name]();
  if (round > 0) rows.push(row);
}
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
for (const name of names) {
  const rate = median(rows.map((row) => row[name]));
  const ratio = median(rows.map((row) => row[name] / row['plain BullMQ']));
  console.log(`${name}: ${rate} turns/s, ratio ${ratio.toFixed(2)}`);
}
process.exit(0);
