// A process of its own that keeps schedules, and runs what is due, until it is told to stop, or killed.
// Usage: node clockwork.worker.js '<ClockworkOptions as JSON>'
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CallsheetModule, launch } from '../../libs/messaging/src/index.js';
import { SchedulerModule } from '../../libs/scheduler/src/index.js';
import {
  ChimeActor,
  CLOCKWORK_OPTIONS,
  STARTED,
  type ClockworkOptions,
} from './clockwork.actor.js';

const options = JSON.parse(process.argv[2] ?? '') as ClockworkOptions;

@Module({
  imports: [
    CallsheetModule.forRoot({ url: options.url, lockDuration: options.lock }),
    SchedulerModule,
  ],
  providers: [ChimeActor, { provide: CLOCKWORK_OPTIONS, useValue: options }],
})
class WorkerModule {}

await launch((settings) => NestFactory.createApplicationContext(WorkerModule, settings));
process.stdout.write(STARTED);
