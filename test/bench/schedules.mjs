// How late runs begin when many schedules are due in the same second, at the same moment, once more, and with a window, and how long a page of the
// list of schedules takes.
// Usage: npm run build && node test/bench/schedules.mjs redis://127.0.0.1:<port> [schedules] [workers] [listed] [same-moment|window-60s|messages]
// 'messages', which is only run when asked for, sends as many with a delay, without schedules.
import 'reflect-metadata';
import { fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import {
  Actor,
  Actors,
  CallsheetModule,
  Handle,
  Message,
} from '../../dist/libs/messaging/src/index.js';
import { SchedulerModule, Schedules } from '../../dist/libs/scheduler/src/index.js';
import { dueTime } from '../../dist/libs/scheduler/src/rule/index.js';

const [url = 'redis://127.0.0.1:6379', count = '2000', workers = '4', listed = '10000', only] =
  process.argv.slice(2);
const isWorker = process.env['BENCH_WORKER'] === '1';
const N = Number(count);
/** How many schedules are made at once. */
const AT_ONCE = 200;

class Ring extends Message('bells.ring', z.object({ of: z.string() })) {}

/** Runs that began since they were last told. */
let begun = [];
class Bell {
  ring(_, turn) {
    begun.push([turn.headers['schedule'], Date.now()]);
  }
}
Handle(Ring)(Bell.prototype, 'ring', Object.getOwnPropertyDescriptor(Bell.prototype, 'ring'));
Actor({ name: 'bells', concurrency: 100 })(Bell);

async function app() {
  class App {}
  const providers = isWorker ? [Bell] : [Schedules];
  const imports = [CallsheetModule.forRoot({ url }), ...(isWorker ? [SchedulerModule] : [])];
  Module({ imports, providers })(App);
  return NestFactory.createApplicationContext(App, { logger: isWorker ? ['warn'] : false });
}

if (isWorker) {
  await app();
  setInterval(() => process.send(begun.splice(0)), 200);
  process.on('disconnect', () => process.exit(0));
} else {
  const began = new Map();
  const children = Array.from({ length: Number(workers) }, () => {
    const child = fork(import.meta.filename, process.argv.slice(2), {
      env: { ...process.env, BENCH_WORKER: '1' },
    });
    child.on('message', (told) => {
      if (Array.isArray(told)) for (const [id, at] of told) began.set(id, at);
    });
    return child;
  });
  await Promise.all(children.map((child) => new Promise((there) => child.once('message', there))));
  const front = await app();
  const schedules = front.get(Schedules);
  const inTurn = async (name, size, make) => {
    const made = [];
    for (let from = 0; from < size; from += AT_ONCE) {
      const ids = Array.from({ length: Math.min(AT_ONCE, size - from) }, (_, n) => from + n);
      made.push(
        ...(await Promise.all(
          ids.map((n) => make(`${name}-${n}`, new Ring({ of: `${name}-${n}` }))),
        )),
      );
    }
    return made;
  };
  const create = (name, size, input) =>
    inTurn(name, size, (id, message) => schedules.create(id, { ...input, message }));
  const tell = (name, size, at) =>
    inTurn(name, size, async (id, message) => {
      await front.get(Actors).tell(message, { at, headers: { schedule: id } });
      return id;
    });
  const at = (sorted, part) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];

  // Warms up, and finds out how long making them takes.
  const from = performance.now();
  await create('warm', AT_ONCE, { at: new Date(Date.now() + 1_000) });
  const each = (performance.now() - from) / AT_ONCE;
  console.log(`made ${Math.round(1_000 / each)} schedules a second`);
  for (const [name, window] of [
    ['same-moment', undefined],
    // Workers that have had such a burst before have compiled what they run.
    ['same-moment-again', undefined],
    ['window-60s', '60s'],
    ['messages', undefined],
  ]) {
    if (only ? !name.startsWith(only) : name === 'messages') continue;
    const lead = Math.ceil((each * N * 1.5) / 1_000) * 1_000 + 15_000;
    const nominal = Math.ceil((Date.now() + lead) / 1_000) * 1_000;
    const moment = new Date(nominal);
    const due = new Map(
      name === 'messages'
        ? (await tell(name, N, moment)).map((id) => [id, nominal])
        : (await create(name, N, { at: moment, ...(window && { window }) })).map((made) => [
            made.id,
            dueTime(made.rule, nominal),
          ]),
    );
    if (Date.now() > nominal) throw new Error('they were made too slowly');
    while ([...due.keys()].some((id) => !began.has(id))) await delay(200);
    const drifts = [...due].map(([id, time]) => began.get(id) - time).sort((a, b) => a - b);
    const figures = ['least', 0, 'p50', 0.5, 'p90', 0.9, 'p99', 0.99, 'most', 1];
    const text = [];
    for (let n = 0; n < figures.length; n += 2) {
      text.push(`${figures[n]} ${at(drifts, figures[n + 1])} ms`);
    }
    console.log(`${N} ${name}, ${workers} workers: ${text.join(', ')}`);
  }

  await create('listed', Math.max(0, Number(listed) - 2 * N - AT_ONCE), { cron: '0 0 1 1 *' });
  const times = [];
  let after;
  for (let page = 0; page < 60; page++) {
    const start = performance.now();
    const found = await schedules.list({ limit: 100, ...(after && { after }) });
    times.push(performance.now() - start);
    after = found.length < 100 ? undefined : found.at(-1).id;
  }
  times.sort((a, b) => a - b);
  const ms = (part) => at(times, part).toFixed(1);
  console.log(`a page of 100 of ${listed}: p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms`);
  for (const child of children) child.disconnect();
  process.exit(0);
}
