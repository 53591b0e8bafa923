import { actors, messages } from '@callsheet/contracts';
import {
  CallsheetModule,
  Encryption,
  encryptionOf,
  launch,
  requireSharedStore,
} from '@callsheet/messaging';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WorkerModule } from '../worker.module.js';
import { isRotated, rotationText } from './rotation.text.js';

/** The worker's modules, of which no actor takes messages. */
@Module({})
class MainModule {
  static on(url: string): DynamicModule {
    const encryption = encryptionOf(process.env);
    return {
      module: MainModule,
      imports: [
        CallsheetModule.forRoot({ url, messages, actors, consume: false, encryption }),
        WorkerModule,
      ],
    };
  }
}

/** Exit code when an old key is still needed. */
const NEEDED = 2;

await launch(async (options) => {
  const module = MainModule.on(requireSharedStore(process.env.CALLSHEET_URL, 'a command'));
  const app = await NestFactory.createApplicationContext(module, options);
  const reports = await app.get(Encryption, { strict: false }).rotate();
  process.stdout.write(rotationText(reports));
  await app.close();
  process.exit(reports.every(isRotated) ? 0 : NEEDED);
});
