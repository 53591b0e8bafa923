import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import type {
  ConsumeOptions,
  Consumer,
  Delivery,
  Outcome,
  TurnFunction,
} from '../../libs/messaging/src/engine.js';
import type { Envelope } from '../../libs/messaging/src/envelope.js';
import type { ResolvedOptions } from '../../libs/messaging/src/messaging.options.js';

export type EngineClass = new (options: ResolvedOptions) => MemoryEngine;

/** An engine whose turns, or what comes of them, are changed on the way. */
export abstract class Meddling extends MemoryEngine {
  protected abstract meddle(turn: TurnFunction): TurnFunction;

  override consume(actor: string, options: ConsumeOptions, turn: TurnFunction): Promise<Consumer> {
    return super.consume(actor, options, this.meddle(turn));
  }
}

/** An engine that commits something else than the turn decided. */
export function committing(change: (outcome: Outcome, delivery: Delivery) => Outcome): EngineClass {
  return class extends Meddling {
    protected meddle(turn: TurnFunction): TurnFunction {
      return async (delivery) => change(await turn(delivery), delivery);
    }
  };
}

/** An engine that stores something else than it was given. */
export function storing(change: (envelopes: readonly Envelope[]) => Envelope[]): EngineClass {
  return class extends MemoryEngine {
    override send(envelopes: readonly Envelope[]): Promise<void> {
      return super.send(change(envelopes));
    }
  };
}

/** An engine whose consumers do something in another way. */
export function consuming(change: (consumer: Consumer) => Partial<Consumer>): EngineClass {
  return class extends MemoryEngine {
    override async consume(
      actor: string,
      options: ConsumeOptions,
      turn: TurnFunction,
    ): Promise<Consumer> {
      const consumer = await super.consume(actor, options, turn);
      const same: Consumer = {
        limit: (concurrency) => consumer.limit(concurrency),
        stop: (grace) => consumer.stop(grace),
      };
      return { ...same, ...change(consumer) };
    }
  };
}

/** An engine whose consumers have other options than asked for. */
export function employing(change: (options: ConsumeOptions) => ConsumeOptions): EngineClass {
  return class extends MemoryEngine {
    override consume(
      actor: string,
      options: ConsumeOptions,
      turn: TurnFunction,
    ): Promise<Consumer> {
      return super.consume(actor, change(options), turn);
    }
  };
}

export const without = <K extends keyof Envelope>(key: K) =>
  storing((envelopes) => envelopes.map(({ [key]: _, ...rest }) => rest as unknown as Envelope));

/** An engine that is broken on purpose, and the promise of the case that must see it. */
export type Mutant = [name: string, engine: EngineClass, caughtBy: string];
