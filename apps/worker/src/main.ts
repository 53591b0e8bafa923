import type { AddressInfo } from 'node:net';
import { actors, messages } from '@callsheet/contracts';
import {
  CallsheetModule,
  ENGINE,
  encryptionOf,
  launch,
  METRICS,
  requireSharedStore,
  type Engine,
  type Metrics,
} from '@callsheet/messaging';
import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { metricsAddressOf, serveMetrics, type MetricsAddress } from './metrics.server.js';
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
  const address = metricsAddressOf(process.env);
  const app = await NestFactory.createApplicationContext(module, options);
  const engine = app.get<Engine>(ENGINE, { strict: false });
  if (address) {
    await tellMetrics(app, address).catch(async (error: unknown) => {
      // What was taken meanwhile goes back, instead of counting a crash.
      await app.close();
      throw error;
    });
  }
  process.stdout.write(`worker ready on ${engine.store.name}\n`);
  return app;
});

/** Says where the metrics are: with port 0 nobody could know. */
async function tellMetrics(app: INestApplicationContext, address: MetricsAddress): Promise<void> {
  const server = await serveMetrics(app.get<Metrics>(METRICS, { strict: false }), address);
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`metrics on http://${address.host}:${port}/metrics\n`);
}
