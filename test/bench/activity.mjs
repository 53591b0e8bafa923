// What it costs that a process tells what it does: the same worker with and without, in turn, on a Redis.
// Usage: npm run build && node test/bench/activity.mjs redis://127.0.0.1:<port> [messages] [pairs]
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import {
  Actor,
  Actors,
  CallsheetModule,
  Handle,
  Message,
  METRICS,
} from '../../dist/libs/messaging/src/index.js';

const [url = 'redis://127.0.0.1:6379', count = '5000', pairs = '7'] = process.argv.slice(2);
const N = Number(count);

class Work extends Message('bench.work', z.object({ n: z.number() })) {}
let left = 0;
let finished = () => undefined;
class Bench {
  work() {
    if (--left === 0) finished();
  }
}
Handle(Work)(Bench.prototype, 'work', Object.getOwnPropertyDescriptor(Bench.prototype, 'work'));
Actor({ concurrency: 100 })(Bench);
class App {}
Module({ imports: [CallsheetModule.forRoot({ url })], providers: [Bench] })(App);

const app = await NestFactory.createApplicationContext(App, { logger: false });
const metrics = app.get(METRICS);
const { onlooker } = metrics;

/** Turns a second, and CPU time of this process for each, us. */
async function measure(tells) {
  metrics.onlooker = tells ? onlooker : undefined;
  left = N;
  const all = new Promise((resolve) => (finished = resolve));
  const [from, cpu] = [performance.now(), process.cpuUsage()];
  for (let n = 0; n < N; n += 100) {
    const some = Array.from({ length: 100 }, (_, i) => new Work({ n: n + i }));
    await app.get(Actors).tellMany(some);
  }
  await all;
  const { user, system } = process.cpuUsage(cpu);
  return { rate: N / ((performance.now() - from) / 1_000), cpu: (user + system) / N };
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
await measure(true);
const found = [];
for (let n = 0; n < Number(pairs); n++) {
  // Whoever is first may have it better or worse: in turn.
  const first = await measure(n % 2 === 0);
  const second = await measure(n % 2 === 1);
  const [on, off] = n % 2 === 0 ? [first, second] : [second, first];
  found.push({ on, off, rate: on.rate / off.rate, cpu: on.cpu / off.cpu });
}
/** CPU time that it takes to count a turn and the message that it was, us. */
function counting() {
  const envelope = { actor: 'bench' };
  const cpu = process.cpuUsage();
  for (let n = 0; n < 1_000_000; n++) {
    onlooker.sent(envelope);
    onlooker.handled({ envelope }, n % 1_000);
  }
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1_000_000;
}
const counted = Array.from({ length: 5 }, counting);
await app.close();
const of = (pick) => median(found.map(pick));
console.log(`throughput with / without: ${of(({ rate }) => rate).toFixed(3)}`);
console.log(`CPU with / without: ${of(({ cpu }) => cpu).toFixed(3)}`);
console.log(
  `turns a second ${of(({ on }) => on.rate).toFixed(0)} / ${of(({ off }) => off.rate).toFixed(0)},`,
  `CPU of a turn ${of(({ on }) => on.cpu).toFixed(1)} / ${of(({ off }) => off.cpu).toFixed(1)} us`,
);
console.log(`to count a turn and its message: ${median(counted).toFixed(3)} us of CPU`);
