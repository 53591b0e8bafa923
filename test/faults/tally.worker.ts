// A process of its own that runs the actors until it is told to stop, or killed.
// Usage: node tally.worker.js '<WorkerOptions as JSON>'
import { ConsoleLogger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CallsheetModule, ENGINE, launch, type Engine } from '../../libs/messaging/src/index.js';
import { Ledger, monotonic } from './ledger.js';
import { Journal, TALLY_OPTIONS, TallyActor, TickActor, type TallyOptions } from './tally.actor.js';

export interface WorkerOptions extends TallyOptions {
  url: string;
  /** How long a silent worker keeps its messages, ms. */
  lock: number;
}

const options = JSON.parse(process.argv[2] ?? '') as WorkerOptions;

@Module({
  imports: [CallsheetModule.forRoot({ url: options.url, lockDuration: options.lock })],
  providers: [Journal, TallyActor, TickActor, { provide: TALLY_OPTIONS, useValue: options }],
})
class WorkerModule {}

const ledger = new Ledger(options.ledger);

/** A worker that sees that it lost a lock says so. On a busy machine that happens without a nemesis, and explains what follows. */
class WitnessLogger extends ConsoleLogger {
  override warn(message: unknown, ...rest: unknown[]): void {
    if (
      /Missing lock|Lock mismatch|could not renew lock|lock on the message is lost/.test(
        String(message),
      )
    ) {
      const until = monotonic();
      const lost = until - 2_000 * options.lock;
      ledger.write({ kind: 'fault', name: 'lock lost', until, victim: process.pid }, lost);
    }
    super.warn(message, ...rest);
  }
}

await launch(async (settings) => {
  const app = await NestFactory.createApplicationContext(WorkerModule, settings);
  app.useLogger(new WitnessLogger());
  const engine = app.get<Engine>(ENGINE);
  const look = async (): Promise<void> => {
    const all = await Promise.all([engine.counts('tally'), engine.counts('ticks')]);
    const left = all.map(({ waiting, delayed, active }) => waiting + delayed + active);
    if (left.every((count) => count === 0)) ledger.write({ kind: 'idle' });
  };
  // A machine that is too busy to run it for long is a fault too, though nobody injected it.
  const longest = 100_000;
  let before = monotonic();
  setInterval(() => {
    const until = monotonic();
    const isLate = until - before > longest;
    if (isLate) ledger.write({ kind: 'fault', name: 'late', until, victim: process.pid }, before);
    before = until;
  }, 20).unref();
  // Only this process can look into an embedded store; it fails while the store is down.
  setInterval(() => void look().catch(() => undefined), 250).unref();
  return app;
});
