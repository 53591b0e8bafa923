// What a message costs: Callsheet beside plain BullMQ on the same store, in pairs, in one run.
// Usage: npm run build && node test/bench/messages.mjs [redis://... | postgres://... | pglite:<folder>] [messages] [rounds]
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

const [url = 'redis://127.0.0.1:6379', count = '5000', rounds = '5'] = process.argv.slice(2);
const N = Number(count);
const WINDOW = 100;

class Work extends Message('bench.work', z.object({ n: z.number(), text: z.string() })) {}
const data = (n) => ({ n, text: 'x'.repeat(150) });

let left = 0;
let finished = () => undefined;
const handled = () => {
  if (--left === 0) finished();
};

class Bench {
  work() {
    handled();
  }
}
Handle(Work)(Bench.prototype, 'work', Object.getOwnPropertyDescriptor(Bench.prototype, 'work'));
Actor({ concurrency: 100 })(Bench);

const perSecond = (from) => Math.round((N / (performance.now() - from)) * 1_000);

/** Sends N one by one with a window of 100 in flight, then N in batches of 100, then drains both. */
async function measure(sendOne, sendMany, drain) {
  let from = performance.now();
  for (let n = 0; n < N; n += WINDOW)
    await Promise.all(Array.from({ length: WINDOW }, (_, i) => sendOne(n + i)));
  const one = perSecond(from);
  from = performance.now();
  for (let n = 0; n < N; n += WINDOW)
    await sendMany(Array.from({ length: WINDOW }, (_, i) => n + i));
  const batch = perSecond(from);
  left = 2 * N;
  const all = new Promise((resolve) => (finished = resolve));
  from = performance.now();
  const stop = await drain();
  await all;
  const turns = 2 * perSecond(from);
  await stop();
  return { one, batch, turns };
}

async function callsheet() {
  const app = (providers) => {
    class App {}
    Module({ imports: [CallsheetModule.forRoot({ url })], providers })(App);
    return NestFactory.createApplicationContext(App, { logger: false });
  };
  const sender = await app([]);
  const actors = sender.get(Actors);
  const embedded = url.startsWith('pglite:');
  const result = await measure(
    (n) => actors.tell(new Work(data(n))),
    (ns) => actors.tellMany(ns.map((n) => new Work(data(n)))),
    async () => {
      if (embedded) await sender.close();
      const worker = await app([Bench]);
      return () => worker.close();
    },
  );
  if (!embedded) await sender.close();
  return result;
}

async function plain() {
  if (!url.startsWith('redis')) return undefined;
  const { hostname, port } = new URL(url);
  const connection = { host: hostname, port: Number(port) };
  const queue = new Queue('plain', { connection });
  const opts = { priority: 100 };
  const result = await measure(
    (n) => queue.add('plain.work', data(n), opts),
    (ns) => queue.addBulk(ns.map((n) => ({ name: 'plain.work', data: data(n), opts }))),
    async () => {
      const keep = { age: 86_400, count: 10_000 };
      const worker = new Worker('plain', async () => handled(), {
        connection,
        concurrency: 100,
        removeOnComplete: keep,
      });
      return () => worker.close();
    },
  );
  await queue.obliterate({ force: true });
  await queue.close();
  return result;
}

const rows = [];
for (let round = 0; round <= Number(rounds); round++) {
  // The first round warms up; then the two take turns at going first.
  const pair = {};
  const sides = [
    ['ours', callsheet],
    ['theirs', plain],
  ];
  for (const [side, run] of round % 2 ? sides : sides.reverse()) pair[side] = await run();
  if (round > 0) rows.push(pair);
}
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
for (const figure of ['one', 'batch', 'turns']) {
  const ours = median(rows.map((row) => row.ours[figure]));
  if (!rows[0].theirs) console.log(`${figure}: ${ours}/s`);
  else {
    const ratio = median(rows.map((row) => row.ours[figure] / row.theirs[figure]));
    console.log(
      `${figure}: ${ours}/s, plain BullMQ ${median(rows.map((row) => row.theirs[figure]))}/s, ratio ${ratio.toFixed(2)}`,
    );
  }
}
process.exit(0);
