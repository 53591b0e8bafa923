// What it costs that messages can be searched, and how long a search takes among many.
// Usage: npm run build && node test/bench/search.mjs <url of a store> [messages of a pair] [pairs] [kept messages]
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import {
  Actor,
  Actors,
  CallsheetModule,
  ENGINE,
  Handle,
  Message,
  termOf,
} from '../../dist/libs/messaging/src/index.js';

const [url = 'pglite:.bench', count = '2000', pairs = '5', kept = '100000'] = process.argv.slice(2);
const N = Number(count);
const KEPT = Number(kept);
const AT_ONCE = 500;

class Plain extends Message('bench.plain', z.object({ n: z.number() })) {}
class Found extends Message('bench.found', z.object({ n: z.number() }), { search: ['n'] }) {}
class Keep extends Message('bench-kept.keep', z.object({ n: z.number() }), { search: ['n'] }) {}
class Half extends Message('bench-half.keep', z.object({ n: z.number() }), { search: ['n'] }) {}

let left = 0;
let finished = () => undefined;
class Bench {
  work() {
    if (--left === 0) finished();
  }
  found() {
    this.work();
  }
}
const methods = Object.getOwnPropertyDescriptors(Bench.prototype);
Handle(Plain)(Bench.prototype, 'work', methods.work);
Handle(Found)(Bench.prototype, 'found', methods.found);
Actor({ concurrency: 50 })(Bench);
class App {}
Module({ imports: [CallsheetModule.forRoot({ url })], providers: [Bench] })(App);

const app = await NestFactory.createApplicationContext(App, { logger: false });
const actors = app.get(Actors);
const engine = app.get(ENGINE);
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const at = (values, part) => values.toSorted((a, b) => a - b)[Math.floor(values.length * part)];

/** Messages of a class that are sent and handled, a second. */
async function rateOf(Class) {
  left = N;
  const all = new Promise((resolve) => (finished = resolve));
  const from = performance.now();
  for (let n = 0; n < N; n += 100) {
    await actors.tellMany(Array.from({ length: 100 }, (_, i) => new Class({ n: n + i })));
  }
  await all;
  return N / ((performance.now() - from) / 1_000);
}

await rateOf(Plain);
const ratios = [];
for (let n = 0; n < Number(pairs); n++) {
  // Whoever is first may have it better or worse: in turn.
  const classes = n % 2 === 0 ? [Plain, Found] : [Found, Plain];
  const [first, second] = [await rateOf(classes[0]), await rateOf(classes[1])];
  ratios.push(n % 2 === 0 ? second / first : first / second);
}
console.log(
  `${engine.store.name}: throughput with a field / without: median ${median(ratios).toFixed(3)} of ${ratios.length} pairs (${ratios.map((r) => r.toFixed(2)).join(' ')})`,
);

// Of the second actor every other one has the same value.
for (const make of [(n) => new Keep({ n }), (n) => new Half({ n: n % 2 === 0 ? -1 : n })]) {
  for (let n = 0; n < KEPT; n += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, i) => ({
      message: make(n + i),
      options: { delay: '1d' },
    }));
    await actors.tellMany(some);
  }
}
const took = [];
for (let n = 0; n < 300; n++) {
  const value = Math.floor(Math.random() * KEPT);
  const from = performance.now();
  const { items } = await engine.search(['bench-kept'], termOf('n', value), { limit: 20 });
  took.push(performance.now() - from);
  if (!items.some(({ envelope }) => envelope.data.n === value))
    throw new Error(`${value} is not found`);
}
console.log(
  `${engine.store.name}: a search among ${KEPT}: p50 ${at(took, 0.5).toFixed(1)} ms, p95 ${at(took, 0.95).toFixed(1)} ms, most ${Math.max(...took).toFixed(1)} ms`,
);
const pages = [];
for (let n = 0; n < 50; n++) {
  const from = performance.now();
  const { items } = await engine.search(['bench-half'], termOf('n', -1), { limit: 20 });
  pages.push(performance.now() - from);
  if (items.length !== 20) throw new Error('a page is short');
}
console.log(
  `${engine.store.name}: the first page of the ${KEPT / 2} with one value: p50 ${at(pages, 0.5).toFixed(1)} ms, p95 ${at(pages, 0.95).toFixed(1)} ms`,
);
await app.close();
