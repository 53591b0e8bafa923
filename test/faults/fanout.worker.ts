// A process of its own that publishes and hears, until it is told to stop, or killed.
// Usage: node fanout.worker.js '<FanoutOptions as JSON>'
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CallsheetModule, launch } from '../../libs/messaging/src/index.js';
import {
  BellActor,
  FANOUT_OPTIONS,
  FarActor,
  NearActor,
  type FanoutOptions,
} from './fanout.actor.js';

const options = JSON.parse(process.argv[2] ?? '') as FanoutOptions;

@Module({
  imports: [CallsheetModule.forRoot({ url: options.url, lockDuration: options.lock })],
  providers: [BellActor, NearActor, FarActor, { provide: FANOUT_OPTIONS, useValue: options }],
})
class WorkerModule {}

await launch((settings) => NestFactory.createApplicationContext(WorkerModule, settings));
