import {
  Inject,
  Module,
  type DynamicModule,
  type FactoryProvider,
  type ModuleMetadata,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import { getQueueToken } from '@nestjs/bull-shared';
import { DiscoveryModule } from '@nestjs/core';
import { ActorHost } from './actor.host.js';
import { Actors } from './actors.js';
import { CLOCK, systemClock, type Clock } from './clock.js';
import { DeadLetters } from './dead.letters.js';
import { DEAD } from './drivers/bullmq/bullmq.job.js';
import { ENGINE, type Engine } from './engine.js';
import { EncryptedEngine } from './encryption/encrypted.engine.js';
import { Encryption } from './encryption/encryption.js';
import { EventLoop } from './event.loop.js';
import { Happenings } from './happenings.js';
import { HandlerPipeline } from './handler.pipeline.js';
import { Keys } from './keys.js';
import { MessageRegistry } from './message.registry.js';
import {
  OPTIONS,
  resolveOptions,
  type CallsheetOptions,
  type ResolvedOptions,
} from './messaging.options.js';
import { OBSERVER, type Observer } from './observer.js';
import { Pauses } from './pauses.js';
import { QUEUES, type ActorQueue, type Queues } from './queues.js';
import { ReplyInbox } from './reply.inbox.js';
import { Signals } from './signals.js';
import { StageModule } from './stage.module.js';
import { Router } from './routing/router.js';
import { Routes } from './routing/routes.js';
import { Subscriptions } from './routing/subscriptions.js';
import { Activity } from './telemetry/activity.js';
import { METRICS, MetricsObserver } from './telemetry/metrics.js';
import { observersOf } from './telemetry/observers.js';
import { endTraces } from './telemetry/trace.exporter.js';
import { TracingObserver } from './telemetry/tracing.js';

type AsyncOptions = Omit<CallsheetOptions, 'messages'>;

/** Options of {@link CallsheetModule.forRootAsync}: all but `messages` may come from a factory. */
export interface CallsheetAsyncOptions
  extends
    Pick<ModuleMetadata, 'imports'>,
    Pick<FactoryProvider<AsyncOptions | Promise<AsyncOptions>>, 'inject' | 'useFactory'>,
    Pick<CallsheetOptions, 'messages'> {}

/** Connects an application to its store and runs the actors among its providers. Global: import it once, in the root module. */
@Module({})
export class CallsheetModule implements OnApplicationShutdown {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  /** @throws OptionError for a bad option */
  static forRoot(options: CallsheetOptions = {}): DynamicModule {
    const resolved = resolveOptions(options);
    return compose([{ provide: OPTIONS, useValue: resolved }], resolved.messages);
  }

  /** As {@link forRoot}, with options from a factory that may inject providers. */
  static forRootAsync(options: CallsheetAsyncOptions): DynamicModule {
    const { messages = [] } = options;
    const provider: Provider = {
      provide: OPTIONS,
      inject: options.inject ?? [],
      useFactory: async (...args: unknown[]) =>
        resolveOptions({ ...(await options.useFactory(...args)), messages }),
    };
    return compose([provider], messages, options.imports);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.engine.close();
    await endTraces();
  }
}

function compose(
  options: Provider[],
  messages: ResolvedOptions['messages'],
  imports: ModuleMetadata['imports'] = [],
): DynamicModule {
  const queues = [...new Set(messages.map(({ meta }) => meta.actor))].map(queueProvider);
  return {
    module: CallsheetModule,
    global: true,
    imports: [DiscoveryModule, StageModule, ...imports],
    providers: [
      ...options,
      { provide: ENGINE, inject: [OPTIONS, CLOCK], useFactory: openEngine },
      { provide: QUEUES, inject: [ENGINE, MessageRegistry], useFactory: queuesOf },
      { provide: CLOCK, useValue: systemClock },
      {
        provide: METRICS,
        inject: [MessageRegistry, ENGINE, CLOCK, EventLoop, Activity],
        useFactory: metricsOf,
      },
      { provide: OBSERVER, inject: [METRICS], useFactory: observerOf },
      ...queues,
      EventLoop,
      MessageRegistry,
      HandlerPipeline,
      Router,
      Subscriptions,
      Pauses,
      ReplyInbox,
      ActorHost,
      Actors,
      Keys,
      Signals,
      Happenings,
      Activity,
      DeadLetters,
      Routes,
      Encryption,
    ],
    exports: [
      ENGINE,
      CLOCK,
      METRICS,
      QUEUES,
      MessageRegistry,
      ActorHost,
      Actors,
      Keys,
      Signals,
      Happenings,
      Activity,
      DeadLetters,
      Pauses,
      Router,
      Routes,
      Encryption,
      ...queues.map((queue) => queue.provide),
    ],
  };
}

async function openEngine(options: ResolvedOptions, clock: Clock): Promise<Engine> {
  const engine = await createEngine(options, clock);
  await engine.open();
  return engine;
}

async function createEngine(options: ResolvedOptions, clock: Clock): Promise<Engine> {
  const { encryption } = options;
  const engine = await createDriver(options, clock);
  if (!encryption) return engine;
  return new EncryptedEngine(engine, encryption);
}

/** Loads the driver that is used, and no other. */
async function createDriver(options: ResolvedOptions, clock: Clock): Promise<Engine> {
  if (options.url === 'memory:') {
    const { MemoryEngine } = await import('./drivers/memory/memory.engine.js');
    return new MemoryEngine(options, clock);
  }
  const { createBullmqEngine } = await import('./drivers/bullmq/bullmq.engine.js');
  return createBullmqEngine(options);
}

/** An actor's queue under the token of @nestjs/bullmq, so that `@InjectQueue(name)` finds it. Undefined on the memory store. */
function queueProvider(actor: string): FactoryProvider & { provide: string } {
  return {
    provide: getQueueToken(actor),
    inject: [ENGINE],
    useFactory: (engine: Engine) => engine.queue?.(actor),
  };
}

function queuesOf(engine: Engine, registry: MessageRegistry): Queues {
  return {
    all: () =>
      registry
        .actors()
        .flatMap((actor) => [engine.queue?.(actor), engine.queue?.(actor + DEAD)])
        .filter((queue) => queue !== undefined) as ActorQueue[],
  };
}

function metricsOf(
  registry: MessageRegistry,
  engine: Engine,
  clock: Clock,
  loop: EventLoop,
  activity: Activity,
): MetricsObserver {
  const names = {
    hasType: (type: string) => registry.has(type),
    hasActor: (name: string) => registry.actors().includes(name),
  };
  const queues = {
    actors: () => registry.actors(),
    counts: (actor: string) => engine.counts(actor),
    oldest: (actor: string) => engine.oldest(actor),
  };
  return new MetricsObserver(names, queues, clock, () => loop.lag(), activity);
}

/** Traces outermost, so that whatever is counted is in a span. */
function observerOf(metrics: MetricsObserver): Observer {
  return observersOf(new TracingObserver(), metrics);
}

/** What this release is proved on: the version of BullMQ, and the number of migrations that it applies to PostgreSQL. */
export async function storeRelease(): Promise<{ bullmq: string; migrations: number }> {
  const [{ BULLMQ_VERSION }, { MIGRATIONS }] = await Promise.all([
    import('./drivers/bullmq/bullmq.package.js'),
    import('./drivers/bullmq/postgres.schema.js'),
  ]);
  return { bullmq: BULLMQ_VERSION, migrations: MIGRATIONS.length };
}
