import { afterEach } from 'vitest';
import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import type {
  AttemptRecord,
  ConsumeOptions,
  Consumer,
  Delivery,
  Effects,
  Outcome,
  StoredState,
} from '../../libs/messaging/src/engine.js';
import { generateId, type Envelope } from '../../libs/messaging/src/envelope.js';
import {
  resolveOptions,
  type CallsheetOptions,
} from '../../libs/messaging/src/messaging.options.js';
import { VirtualClock } from '../../libs/messaging/src/testing/virtual.clock.js';

export const clock = new VirtualClock();
let engines: MemoryEngine[] = [];

afterEach(async () => {
  for (const engine of engines) await engine.close();
  engines = [];
  if (clock.pending > 0) throw new Error('a closed engine left timers behind');
});

/** An engine on the clock, closed after the test. */
export function open<E extends MemoryEngine = MemoryEngine>(
  options: CallsheetOptions = {},
  make: new (...args: ConstructorParameters<typeof MemoryEngine>) => E = MemoryEngine as never,
): E {
  const engine = new make(resolveOptions({ url: 'memory:', ...options }), clock);
  engines.push(engine);
  return engine;
}

export function envelope(name: string, fields: Partial<Envelope> = {}): Envelope {
  return {
    id: generateId('shop'),
    type: 'shop.do',
    version: 1,
    actor: 'shop',
    data: { name },
    priority: 100,
    sentAt: clock.now(),
    headers: {},
    ...fields,
  };
}

/** Named ones, so that they can be sent again and found. */
export const named = (id: string, fields: Partial<Envelope> = {}): Envelope =>
  envelope(id, { id, fingerprint: 'same', ...fields });

export const keyed = (key: string, name: string, fields: Partial<Envelope> = {}): Envelope =>
  named(`${key}-${name}`, { key, ...fields });

export function failure({ attempt, startedAt }: Delivery): AttemptRecord {
  return { attempt, startedAt, finishedAt: clock.now(), error: { name: 'Boom', message: 'no' } };
}

export const done = (effects?: Effects): Outcome => ({ kind: 'done', ...(effects && { effects }) });
export const retry = (delivery: Delivery, delay: number): Outcome => ({
  kind: 'retry',
  delay,
  attempt: failure(delivery),
});
export const dead = (delivery: Delivery): Outcome => ({
  kind: 'dead',
  reason: 'rejected',
  attempt: failure(delivery),
});

interface Started {
  name: string;
  delivery: Delivery;
  end(outcome?: Outcome): Promise<void>;
}

/** A consumer whose turns end when the test says so, each in its own way. */
export class Hand {
  readonly started: Started[] = [];
  consumer!: Consumer;

  static async on(
    engine: MemoryEngine,
    options: Partial<ConsumeOptions> = {},
    actor = 'shop',
  ): Promise<Hand> {
    const hand = new Hand();
    hand.consumer = await engine.consume(actor, { concurrency: 10, ...options }, (delivery) => {
      return new Promise((resolve) => {
        hand.started.push({
          name: delivery.envelope.id,
          delivery,
          end: async (outcome = done()) => {
            resolve(outcome);
            await settled();
          },
        });
      });
    });
    await settled();
    return hand;
  }

  get names(): string[] {
    return this.started.map(({ name }) => name);
  }

  get last(): Started {
    return this.started.at(-1)!;
  }

  /** Ends the turn of that message, the latest one if there were several. */
  async end(name: string, outcome?: (delivery: Delivery) => Outcome): Promise<void> {
    const turn = this.started.findLast((each) => each.name === name)!;
    await turn.end(outcome?.(turn.delivery));
  }
}

export const settled = (): Promise<void> => clock.advance(0);
export const stateOf = (revision: number, n: number): StoredState => ({
  revision,
  version: 1,
  data: { n },
});
