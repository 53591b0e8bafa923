import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import {
  Actors,
  CallsheetModule,
  StoreError,
  UnknownOutcomeError,
  type Telling,
} from '../../libs/messaging/src/index.js';
import type { Ledger } from './ledger.js';
import { Add, Tick } from './tally.actor.js';

/** How often a message is sent again whose fate is not known, or that was refused. */
const MOST_TRIES = 400;

export function keysOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `k${index}`);
}

/** A process of the user's that sends, and writes down what it meant and what it was told. */
export class Sender {
  private constructor(
    private readonly app: INestApplicationContext,
    private readonly ledger: Ledger,
  ) {}

  static async open(url: string, ledger: Ledger): Promise<Sender> {
    const app = await NestFactory.createApplicationContext(CallsheetModule.forRoot({ url }), {
      logger: false,
      abortOnError: false,
    });
    return new Sender(app, ledger);
  }

  /** One message for each key, all of them or none. */
  async sendRound(keys: readonly string[], n: number): Promise<void> {
    const tellings = keys.map((key): Telling & { options: { id: string } } => {
      const id = `${key}-${n}`;
      this.ledger.write({ kind: 'intent', id, key, n, batch: `round ${n}` });
      return { message: new Add({ key, n }), options: { id } };
    });
    const ids = tellings.map(({ options }) => options.id);
    await this.until(ids, (actors) => actors.tellMany(tellings));
  }

  /** One message; sent again, under its id, until it is acknowledged. */
  async send(key: string, n: number): Promise<void> {
    const id = `${key}-${n}`;
    this.ledger.write({ kind: 'intent', id, key, n });
    await this.until([id], (actors) => actors.tell(new Add({ key, n }), { id }));
  }

  /** A message that is not due before `delay` milliseconds are over. */
  async later(id: string, delay: number): Promise<void> {
    this.ledger.write({ kind: 'intent', id, n: 0 });
    const tick = new Tick({ due: Date.now() + delay });
    await this.until([id], (actors) => actors.tell(tick, { id, delay }));
  }

  async close(): Promise<void> {
    await this.app.close();
  }

  private async until(
    ids: readonly string[],
    send: (actors: Actors) => Promise<unknown>,
  ): Promise<void> {
    const actors = this.app.get(Actors);
    const write = (kind: 'acked' | 'refused' | 'unknown'): void =>
      ids.forEach((id) => this.ledger.write({ kind, id }));
    for (let tries = 1; ; tries++) {
      try {
        await send(actors);
        write('acked');
        return;
      } catch (error) {
        if (error instanceof UnknownOutcomeError) write('unknown');
        else if (error instanceof StoreError) write('refused');
        else throw error;
        if (tries === MOST_TRIES) throw error;
        await delay(50);
      }
    }
  }
}
