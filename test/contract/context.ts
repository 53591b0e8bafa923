import { randomBytes } from 'node:crypto';
import { createBullmqEngine } from '../../libs/messaging/src/drivers/bullmq/bullmq.engine.js';
import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import type {
  AttemptRecord,
  Consumer,
  Delivery,
  Engine,
  Outcome,
} from '../../libs/messaging/src/engine.js';
import { generateId, type Envelope } from '../../libs/messaging/src/envelope.js';
import {
  resolveOptions,
  type CallsheetOptions,
  type ResolvedOptions,
} from '../../libs/messaging/src/messaging.options.js';

/** What a case needs of a driver beyond the contract. */
export type Need = 'shared' | 'bullmq';

/** How a suite makes engines of one driver. */
export interface Driver {
  name: string;
  /** A store that other cases do not use. */
  url(): Promise<string>;
  /** Needs that this driver cannot meet, each with the reason. */
  lacks: Partial<Record<Need, string>>;
  /** Instead of the engine that belongs to the URL: for the negative controls. */
  engine?(options: ResolvedOptions): Engine;
}

/** One case at work: a store, an actor's name that is its own, and whatever it opened, closed again at the end. */
export class Context {
  readonly actor = `a${randomBytes(5).toString('hex')}`;
  private readonly engines: Engine[] = [];
  private readonly consumers: Consumer[] = [];

  constructor(
    private readonly driver: Driver,
    readonly url: string,
  ) {}

  /** An open engine on the case's store. */
  async engine(options: CallsheetOptions = {}): Promise<Engine> {
    const resolved = resolveOptions({ url: this.url, lockDuration: '1s', ...options });
    const engine =
      this.driver.engine?.(resolved) ??
      (this.url === 'memory:' ? new MemoryEngine(resolved) : createBullmqEngine(resolved));
    await engine.open();
    this.engines.push(engine);
    return engine;
  }

  /** Consumes the case's actor; `turn` may be left out for turns that succeed. */
  async consume(
    engine: Engine,
    turn: (delivery: Delivery) => Promise<Outcome> | Outcome = done,
    concurrency = 1,
  ): Promise<{ consumer: Consumer; deliveries: Delivery[] }> {
    const deliveries: Delivery[] = [];
    const consumer = await engine.consume(this.actor, { concurrency }, async (delivery) => {
      deliveries.push(delivery);
      return turn(delivery);
    });
    this.consumers.push(consumer);
    return { consumer, deliveries };
  }

  envelope(fields: Partial<Envelope> = {}): Envelope {
    const { actor } = this;
    return {
      id: generateId(actor),
      type: `${actor}.do`,
      version: 1,
      actor,
      data: {},
      priority: 100,
      sentAt: Date.now(),
      headers: {},
      ...fields,
    };
  }

  /** A message whose sender chose the id. */
  named(id: string, fingerprint = 'same', fields: Partial<Envelope> = {}): Envelope {
    return this.envelope({ id, fingerprint, ...fields });
  }

  async close(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.stop(0)));
    for (const engine of this.engines) await engine.close();
  }
}

export const done = (): Outcome => ({ kind: 'done' });

export const retry =
  (delay: number) =>
  (delivery: Delivery): Outcome => ({ kind: 'retry', delay, attempt: failure(delivery) });

export const dead = (delivery: Delivery): Outcome => ({
  kind: 'dead',
  reason: 'rejected',
  attempt: failure(delivery),
});

function failure({ attempt, startedAt }: Delivery): AttemptRecord {
  const error = {
    name: 'Boom',
    message: `failure ${attempt}`,
    code: 'E_BOOM',
    stack: 'Boom: at line 1',
  };
  return { attempt, startedAt, finishedAt: Date.now(), error };
}
