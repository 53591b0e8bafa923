import { describe, expect, it } from 'vitest';
import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import type {
  ConsumeOptions,
  Consumer,
  FinishedTurn,
  MessageRecord,
  Outcome,
  ScheduleSpec,
  TurnFunction,
} from '../../libs/messaging/src/engine.js';
import type { Envelope } from '../../libs/messaging/src/envelope.js';
import type { ResolvedOptions } from '../../libs/messaging/src/messaging.options.js';
import { cases } from './cases.js';
import { runCase } from './suite.js';

/*
 * The negative control of the contract suite: engines that are broken on purpose. For each, the case named beside it must
 * fail, by an assertion, and pass on the engine that is whole. Faults that a case sees only because something never comes
 * (nothing is forgotten, nothing is given out) are left out: they take the whole patience of the case.
 */

type EngineClass = new (options: ResolvedOptions) => MemoryEngine;

/** An engine whose turns, or what comes of them, are changed on the way. */
abstract class Meddling extends MemoryEngine {
  protected abstract meddle(turn: TurnFunction): TurnFunction;

  override consume(actor: string, options: ConsumeOptions, turn: TurnFunction): Promise<Consumer> {
    return super.consume(actor, options, this.meddle(turn));
  }
}

/** An engine that commits something else than the turn decided. */
function committing(change: (outcome: Outcome) => Outcome): EngineClass {
  return class extends Meddling {
    protected meddle(turn: TurnFunction): TurnFunction {
      return async (delivery) => change(await turn(delivery));
    }
  };
}

/** An engine that stores something else than it was given. */
function storing(change: (envelopes: readonly Envelope[]) => Envelope[]): EngineClass {
  return class extends MemoryEngine {
    override send(envelopes: readonly Envelope[]): Promise<void> {
      return super.send(change(envelopes));
    }
  };
}

/** An engine whose consumers stop in another way. */
function stopping(stop: (consumer: Consumer, grace: number) => Promise<void>): EngineClass {
  return class extends MemoryEngine {
    override async consume(
      actor: string,
      options: ConsumeOptions,
      turn: TurnFunction,
    ): Promise<Consumer> {
      const consumer = await super.consume(actor, options, turn);
      return { stop: (grace) => stop(consumer, grace) };
    }
  };
}

const without = <K extends keyof Envelope>(key: K) =>
  storing((envelopes) => envelopes.map(({ [key]: _, ...rest }) => rest as unknown as Envelope));

class LosesHistory extends MemoryEngine {
  override async find(id: string, actors: readonly string[]): Promise<MessageRecord | undefined> {
    const found = await super.find(id, actors);
    return found && { ...found, history: [] };
  }

  override async deadLetters(
    ...args: Parameters<MemoryEngine['deadLetters']>
  ): Promise<MessageRecord[]> {
    return (await super.deadLetters(...args)).map((record) => ({ ...record, history: [] }));
  }
}

class RedrivesAnything extends MemoryEngine {
  override async redrive(id: string, actors: readonly string[]): Promise<boolean> {
    await super.redrive(id, actors);
    return true;
  }
}

class GivesTwice extends Meddling {
  protected meddle(turn: TurnFunction): TurnFunction {
    return async (delivery) => {
      await turn(delivery);
      return turn(delivery);
    };
  }
}

class CountsNoAttempts extends Meddling {
  protected meddle(turn: TurnFunction): TurnFunction {
    return (delivery) => turn({ ...delivery, attempt: Math.min(delivery.attempt, 2) });
  }
}

class IsGreedy extends MemoryEngine {
  override consume(
    actor: string,
    { concurrency }: ConsumeOptions,
    turn: TurnFunction,
  ): Promise<Consumer> {
    return super.consume(actor, { concurrency: concurrency + 1 }, turn);
  }
}

class StoresBatchesInParts extends MemoryEngine {
  override async send(envelopes: readonly Envelope[]): Promise<void> {
    for (const envelope of envelopes) await super.send([envelope]);
  }
}

class ListsOldestFirst extends MemoryEngine {
  override async finished(actor: string): Promise<FinishedTurn[]> {
    return (await super.finished(actor, Infinity)).reverse().slice(0, 2);
  }
}

class NeverChangesSchedules extends MemoryEngine {
  private readonly seen = new Set<string>();

  override async putSchedule(schedule: ScheduleSpec): Promise<void> {
    if (this.seen.has(schedule.id)) return;
    this.seen.add(schedule.id);
    await super.putSchedule(schedule);
  }
}

class NeverCloses extends MemoryEngine {
  override async ping(): Promise<void> {}
}

class LooksEverywhere extends MemoryEngine {
  private readonly actors = new Set<string>();

  override send(envelopes: readonly Envelope[]): Promise<void> {
    for (const { actor } of envelopes) this.actors.add(actor);
    return super.send(envelopes);
  }

