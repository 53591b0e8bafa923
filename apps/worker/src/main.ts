import { CallsheetModule, ENGINE, launch, OptionError, type Engine } from '@callsheet/messaging';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WorkerModule } from './worker.module.js';

/** A worker as a process of its own, on a store that it shares with the api. */
@Module({})
class MainModule {
  static on(url: string): DynamicModule {
    return { module: MainModule, imports: [CallsheetModule.forRoot({ url }), WorkerModule] };
  }
}

/** An embedded store belongs to one process, so a worker beside it would wait for ever on a store of its own. */
function sharedStore(url = ''): string {
  if (url === '' || /^(pglite|memory):/i.test(url)) {
    throw new OptionError(
      'CALLSHEET_URL',
      'must be redis:// or postgres:// for a worker of its own; `npm start` runs api and worker together on an embedded store',
    );
  }
  return url;
}

await launch(async (options) => {
  const module = MainModule.on(sharedStore(process.env.CALLSHEET_URL));
  const app = await NestFactory.createApplicationContext(module, options);
  const engine = app.get<Engine>(ENGINE, { strict: false });
  process.stdout.write(`worker ready on ${engine.store.name}\n`);
  return app;
});
