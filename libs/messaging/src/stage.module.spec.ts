import {
  Global,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../../test/support/eventually.js';
import { Actor, Handle } from './actor.decorators.js';
import { Actors } from './actors.js';
import { ENGINE, type Engine } from './engine.js';
import { Message } from './message.js';
import { CallsheetModule } from './messaging.module.js';
import { StageModule } from './stage.module.js';

class Order extends Message('orders.place', z.object({ step: z.enum(['first', 'follow-up']) })) {}

/** What happened, in order. */
const LEDGER = Symbol('ledger');
type Ledger = string[];

/** Slow to connect and to warm up; sends messages before it is ready, so that they wait when the actors start. */
@Injectable()
class Database implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  open = false;
  close = (): void => undefined;
  readonly closed = new Promise<void>((resolve) => (this.close = resolve));

  constructor(
    @Inject(LEDGER) private readonly ledger: Ledger,
    private readonly actors: Actors,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.actors.tell(new Order({ step: 'first' }));
    await delay(25);
    this.ledger.push('database connected');
  }

  async onApplicationBootstrap(): Promise<void> {
    await delay(25);
    this.open = true;
    this.ledger.push('database ready');
  }

  onModuleDestroy(): void {
    this.open = false;
    this.ledger.push('database closed');
    this.close();
  }
}

@Actor({ concurrency: 1 })
class Orders {
  constructor(
    @Inject(LEDGER) private readonly ledger: Ledger,
    private readonly database: Database,
    private readonly actors: Actors,
  ) {}

  @Handle(Order)
  async place(): Promise<void> {
    this.note('starts');
    // Long enough to be running when the application closes; a database that does not wait for it closes meanwhile.
    await Promise.race([this.database.closed, delay(150)]);
    await this.actors.tell(new Order({ step: 'follow-up' }));
    this.note('ends');
  }

  private note(what: string): void {
    this.ledger.push(`turn ${what}${this.database.open ? '' : ' without database'}`);
  }
}

const RIGHT_ORDER = [
  'database connected',
  'database ready',
  'turn starts',
  'turn ends',
  'database closed',
];

const callsheet = () => CallsheetModule.forRoot({ url: 'memory:' });
const shared = (ledger: Ledger) => ({ provide: LEDGER, useValue: ledger });

/** Where the database and the actor may live. */
const LAYOUTS: Record<string, (ledger: Ledger) => ModuleMetadata> = {
  'all in the root module': (ledger) => ({
    imports: [callsheet()],
    providers: [shared(ledger), Database, Orders],
  }),
  'callsheet imported last': (ledger) => {
    @Module({ providers: [shared(ledger), Database, Orders] })
    class AppModule {}
    return { imports: [AppModule, callsheet()] };
  },
  'in feature modules': (ledger) => {
    @Module({ providers: [shared(ledger), Database], exports: [Database, LEDGER] })
    class DatabaseModule {}
    @Module({ imports: [DatabaseModule], providers: [Orders] })
    class OrdersModule {}
    return { imports: [callsheet(), OrdersModule] };
  },
  'deep below each other': (ledger) => {
    @Module({ providers: [shared(ledger), Database], exports: [Database, LEDGER] })
    class Deepest {}
    @Module({ imports: [Deepest], exports: [Deepest] })
    class Deeper {}
    @Module({ imports: [Deeper], exports: [Deeper] })
    class Deep {}
    @Module({ imports: [Deep], providers: [Orders] })
    class Feature {}
    return { imports: [Feature, callsheet()] };
  },
  'in a global module': (ledger) => {
    @Global()
    @Module({ providers: [shared(ledger), Database], exports: [Database, LEDGER] })
    class DatabaseModule {}
    return { imports: [DatabaseModule, callsheet()], providers: [Orders] };
  },
};

interface App {
  get<T>(token: symbol): T;
  close(): Promise<void>;
}

/** Closes the application while a turn runs; resolves to the store as it is left. */
async function closeInTheMiddle(app: App, ledger: Ledger): Promise<Engine> {
  await eventually(() => ledger.some((entry) => entry.startsWith('turn starts')), { interval: 5 });
  const engine = app.get<Engine>(ENGINE);
  await app.close();
  await eventually(() => ledger.some((entry) => entry.startsWith('turn ends')));
  return engine;
}

describe('actors', () => {
  it.each(Object.entries(LAYOUTS))(
    'run only between the first and the last moment of the application: %s',
    async (_, layout) => {
      const ledger: Ledger = [];
      const app = await Test.createTestingModule(layout(ledger)).compile();
      app.useLogger(false);
      await app.init();
      const engine = await closeInTheMiddle(app, ledger);
      expect(ledger).toEqual(RIGHT_ORDER);
      // What the last turn sent is stored, and nobody took it.
      expect(await engine.counts('orders')).toMatchObject({ done: 1, waiting: 1, active: 0 });
    },
  );

  it('do so in an application that NestFactory makes', async () => {
    const ledger: Ledger = [];
    @Module(LAYOUTS['in feature modules']?.(ledger) ?? {})
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    await closeInTheMiddle(app, ledger);
    expect(ledger).toEqual(RIGHT_ORDER);
  });

  it('control: where Nest itself would put the stage, they run without database', async () => {
    const ledger: Ledger = [];
    const app = await Test.createTestingModule(
      LAYOUTS['all in the root module']?.(ledger) ?? {},
    ).compile();
    app.useLogger(false);
    const modules = [...app.get(ModulesContainer).values()];
    const stage = modules.find(({ metatype }) => metatype === StageModule);
    expect(stage?.distance).toBe(-1);
    // Nest counts from the root: it imports callsheet, which imports the stage.
    if (stage) stage.distance = 3;
    await app.init();
    await closeInTheMiddle(app, ledger);
    expect(ledger).toContain('turn starts without database');
    expect(ledger).toContain('turn ends without database');
  });
});

describe('a turn that does not end', () => {
  it('is left behind after the grace, and its message handed back', async () => {
    let aborted = false;
    class Hang extends Message('slow.hang', z.object({})) {}
    @Actor()
    class Slow {
      @Handle(Hang)
      async hang(_: Hang, turn: { signal: AbortSignal }): Promise<void> {
        turn.signal.addEventListener('abort', () => (aborted = true));
        await new Promise(() => undefined);
      }
    }
    const app = await Test.createTestingModule({
      imports: [CallsheetModule.forRoot({ url: 'memory:', shutdownGrace: '100ms' })],
      providers: [Slow],
    }).compile();
    app.useLogger(false);
    await app.init();
    const engine = app.get<Engine>(ENGINE);
    await app.get(Actors).tell(new Hang({}));
    await eventually(async () => (await engine.counts('slow')).active === 1);
    const start = performance.now();
    await app.close();
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(aborted).toBe(true);
    expect(await engine.counts('slow')).toMatchObject({ waiting: 1, active: 0 });
  });
});
