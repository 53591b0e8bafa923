import type { InjectionToken, Type } from '@nestjs/common';
import type { TestingModule, TestingModuleBuilder } from '@nestjs/testing';
import { ActorHost } from '../actor.host.js';
import { Actors } from '../actors.js';
import { DeadLetters, type DeadLetter, type DeadLetterFilter } from '../dead.letters.js';
import { fingerprintOfDeath } from '../dead.letter.fingerprint.js';
import type { Duration } from '../duration.js';
import { ENGINE, type Cancellation } from '../engine.js';
import { openMessage, type MessageClass, type MessageInstance } from '../message.js';
import { OPTIONS, type ResolvedOptions } from '../messaging.options.js';
import { Router } from '../routing/router.js';
import type { Probe } from './probe.js';
import { Probes } from './probes.js';
import { TestEngine } from './test.engine.js';
import {
  buildModule,
  overrideModule,
  type TestCallsheetOptions,
  type TestTimeOptions,
} from './test.module.js';
import { loopTurn } from './virtual.clock.js';

/**
 * An application in a test: on the memory store, whatever its URL says, and on a clock that moves only when it is told to.
 * Nothing starts by itself: messages are handled in `drain`, in `advance`, and while somebody waits for the reply of an `ask`.
 *
 *     await using t = await TestCallsheet.create({ imports: [WorkerModule] });
 *     await t.actors.tell(new Deposit({ accountId: 'a', amount: 10 }));
 *     await t.drain();
 *     expect(t.state(AccountActor, 'a')).toEqual({ balance: 10 });
 */
export class TestCallsheet implements AsyncDisposable {
  /** Sends messages. */
  readonly actors: Actors;
  private readonly host: ActorHost;
  private readonly probes: Probes;

  private constructor(
    /** The application. */
    readonly module: TestingModule,
    private readonly engine: TestEngine,
  ) {
    this.actors = this.get(Actors);
    this.host = this.get(ActorHost);
    this.probes = new Probes(engine, this.host, this.get(Router));
    for (const { handlers } of this.host.actors()) {
      for (const [type, { batch }] of handlers) if (batch) engine.batched.add(type);
    }
  }

  /** Builds and starts an application. If nothing in it imports CallsheetModule, it is added. */
  static async create(options: TestCallsheetOptions): Promise<TestCallsheet> {
    return TestCallsheet.from(await buildModule(options));
  }

  /**
   * Changes a testing module of your own, before it is compiled. When it is initialised, {@link from} gives access:
   *
   *     const builder = Test.createTestingModule({ imports: [AppModule] });
   *     const module = await TestCallsheet.override(builder).compile();
   *     await module.createNestApplication().init();
   *     const t = TestCallsheet.from(module);
   */
  static override(
    builder: TestingModuleBuilder,
    options: TestTimeOptions = {},
  ): TestingModuleBuilder {
    return overrideModule(builder, options);
  }

  /** Of a module that was changed by {@link override}, and is initialised. @throws Error for another one */
  static from(module: TestingModule): TestCallsheet {
    const engine: unknown = module.get(ENGINE, { strict: false });
    if (engine instanceof TestEngine) return new TestCallsheet(module, engine);
    throw new Error(
      'this module is not on the test kit: build it with TestCallsheet.override(builder)',
    );
  }

  /** A provider of the application, from whatever module. */
  get<T>(token: InjectionToken<T>): T {
    return this.module.get<T>(token as Type<T>, { strict: false });
  }

  /** What time it is. */
  get now(): Date {
    return new Date(this.engine.clock.now());
  }

  /**
   * Runs turns until no message is ready and no turn runs. What the test has begun to send counts, awaited or not. Time stands still: a turn that waits for time to pass, because
   * its batch is not full say, is left for `advance`.
   *
   * @param most turns; more are an error. Default 100,000
   * @returns how many turns ended
   * @throws StalledError that names the busiest messages
   */
  async drain(most?: number): Promise<number> {
    await loopTurn();
    return this.engine.drain(most);
  }

  /**
   * Drains, then moves time on: whatever is due in between (delays, retries, schedules, time limits) happens in its order and
   * at its time, each with all that follows from it.
   *
   * @returns how many turns ended
   * @throws StalledError; OptionError for what is no duration
   */
  async advance(duration: Duration): Promise<number> {
    let turns = 0;
    await loopTurn();
    await this.engine.clock.advance(duration, async () => {
      turns += await this.engine.drain();
    });
    return turns;
  }

  /** Committed state of one key of an actor; undefined when no turn has left one. */
  state<S = unknown>(actor: Type, key: string): S | undefined {
    const found = this.host.actors().find(({ target }) => target === actor);
    if (!found?.state) throw new Error(`${actor.name} is no actor with state in this application`);
    const stored = this.engine.stateOf(found.name, key);
    return stored && (found.state.load(stored) as S);
  }

  /**
   * The messages of a class that were stored so far, handled or not, in order; one that was sent again with its id, or moved,
   * is there once, as it was stored last. An event is there once, if anybody got a copy.
   */
  sent<M extends MessageInstance>(message: MessageClass<M, never>): M[] {
    const envelopes = this.engine.sentOf(message.meta.type);
    return envelopes.map((envelope) => openMessage(message as MessageClass, envelope) as M);
  }

  /**
   * Stands in for the handler of a message: for an actor that is not in this application, or in place of one that is. For an
   * event, in place of all its subscribers. The same probe when called again.
   */
  probe<M extends MessageInstance>(message: MessageClass<M, never>): Probe<M> {
    return this.probes.of(message);
  }

  /** Dead letters, in the order in which they died. */
  get dead(): DeadLetter[] {
    return this.engine.dead().map((record) => {
      const { envelope, reason, history } = record;
      const death = { actor: envelope.actor, type: envelope.type, reason };
      return {
        ...record,
        fingerprint: fingerprintOfDeath({ ...death, error: history.at(-1)?.error }),
      };
    });
  }

  /** Puts dead letters back, all or those that match, the oldest first. @returns how many */
  async redrive(filter: DeadLetterFilter = {}): Promise<number> {
    return this.get(DeadLetters).redriveAll(filter);
  }

  /** As {@link Actors.cancel}. */
  async cancel(id: string): Promise<Cancellation> {
    return this.actors.cancel(id);
  }

  /** Stops the application. Turns that still wait for something are given the time, virtually. */
  async close(): Promise<void> {
    const { shutdownGrace } = this.get<ResolvedOptions>(OPTIONS as InjectionToken<ResolvedOptions>);
    const { clock } = this.engine;
    const end = clock.now() + shutdownGrace + 60_000;
    let isClosed = false;
    const closed = this.module.close().finally(() => (isClosed = true));
    while (!isClosed) {
      for (let n = 0; n < 10 && !isClosed; n++) await loopTurn();
      if (!isClosed && !(await clock.ringNext(end))) break;
    }
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
