// A process of its own that sends a crowd of messages, the same each time, and works on them until it is told to stop, killed, or
// ends itself over the one that does that to it.
// Usage: node crowd.worker.js '<CrowdOptions as JSON>'
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
  launch,
  Message,
  type Engine,
  type Turn,
} from '../../libs/messaging/src/index.js';
import { Ledger } from './ledger.js';

/** The code with which a process ends over the one that is poison to it. */
const POISONED = 3;

export interface CrowdOptions {
  url: string;
  /** Where it is written down that a turn began, and that nothing is left. */
  ledger: string;
  /** How long a silent worker keeps its messages, ms. */
  lock: number;
  /** Ids of messages that do no harm. */
  innocents: string[];
  /** Of one that ends its process. */
  poison?: string;
  /** How long a turn takes, ms; absent: for ever. */
  work?: number;
}

const options = JSON.parse(process.argv[2] ?? '') as CrowdOptions;
const ledger = new Ledger(options.ledger);

class Join extends Message('crowd.join', z.object({})) {}

@Actor({ name: 'crowd', concurrency: 50 })
class CrowdActor {
  @Handle(Join)
  async join(_: Join, { id }: Turn): Promise<void> {
    ledger.write({ kind: 'start', id, run: `${process.pid}-${id}` });
    await (options.work === undefined ? new Promise(() => undefined) : delay(options.work));
    if (id === options.poison) process.exit(POISONED);
  }
}

@Module({
  imports: [CallsheetModule.forRoot({ url: options.url, lockDuration: options.lock })],
  providers: [CrowdActor],
})
class WorkerModule {}

await launch(async (settings) => {
  const app = await NestFactory.createApplicationContext(WorkerModule, settings);
  const ids = [...options.innocents, ...(options.poison === undefined ? [] : [options.poison])];
  await app.get(Actors).tellMany(ids.map((id) => ({ message: new Join({}), options: { id } })));
  const engine = app.get<Engine>(ENGINE);
  const look = async (): Promise<void> => {
    const { waiting, delayed, active } = await engine.counts('crowd');
    if (waiting + delayed + active === 0) ledger.write({ kind: 'idle' });
  };
  // Only this process can look into an embedded store.
  setInterval(() => void look().catch(() => undefined), 250).unref();
  return app;
});
