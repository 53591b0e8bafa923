// A process of its own that runs the actors of apps/worker, and a user's, until it is told to stop, or killed.
// Usage: node field/worker.js '<FieldWorkerOptions as JSON>', with the environment of the worker
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WorkerModule } from '../../../apps/worker/src/worker.module.js';
import { CallsheetModule, launch } from '../../../libs/messaging/src/index.js';
import { FieldOptions, RelayActor, RowsSync } from './actors.js';

export interface FieldWorkerOptions {
  /** The store. */
  url: string;
  field: FieldOptions;
}

const { url, field } = JSON.parse(process.argv[2] ?? '') as FieldWorkerOptions;

@Module({
  imports: [
    // All that was handled is looked at in the end.
    CallsheetModule.forRoot({ url, keepDone: { count: 1_000_000, age: '1d' } }),
    WorkerModule,
  ],
  providers: [RelayActor, RowsSync, { provide: FieldOptions, useValue: field }],
})
class FieldWorkerModule {}

await launch(async (settings) => {
  const app = await NestFactory.createApplicationContext(FieldWorkerModule, settings);
  process.stdout.write('field worker ready\n');
  return app;
});
