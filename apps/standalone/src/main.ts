import { actors, messages } from '@callsheet/contracts';
import { CallsheetModule, ENGINE, encryptionOf, launch, type Engine } from '@callsheet/messaging';
import { Module, type DynamicModule } from '@nestjs/common';
import { ApiModule, serve } from '../../api/src/index.js';
import { WorkerModule } from '../../worker/src/worker.module.js';
import { welcome } from './welcome.js';

const EMBEDDED = 'pglite:./.callsheet';

/** Api and worker in one process, which an embedded store needs and a first try is served best by. */
@Module({})
class MainModule {
  static on(url: string): DynamicModule {
    return {
      module: MainModule,
      imports: [
        CallsheetModule.forRoot({ url, messages, actors, encryption: encryptionOf(process.env) }),
        ApiModule,
        WorkerModule,
      ],
    };
  }
}

await launch(async (options) => {
  const store = process.env.CALLSHEET_URL || EMBEDDED;
  const { app, url } = await serve(MainModule.on(store), options);
  const { name } = app.get<Engine>(ENGINE, { strict: false }).store;
  const types = messages.map(({ meta }) => meta.type);
  process.stdout.write(welcome({ url, store: name, types, seconds: process.uptime() }));
  return app;
});
