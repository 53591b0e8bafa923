import { setTimeout as delay } from 'node:timers/promises';
import {
  CallsheetModule,
  ENGINE,
  OptionError,
  encryptionOf,
  launch,
  type Engine,
} from '@callsheet/messaging';
import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AccountActor } from '../account/account.actor.js';
import { audit } from './audit.js';
import { Ledger } from './ledger.js';
import { expectedOf, runOf } from './transfers.js';

const EMBEDDED = 'pglite:./.callsheet';
/** After so many seconds in which nothing moved the accounts are looked at as they are. */
const PATIENCE = 60;

/** A worker with the one actor, which sends transfers to itself and is to be killed by hand. */
@Module({})
class LedgerModule {
  static on(url: string): DynamicModule {
    // A run that was killed can go on as long as its ids are remembered.
    const store = CallsheetModule.forRoot({
      url,
      idempotencyWindow: '30d',
      encryption: encryptionOf(process.env),
    });
    return { module: LedgerModule, imports: [store], providers: [AccountActor, Ledger] };
  }
}

let app!: INestApplicationContext;
let count = 0;
let isStopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    isStopping = true;
    say('Stopping. The same command goes on.');
  });
}
await launch(async (options) => {
  const url = process.env.CALLSHEET_URL || EMBEDDED;
  count = countFrom(process.env.LEDGER_TRANSFERS, url);
  app = await NestFactory.createApplicationContext(LedgerModule.on(url), options);
  app.useLogger(['fatal', 'error', 'warn']); // stopping is no news at the end of a report
  return app;
});
try {
  const isRight = await demonstrate();
  await app.close();
  process.exitCode = isRight ? 0 : 1;
} catch (error) {
  // Ctrl-C closes the store under a run; the launcher ends the process.
  if (!isStopping) throw error;
}

/** Sends the run that is not finished yet, waits until all of it is handled, and looks what the accounts hold. */
async function demonstrate(): Promise<boolean> {
  const ledger = app.get(Ledger);
  const { name: store, shared } = app.get<Engine>(ENGINE, { strict: false }).store;
  const series = `ledger-${count}`;
  const number = (await ledger.finished(series)) + 1;
  const name = `${series}.${number}`;
  const run = runOf(name, count);
  const expected = expectedOf(run);
  const accounts = [...expected.keys()];
  const entries = async (): Promise<number> => ledger.entries(accounts);
  const all = accounts.length + 2 * count;

  const before = await entries();
  const begins = before === 0 ? 'begins' : `goes on, ${percent(before / all)} done`;
  say(
    `Ledger, run ${number} ${begins}: ${count} transfers between ${accounts.length} accounts, on ${store}`,
    `Kill this process whenever you like, and start the same command again; in another terminal:`,
    `  kill -9 ${process.pid}`,
    ...(shared ? ['More workers: npm run start:worker. Kill them too.'] : []),
  );

  let told = Date.now();
  let moved = Date.now();
  let last = { sent: 0, done: before };
  const look = async (sent: number): Promise<void> => {
    if (Date.now() - told < 1_000) return;
    told = Date.now();
    const done = await entries();
    if (sent !== last.sent || done !== last.done) moved = told;
    last = { sent, done };
    say(`  ${sent} of ${count} transfers sent, ${percent(done / all)} handled`);
  };
  for await (const sent of ledger.send(run)) await look(sent);
  let empty = 0;
  while (empty < 2 && Date.now() - moved < PATIENCE * 1_000) {
    empty = (await ledger.waiting(accounts)) === 0 ? empty + 1 : 0;
    await look(count);
    await delay(100);
  }
  if (empty < 2) say(`nothing has moved for ${PATIENCE} s; messages still wait`);

  const { isRight, lines } = audit(expected, await ledger.books(accounts));
  say(...lines);
  if (isRight && empty === 2) {
    await ledger.finish(series, name);
    say('Right. The same command begins another run.');
    return true;
  }
  say('WRONG. The accounts stay as they are, to be looked at.');
  return false;
}

/** How many transfers make a run: enough to be killed in the middle, on a store as fast as this one. */
function countFrom(text: string | undefined, url: string): number {
  if (/^memory:/i.test(url)) {
    throw new OptionError('CALLSHEET_URL', 'must be a store that outlives its process');
  }
  const count = Number(text || (/^rediss?(\+cluster)?:/i.test(url) ? 20_000 : 2_000));
  if (!Number.isInteger(count) || count < 1 || count > 50_000) {
    throw new OptionError('LEDGER_TRANSFERS', 'must be a whole number from 1 to 50000');
  }
  return count;
}

/** Rounded down: 100 % is all of it. */
function percent(part: number): string {
  return `${Math.floor(part * 100)} %`;
}

function say(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
