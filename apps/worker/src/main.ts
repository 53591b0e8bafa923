import { actors, messages } from '@callsheet/contracts';
import {
  CallsheetModule,
  ENGINE,
  encryptionOf,
  launch,
  requireSharedStore,
  type Engine,
} from '@callsheet/messaging';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WorkerModule } from './worker.module.js';

/** A worker as a process of its own, on a store that it shares with the api. */
@Module({})
class MainModule {
  static on(url: string): DynamicModule {
    return {
      module: MainModule,
      imports: [
        CallsheetModule.forRoot({ url, messages, actors, encryption: encryptionOf(process.env) }),
        WorkerModule,
      ],
    };
  }
}

await launch(async (options) => {
  const module = MainModule.on(requireSharedStore(process.env.CALLSHEET_URL, 'a worker'));
  const app = await NestFactory.createApplicationContext(module, options);
  const engine = app.get<Engine>(ENGINE, { strict: false });
  process.stdout.write(`worker ready on ${engine.store.name}\n`);
  return app;
});
