// What a turn costs in CPU, in this process and in Redis, whatever else the machine does: turns of plain BullMQ, without key, or
// with state of so many keys.
// Usage: npm run build && node test/bench/cpu.mjs redis://127.0.0.1:<port> plain|0|<keys> [messages]. Empties the server.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { z } from 'zod';
import {
  Actor,
  Actors,
  CallsheetModule,
  Handle,
  Message,
} from '../../dist/libs/messaging/src/index.js';

const [url, side = 'plain', count = '20000'] = process.argv.slice(2);
const N = Number(count);
const AT_ONCE = 100;
const connection = { host: new URL(url).hostname, port: Number(new URL(url).port) };

const shape = z.object({ id: z.string(), text: z.string() });
class Add extends Message('tally.add', shape, { key: 'id' }) {}
class Work extends Message('plainwork.do', shape) {}

let left = N;
let finished;
const all = new Promise((resolve) => (finished = resolve));
const handled = () => {
  if (--left === 0) finished();
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
Actor({ state: z.object({ n: z.number().default(0) }), concurrency: AT_ONCE })(Tally);
Actor({ name: 'plainwork', concurrency: AT_ONCE })(Unkeyed);

const app = (providers) => {
  class App {}
  Module({ imports: [CallsheetModule.forRoot({ url })], providers })(App);
  return NestFactory.createApplicationContext(App, { logger: false });
};
const redis = new Redis(url);
await redis.flushall();
const text = 'x'.repeat(150);
const keys = Number(side);
const batches = Array.from({ length: N / AT_ONCE }, (_, n) =>
  Array.from({ length: AT_ONCE }, (_, i) => n * AT_ONCE + i),
);

if (side === 'plain') {
  const queue = new Queue('plain', { connection });
  const opts = { priority: 100 };
  for (const batch of batches) {
    await queue.addBulk(batch.map((n) => ({ name: 'do', data: { id: `k${n}`, text }, opts })));
  }
  await queue.close();
} else {
  const sender = await app([]);
  const make = (n) =>
    keys ? new Add({ id: `k${n % keys}`, text }) : new Work({ id: `k${n}`, text });
  for (const batch of batches) await sender.get(Actors).tellMany(batch.map(make));
  await sender.close();
}

const ofRedis = async () => {
  const info = await redis.info('cpu');
  const read = (name) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)[1]);
  return (read('used_cpu_user') + read('used_cpu_sys')) * 1e6;
};
const [redisBefore, before, from] = [await ofRedis(), process.cpuUsage(), performance.now()];
if (side === 'plain') {
  const removeOnComplete = { age: 86_400, count: 10_000 };
  const process = async () => handled();
  new Worker('plain', process, { connection, concurrency: AT_ONCE, removeOnComplete });
} else {
  await app([keys ? Tally : Unkeyed]);
}
await all;
const seconds = (performance.now() - from) / 1_000;
const { user, system } = process.cpuUsage(before);
const server = (await ofRedis()) - redisBefore;
console.log(
  `${side}: ${Math.round(N / seconds)} turns/s; us of CPU per turn: worker ${((user + system) / N).toFixed(1)}, Redis ${(server / N).toFixed(1)}`,
);
process.exit(0);
