import { getQueueToken, InjectQueue } from '@nestjs/bullmq';
import { Inject, Injectable, Module, type ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import type { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../../test/support/eventually.js';
import { tempDir } from '../../../test/support/temp.js';
import { Actor, Handle } from './actor.decorators.js';
import { Actors } from './actors.js';
import { ENGINE, type Engine } from './engine.js';
import { Message, type MessageClass } from './message.js';
import { DeclarationError, OptionError, StoreError } from './messaging.errors.js';
import { CallsheetModule } from './messaging.module.js';
import { OPTIONS, type CallsheetOptions, type ResolvedOptions } from './messaging.options.js';
import { QUEUES, type Queues } from './queues.js';

class Send extends Message('email.send', z.object({ n: z.int().default(1) })) {}
class Cancel extends Message('email.cancel', z.object({})) {}
class Book extends Message('travel.book', z.object({})) {}
class SendToo extends Message('email.send', z.object({})) {}

const classes = (...messages: unknown[]) => messages as MessageClass[];

async function boot(metadata: ModuleMetadata): Promise<TestingModule> {
  const app = await Test.createTestingModule(metadata).compile();
  app.useLogger(false);
  await app.init();
  return app;
}

@Actor()
class Mailer {
  readonly handled: number[] = [];
  @Handle(Send) send({ n }: Send): void {
    this.handled.push(n);
  }
  @Handle(Cancel) cancel(): void {}
}

describe('forRoot', () => {
  it('serves every module of the application, from tell to handler', async () => {
    @Injectable()
    class Shop {
      constructor(readonly actors: Actors) {}
    }
    @Module({ providers: [Shop, Mailer] })
    class ShopModule {}

    const app = await boot({ imports: [CallsheetModule.forRoot({ url: 'memory:' }), ShopModule] });
    await app.get(Shop, { strict: false }).actors.tell(new Send({ n: 7 }));
    await eventually(() => app.get(Mailer, { strict: false }).handled.length === 1);
    expect(app.get(Mailer, { strict: false }).handled).toEqual([7]);
    await app.close();
    await expect(app.get<Engine>(ENGINE).ping()).rejects.toThrow('closed');
  });

  it('names a bad option at once', () => {
    expect(() => CallsheetModule.forRoot({ prefix: 'x' } as CallsheetOptions)).toThrow(
      new OptionError('prefix', 'is not an option'),
    );
  });

  it('refuses two messages of one type at start', async () => {
    const imports = [CallsheetModule.forRoot({ url: 'memory:', messages: classes(Send, SendToo) })];
    await expect(boot({ imports })).rejects.toThrow(
      new DeclarationError("two message classes have the type 'email.send': Send and SendToo"),
    );
  });

  it('refuses a store it does not know at start', async () => {
    await expect(
      boot({ imports: [CallsheetModule.forRoot({ url: 'mongodb://x' })] }),
    ).rejects.toThrow(StoreError);
  });

  it('has no queues on the memory store, but their tokens', async () => {
    const app = await boot({
      imports: [CallsheetModule.forRoot({ url: 'memory:', messages: classes(Send, Cancel) })],
      providers: [Mailer],
    });
    expect(app.get<Queues>(QUEUES).all()).toEqual([]);
    expect(app.get(getQueueToken('email'), { strict: false })).toBeUndefined();
    await app.close();
  });
});

describe('forRootAsync', () => {
  const SETTINGS = Symbol('settings');
  @Module({
    providers: [{ provide: SETTINGS, useValue: { store: 'memory:' } }],
    exports: [SETTINGS],
  })
  class SettingsModule {}

  it.each(['a value', 'a promise'])(
    'takes %s from a factory with injected providers',
    async (kind) => {
      const app = await boot({
        imports: [
          CallsheetModule.forRootAsync({
            imports: [SettingsModule],
            inject: [SETTINGS],
            useFactory: (settings: { store: string }) => {
              const options = { url: settings.store, shutdownGrace: '3s' } as const;
              return kind === 'a value' ? options : Promise.resolve(options);
            },
            messages: classes(Send, Cancel),
          }),
        ],
        providers: [Mailer],
      });
      expect(app.get<ResolvedOptions>(OPTIONS, { strict: false })).toMatchObject({
        url: 'memory:',
        shutdownGrace: 3_000,
        messages: [Send, Cancel],
      });
      await app.get(Actors).tell(new Send({}));
      await eventually(() => app.get(Mailer).handled.length === 1);
      await app.close();
    },
  );

  it.each<[string, () => object, Error]>([
    [
      'a bad option',
      () => ({ lockDuration: 5 }),
      new OptionError('lockDuration', `must be at least '500ms'`),
    ],
    ['an unknown option', () => ({ stores: [] }), new OptionError('stores', 'is not an option')],
    [
      'a factory that throws',
      () => {
        throw new Error('no settings');
      },
      new Error('no settings'),
    ],
  ])('names %s at start', async (_, useFactory, error) => {
    await expect(boot({ imports: [CallsheetModule.forRootAsync({ useFactory })] })).rejects.toThrow(
      error,
    );
  });
});

describe('on a BullMQ store', () => {
  @Injectable()
  class Reporter {
    constructor(
      @InjectQueue('email') readonly email: Queue,
      @Inject(getQueueToken('travel')) readonly travel: Queue,
    ) {}
  }

  let app: TestingModule;
  beforeAll(async () => {
    app = await boot({
      imports: [
        CallsheetModule.forRoot({
          url: `pglite:${tempDir()}`,
          messages: classes(Send, Cancel, Book),
          actors: ['heartbeat'],
        }),
      ],
      providers: [Mailer, Reporter],
    });
  }, 60_000);
  afterAll(() => app.close());

  it('each actor has its queue and that of its dead letters', () => {
    const names = app
      .get<Queues>(QUEUES)
      .all()
      .map(({ name }) => name);
    expect(names).toEqual([
      'email',
      'email.dead',
      'heartbeat',
      'heartbeat.dead',
      'travel',
      'travel.dead',
    ]);
  });

  it("a user's own provider can inject them with @InjectQueue", async () => {
    const { email, travel } = app.get(Reporter);
    expect([email.name, travel.name]).toEqual(['email', 'travel']);
    expect(email).toBe(app.get<Engine>(ENGINE).queue?.('email'));
    await app.get(Actors).tell(new Book({}));
    expect(await travel.getPrioritizedCount()).toBe(1);
  });

  it('what is added to such a queue comes to the actor', async () => {
    await app.get(Reporter).email.add('email.send', { n: 42 });
    await eventually(() => app.get(Mailer).handled.includes(42));
    expect(app.get(Mailer).handled).toEqual([42]);
  });
});
