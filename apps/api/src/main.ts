import { actors, messages } from '@callsheet/contracts';
import { CallsheetModule, encryptionOf, launch, requireSharedStore } from '@callsheet/messaging';
import { Module, type DynamicModule } from '@nestjs/common';
import { ApiModule, serve } from './index.js';

/** The API as a process of its own, on a store that it shares with the workers. */
@Module({})
class MainModule {
  static on(url: string): DynamicModule {
    return {
      module: MainModule,
      imports: [
        CallsheetModule.forRoot({ url, messages, actors, encryption: encryptionOf(process.env) }),
        ApiModule,
      ],
    };
  }
}

await launch(async (options) => {
  const { app, url } = await serve(
    MainModule.on(requireSharedStore(process.env.CALLSHEET_URL, 'an api')),
    options,
  );
  process.stdout.write(`api listening on ${url}\n`);
  return app;
});
