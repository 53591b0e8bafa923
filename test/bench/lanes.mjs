// How long messages of the lane `high` wait, without others and beside a flood of `low` ones.
// Usage: npm run build && node test/bench/lanes.mjs redis://127.0.0.1:<port> [low] [high] [work, ms] [reserved turns of 10]
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
  ENGINE,
  Handle,
  Message,
} from '../../dist/libs/messaging/src/index.js';

const [url = 'redis://127.0.0.1:6379', low = '100000', high = '1000', work = '5', reserved = '0'] =
  process.argv.slice(2);
const isWorker = process.env['BENCH_WORKER'] === '1';

class Go extends Message('lanes.go', z.object({ n: z.number(), lane: z.string() })) {}

let begun = [];
class Lanes {
  async go({ lane }, { sentAt }) {
    begun.push([lane, Date.now() - sentAt.getTime()]);
    await delay(Number(work));
  }
}
Handle(Go)(Lanes.prototype, 'go', Object.getOwnPropertyDescriptor(Lanes.prototype, 'go'));
Actor({ name: 'lanes', concurrency: 10, reserved: Number(reserved) })(Lanes);

async function app() {
  class App {}
  const imports = [CallsheetModule.forRoot({ url })];
  Module({ imports, providers: isWorker ? [Lanes] : [] })(App);
  return NestFactory.createApplicationContext(App, { logger: isWorker ? ['warn'] : false });
}

if (isWorker) {
  await app();
  process.send('there');
  setInterval(() => process.send(begun.splice(0)), 200);
  process.on('disconnect', () => process.exit(0));
} else {
  let waits = [];
  const child = fork(import.meta.filename, process.argv.slice(2), {
    env: { ...process.env, BENCH_WORKER: '1' },
  });
  child.on('message', (told) => {
    if (Array.isArray(told)) waits.push(...told);
  });
  await new Promise((there) => child.once('message', there));
  const front = await app();
  const actors = front.get(Actors);
  /** Of `high` messages that come one by one. */
  const measured = async () => {
    waits = [];
    for (let n = 0; n < Number(high); n++) {
      await actors.tell(new Go({ n, lane: 'high' }), { priority: 'high' });
      await delay(5);
    }
    await delay(1_000);
    const all = waits.filter(([lane]) => lane === 'high').map(([, wait]) => wait);
    all.sort((a, b) => a - b);
    const at = (part) => all[Math.min(all.length - 1, Math.floor(all.length * part))];
    const lows = waits.length - all.length;
    return `${all.length} high: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ${lows} low began meanwhile`;
  };
  await measured();
  console.log(`alone:  ${await measured()}`);
  for (let sent = 0; sent < Number(low); sent += 1_000) {
    const batch = Array.from({ length: 1_000 }, (_, n) => ({
      message: new Go({ n, lane: 'low' }),
      options: { priority: 'low' },
    }));
    await actors.tellMany(batch);
  }
  const { waiting } = await front.get(ENGINE).counts('lanes');
  console.log(`flood:  ${await measured()}, of ${waiting} that waited`);
  child.disconnect();
  await front.close();
  process.exit(0);
}
