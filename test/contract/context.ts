import { randomBytes } from 'node:crypto';
import { createBullmqEngine } from '../../libs/messaging/src/drivers/bullmq/bullmq.engine.js';
import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import { EncryptedEngine } from '../../libs/messaging/src/encryption/encrypted.engine.js';
import type { KeyRing } from '../../libs/messaging/src/encryption/key.ring.js';
import type {
  AttemptRecord,
  ConsumeOptions,
  Consumer,
  Delivery,
  Effects,
  Engine,
  Outcome,
} from '../../libs/messaging/src/engine.js';
import { generateId, type Envelope } from '../../libs/messaging/src/envelope.js';
import {
  resolveOptions,
  type CallsheetOptions,
  type ResolvedOptions,
} from '../../libs/messaging/src/messaging.options.js';

/** What a case needs of a driver beyond what all have: to be shared by processes, to be BullMQ's, or to speak SQL. */
export type Need = 'shared' | 'bullmq' | 'sql';

/** How a suite makes engines of one driver. */
export interface Driver {
  name: string;
  /** A store that other cases do not use. */
  url(): Promise<string>;
  /** Another one, for a case that runs beside others, where a store can be open only once. */
  own?(): string;
  /** Needs that this driver cannot meet, each with the reason. */
  lacks: Partial<Record<Need, string>>;
  /** Instead of the engine that belongs to the URL: for the negative controls. */
  engine?(options: ResolvedOptions): Engine;
  /** With payloads encrypted. */
  ring?: KeyRing;
}

/** One case at work: a store, an actor's name that is its own, and whatever it opened, closed again at the end. */
export class Context {
  readonly actor = `a${randomBytes(5).toString('hex')}`;
  private readonly engines: Engine[] = [];
  private readonly consumers: Consumer[] = [];

  constructor(
    readonly driver: Driver,
    readonly url: string,
  ) {}

  /** Another actor of the case, to which nobody listens unless told. */
  get other(): string {
    return `${this.actor}x`;
  }

  /** An open engine on the case's store. */
  async engine(options: CallsheetOptions = {}): Promise<Engine> {
    const resolved = resolveOptions({ url: this.url, lockDuration: '1s', ...options });
    const inside =
      this.driver.engine?.(resolved) ??
      (this.url === 'memory:' ? new MemoryEngine(resolved) : await createBullmqEngine(resolved));
    const { ring } = this.driver;
    const engine = ring ? new EncryptedEngine(inside, ring) : inside;
    await engine.open();
    this.engines.push(engine);
    return engine;
  }

  /** Consumes the case's actor, or another; `turn` may be left out for turns that succeed. One turn at a time by default. */
  async consume(
    engine: Engine,
    turn: (delivery: Delivery) => Promise<Outcome> | Outcome = done,
    { actor = this.actor, ...options }: Partial<ConsumeOptions> & { actor?: string } = {},
  ): Promise<Consumed> {
    const deliveries: Delivery[] = [];
    const consumer = await engine.consume(
      actor,
      { concurrency: 1, ...options },
      async (delivery) => {
        deliveries.push(delivery);
        return turn(delivery);
      },
    );
    this.consumers.push(consumer);
    return { consumer, deliveries };
  }

  /** A message, to the case's actor unless `fields` say otherwise. */
  envelope(fields: Partial<Envelope> = {}): Envelope {
    const { actor = this.actor } = fields;
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

  /** An id that a sender chose; a store remembers it, so no other case has it. */
  id(name: string): string {
    return `${this.actor} ${name}`;
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

/** What a consumer was given, in order. */
export interface Consumed {
  consumer: Consumer;
  deliveries: Delivery[];
}

export const done = (): Outcome => ({ kind: 'done' });

/** Handled, leaving messages, a reply or a state. */
export const doneWith = (
  effects: Partial<Effects>,
  refused?: (error: Error) => Outcome | Promise<Outcome>,
): Outcome => ({
  kind: 'done',
  effects: { sends: [], ...effects },
  ...(refused && { refused }),
});

export const cancelled = (): Outcome => ({ kind: 'cancelled' });

/** Stopped because it was cancelled, leaving messages. */
export const cancelledWith = (sends: readonly Envelope[]): Outcome => ({
  kind: 'cancelled',
  sends,
});

/** Handed back; given out again at once, or after `delay` milliseconds. */
export const release = (delay?: number) => (): Outcome => ({
  kind: 'release',
  ...(delay !== undefined && { delay }),
});

export const quarantine = (delivery: Delivery): Outcome => ({
  kind: 'quarantine',
  attempt: failure(delivery),
});

export const retry =
  (delay: number) =>
  (delivery: Delivery): Outcome => {
    const { startedAt, attempt } = delivery;
    const retry = { at: startedAt + delay, left: 5 - attempt };
    return { kind: 'retry', delay, attempt: { ...failure(delivery), retry } };
  };

export const dead = (delivery: Delivery): Outcome => deadWith([])(delivery);

/** Given up, leaving messages. */
export const deadWith =
  (sends: readonly Envelope[]) =>
  (delivery: Delivery): Outcome => ({
    kind: 'dead',
    reason: 'rejected',
    attempt: failure(delivery),
    ...(sends.length > 0 && { sends }),
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
