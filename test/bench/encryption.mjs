// What encryption costs: CPU of a payload, microseconds; then messages per second with and without keys, in pairs.
// Usage: npm run build && node test/bench/encryption.mjs [redis://... | postgres://... | memory:] [messages] [rounds]
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import { Payloads } from '../../dist/libs/messaging/src/encryption/payloads.js';
import {
  Actor,
  Actors,
  CallsheetModule,
  Handle,
  KeyRing,
  Message,
} from '../../dist/libs/messaging/src/index.js';

const [url = 'memory:', count = '5000', rounds = '7'] = process.argv.slice(2);
const N = Number(count);
const WINDOW = 100;
const ROUNDS = Number(rounds);
const keys = `k1:${Buffer.alloc(32, 1).toString('base64')}`;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function cpuOf(work, calls) {
  const times = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const from = process.cpuUsage();
    for (let call = 0; call < calls; call++) work();
    const { user, system } = process.cpuUsage(from);
    // The first round warms up.
    if (round > 0) times.push((user + system) / calls);
  }
  return median(times).toFixed(1).padStart(7);
}

const payloads = new Payloads(KeyRing.parse(keys));
for (const size of [200, 1_000, 16_000]) {
  const plain = {
    ...{ id: 'bench-1', type: 'bench.work', version: 1, actor: 'bench', priority: 100, sentAt: 0 },
    headers: {},
    data: { text: 'x'.repeat(size) },
  };
  const sealed = payloads.seal(plain, 0);
  const calls = Math.round(4e7 / (size + 1_000));
  const [there, back] = [() => payloads.seal(plain, 0), () => payloads.open(sealed)];
  console.log(
    `${size} bytes: encrypt ${cpuOf(there, calls)} us, decrypt ${cpuOf(back, calls)} us, a plain one ${cpuOf(() => payloads.open(plain), calls)} us`,
  );
}

class Work extends Message('bench.work', z.object({ n: z.number(), text: z.string() })) {}
let left = 0;
let finished = () => undefined;
class Bench {
  work() {
    if (--left === 0) finished();
  }
}
Handle(Work)(Bench.prototype, 'work', Object.getOwnPropertyDescriptor(Bench.prototype, 'work'));
Actor({ concurrency: 100 })(Bench);

/** Sends N messages of 1,000 bytes in batches, each handled as it comes; wall clock and CPU of the process. */
async function through(encryption) {
  class App {}
  Module({
    imports: [CallsheetModule.forRoot({ url, ...(encryption && { encryption: { keys } }) })],
    providers: [Bench],
  })(App);
  const app = await NestFactory.createApplicationContext(App, { logger: false });
  const actors = app.get(Actors);
  left = N;
  const all = new Promise((resolve) => (finished = resolve));
  const [from, cpu] = [performance.now(), process.cpuUsage()];
  for (let n = 0; n < N; n += WINDOW) {
    await actors.tellMany(
      Array.from({ length: WINDOW }, (_, i) => new Work({ n: n + i, text: 'x'.repeat(970) })),
    );
  }
  await all;
  const { user, system } = process.cpuUsage(cpu);
  const result = { rate: (N / (performance.now() - from)) * 1_000, cpu: (user + system) / N };
  await app.close();
  return result;
}

const pairs = [];
for (let round = 0; round <= ROUNDS; round++) {
  const pair = {};
  for (const on of round % 2 ? [true, false] : [false, true]) pair[on] = await through(on);
  if (round > 0) pairs.push(pair);
}
const of = (on, figure) => median(pairs.map((pair) => pair[on][figure]));
const ratio = median(pairs.map((pair) => pair[true].rate / pair[false].rate));
console.log(
  `${url.split(':')[0]}: ${Math.round(of(false, 'rate'))} messages/s and ${of(false, 'cpu').toFixed(0)} us of CPU without keys, ` +
    `${Math.round(of(true, 'rate'))}/s and ${of(true, 'cpu').toFixed(0)} us with; ratio ${ratio.toFixed(2)}`,
);
process.exit(0);