  override find(id: string): Promise<MessageRecord | undefined> {
    return super.find(id, [...this.actors]);
  }
}

const mutants: [name: string, engine: EngineClass, caughtBy: string][] = [
  [
    'forgets priority',
    storing((envelopes) => envelopes.map((envelope) => ({ ...envelope, priority: 100 }))),
    'higher priorities are served first, equal ones first in, first out',
  ],
  [
    'serves equal priorities last in, first out',
    storing((envelopes) => [...envelopes].reverse()),
    'a batch is stored whole, in its order',
  ],
  [
    'drops the last message of a batch',
    storing((envelopes) => envelopes.slice(0, Math.max(1, envelopes.length - 1))),
    'a batch is stored whole, in its order',
  ],
  ['stores batches in parts', StoresBatchesInParts, 'a batch with one refused message stores none'],
  ['drops headers', without('headers'), 'a message arrives as it was sent'],
  ['forgets deadlines', without('deadline'), 'a message arrives as it was sent'],
  [
    'gives messages out before they are due',
    storing((envelopes) =>
      envelopes.map(({ dueAt, ...rest }) => (dueAt ? { ...rest, dueAt: dueAt - 200 } : rest)),
    ),
    'a message is not given out before its due time, then soon',
  ],
  [
    'does not remember ids',
    without('fingerprint'),
    'of many concurrent sends of one id one is stored, and one body wins',
  ],
  ['gives each message twice', GivesTwice, 'a message that is done is not given out again'],
  ['takes more than asked', IsGreedy, 'no more turns run at the same time than asked for'],
  [
    'retries at once',
    committing((outcome) => (outcome.kind === 'retry' ? { ...outcome, delay: 0 } : outcome)),
    'a retry comes after its delay, with the attempt counted and the failure remembered',
  ],
  [
    'stops counting attempts',
    CountsNoAttempts,
    'a retry comes after its delay, with the attempt counted and the failure remembered',
  ],
  [
    'loses history',
    LosesHistory,
    'a message given up is a dead letter with its whole history, and nowhere else',
  ],
  [
    'confuses why a message was given up',
    committing((outcome) =>
      outcome.kind === 'dead' ? { ...outcome, reason: 'exhausted' } : outcome,
    ),
    'a message given up is a dead letter with its whole history, and nowhere else',
  ],
  ['says of everything that it redrove it', RedrivesAnything, 'only dead letters can be redriven'],
  [
    'uses an attempt for a hand-back',
    committing((outcome) =>
      outcome.kind === 'release'
        ? {
            kind: 'retry',
            delay: 0,
            attempt: { attempt: 1, startedAt: 0, finishedAt: 0, error: { name: '', message: '' } },
          }
        : outcome,
    ),
    'after the grace the signal aborts and the message goes back, with no attempt used',
  ],
  [
    'stops without waiting',
    stopping(async (consumer, grace) => void consumer.stop(grace)),
    'after the grace the signal aborts and the message goes back, with no attempt used',
  ],
  [
    'gives running turns no grace',
    stopping((consumer) => consumer.stop(0)),
    'a stopping consumer lets running turns end and takes no more',
  ],
  [
    'lists the oldest turns first',
    ListsOldestFirst,
    'finished turns come newest first with the times that latency is made of',
  ],
  [
    'finds messages of other actors',
    LooksEverywhere,
    'a message is found in each of its states, an unknown one is not',
  ],
  [
    'never changes a schedule',
    NeverChangesSchedules,
    'schedules are listed with their next time, and change when declared otherwise',
  ],
  [
    'answers when it is closed',
    NeverCloses,
    'an open engine answers, a closed one does not, and closing twice is harmless',
  ],
];

async function run(promise: string, Engine: EngineClass): Promise<void> {
  const found = cases.find((each) => each.promise === promise);
  if (!found) throw new Error(`no case '${promise}'`);
  const driver = {
    name: 'control',
    url: async () => 'memory:',
    lacks: {},
    engine: (options: ResolvedOptions) => new Engine(options),
  };
  await runCase(found, driver, 'memory:');
}

describe('negative control of the engine contract', () => {
  it.each(mutants)('an engine that %s is caught', async (_, engine, caughtBy) => {
    const verdict: unknown = await run(caughtBy, engine).catch((error: unknown) => error);
    expect(verdict, `'${caughtBy}' passes on a broken engine`).toBeInstanceOf(Error);
    expect((verdict as Error).name, String(verdict)).toBe('AssertionError');
  });

  it.each([...new Set(mutants.map(([, , caughtBy]) => caughtBy))])(
    'the whole engine passes: %s',
    async (promise) => {
      await expect(run(promise, MemoryEngine)).resolves.toBeUndefined();
    },
  );
});
