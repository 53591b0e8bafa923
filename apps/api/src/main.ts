import { actors, messages } from '@callsheet/contracts';
import { CallsheetModule, launch, OptionError } from '@callsheet/messaging';
import { Module, type DynamicModule } from '@nestjs/common';
import { ApiModule, serve } from './index.js';

/** The API as a process of its own, on a store that it shares with the workers. */
@Module({})
class MainModule {
  static on(url: string): DynamicModule {
    return {
      module: MainModule,
      imports: [CallsheetModule.forRoot({ url, messages, actors }), ApiModule],
    };
  }
}

/** An embedded store belongs to one process, so nothing would ever handle what an api of its own accepts. */
function sharedStore(url = ''): string {
  if (url === '' || /^(pglite|memory):/i.test(url)) {
    throw new OptionError(
      'CALLSHEET_URL',
      'must be redis:// or postgres:// for an api of its own; `npm start` runs api and worker together on an embedded store',
    );
  }
  return url;
}

await launch(async (options) => {
  const { app, url } = await serve(MainModule.on(sharedStore(process.env.CALLSHEET_URL)), options);
  process.stdout.write(`api listening on ${url}\n`);
  return app;
});
