// A process of its own that lists schedules, looks at some, and changes some, until it is told to stop. It runs none.
// Usage: node clockwork.api.js '<ApiOptions, and the url of the store, as JSON>'
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { setTimeout as sleep } from 'node:timers/promises';
import { AskTimeoutError, CallsheetModule, launch } from '../../libs/messaging/src/index.js';
import { seededRandom } from '../../libs/messaging/src/testing/seeded.random.js';
import { Schedules } from '../../libs/scheduler/src/index.js';
import { STARTED } from './clockwork.actor.js';
import { idOf, inputOf, type ApiOptions } from './clockwork.schedules.js';

const options = JSON.parse(process.argv[2] ?? '') as ApiOptions & { url: string };
const { url, count, seconds, takes, seed } = options;
const random = seededRandom(seed);
const any = (): number => Math.floor(random() * count);

@Module({ imports: [CallsheetModule.forRoot({ url })], providers: [Schedules] })
class ApiModule {}

let schedules!: Schedules;
await launch(async (settings) => {
  const app = await NestFactory.createApplicationContext(ApiModule, settings);
  schedules = app.get(Schedules);
  return app;
});
let isStopping = false;
process.once('SIGTERM', () => (isStopping = true));
process.stdout.write(STARTED);

while (!isStopping) {
  const n = any();
  try {
    // The rule stays: every occurrence still has to be accounted for.
    await schedules.put(idOf(n), { ...inputOf(n, seconds, takes), tags: [`by-${process.pid}`] });
    await schedules.get(idOf(any()));
    await schedules.list({ after: idOf(any()), limit: 20 });
  } catch (error) {
    // What was under way when it was told; or nobody had time to answer, and the change was made or was not.
    if (!isStopping && !(error instanceof AskTimeoutError)) throw error;
  }
  await sleep(200);
}
