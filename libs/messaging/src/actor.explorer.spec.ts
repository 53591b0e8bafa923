import 'reflect-metadata';
import { Inject, Injectable, Scope, type Provider } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Actor, declareHandler, Handle } from './actor.decorators.js';
import { ActorHost } from './actor.host.js';
import { Message, type MessageClass } from './message.js';
import { MessageRegistry } from './message.registry.js';
import { DeclarationError, OptionError } from './messaging.errors.js';
import { CallsheetModule } from './messaging.module.js';
import type { Turn } from './turn.js';

class Send extends Message('email.send', z.object({})) {}
class Cancel extends Message('email.cancel', z.object({})) {}
class Book extends Message('travel.book', z.object({})) {}

const classes = (...messages: unknown[]) => messages as MessageClass[];

/** Starts an application with these providers, and closes it; resolves to what it found. */
async function start(
  providers: Provider[],
  messages: readonly MessageClass[] = [],
): Promise<{ host: ActorHost; registry: MessageRegistry }> {
  const module = await Test.createTestingModule({
    imports: [CallsheetModule.forRoot({ url: 'memory:', messages })],
    providers,
  }).compile();
  module.useLogger(false);
  await module.init();
  const found = { host: module.get(ActorHost), registry: module.get(MessageRegistry) };
  await module.close();
  return found;
}

describe('actors at start', () => {
  it('are found among the providers, with what they declare', async () => {
    @Injectable()
    class NotAnActor {}

    @Actor({ concurrency: 3, retry: { attempts: 2, delay: '1m' } })
    class Mailer {
      @Handle(Send) send(_message: Send): void {}
      @Handle(Cancel) async cancel(_message: Cancel, _turn: Turn): Promise<void> {}
    }

    @Actor()
    class Agent {
      @Handle(Book) book(): void {}
    }

    const { host, registry } = await start([NotAnActor, Mailer, Agent]);
    expect(
      host.actors().map(({ handlers, ...actor }) => ({ ...actor, types: [...handlers.keys()] })),
    ).toEqual([
      {
        name: 'email',
        target: Mailer,
        concurrency: 3,
        retry: { attempts: 2, delay: 60_000 },
        types: ['email.send', 'email.cancel'],
      },
      { name: 'travel', target: Agent, concurrency: 10, retry: {}, types: ['travel.book'] },
    ]);
    // What is handled need not be listed to be known.
    expect(registry.all()).toEqual([Send, Cancel, Book]);
    expect(registry.actors()).toEqual(['email', 'travel']);
  });

  it('are found under another token, and once when provided twice', async () => {
    @Actor()
    class Mailer {
      @Handle(Send) send(): void {}
    }
    const { host } = await start([Mailer, { provide: 'mailer', useClass: Mailer }]);
    expect(host.actors().map(({ name }) => name)).toEqual(['email']);
  });

  it.each<[string, (mailer: new () => object) => Provider]>([
    ['a factory', (mailer) => ({ provide: mailer, useFactory: () => new mailer() })],
    [
      'a factory that waits',
      (mailer) => ({ provide: 'mailer', useFactory: async () => new mailer() }),
    ],
    ['a value', (mailer) => ({ provide: mailer, useValue: new mailer() })],
  ])('are found when they come from %s', async (_, provide) => {
    @Actor()
    class Mailer {
      @Handle(Send) send(): void {}
    }
    const { host } = await start([
      provide(Mailer),
      { provide: 'nothing', useFactory: () => undefined },
      { provide: 'null', useValue: null },
      { provide: 'bare', useValue: Object.create(null) },
    ]);
    expect(host.actors().map(({ target }) => target)).toEqual([Mailer]);
  });

  it('handle what a class they extend handles', async () => {
    class Base {
      @Handle(Send) send(): void {}
    }
    @Actor()
    class Mailer extends Base {
      @Handle(Cancel) cancel(): void {}
    }
    const { host } = await start([Mailer]);
    expect([...(host.actors()[0]?.handlers.keys() ?? [])]).toEqual(['email.send', 'email.cancel']);
  });

  it('handle a registered message of an actor that runs elsewhere not here', async () => {
    @Actor()
    class Mailer {
      @Handle(Send) send(): void {}
    }
    const { host } = await start([Mailer], classes(Send, Book));
    expect(host.actors().map(({ name }) => name)).toEqual(['email']);
    expect((await start([], classes(Book))).host.actors()).toEqual([]);
  });

  it('call the method on their own instance', async () => {
    @Actor()
    class Mailer {
      readonly seen: unknown[] = [];
      @Handle(Send) send(message: Send, turn: Turn): void {
        this.seen.push(message, turn);
      }
    }
    const module = await Test.createTestingModule({
      imports: [CallsheetModule.forRoot({ url: 'memory:' })],
      providers: [Mailer],
    }).compile();
    await module.init();
    const handler = module.get(ActorHost).actors()[0]?.handlers.get('email.send');
    const [message, turn] = [new Send({}), {} as Turn];
    handler?.run(message, turn);
    expect(module.get(Mailer).seen).toEqual([message, turn]);
    await module.close();
  });
});

describe('what is declared wrongly stops the start', () => {
  it('two handlers for one message', async () => {
    @Actor()
    class Mailer {
      @Handle(Send) one(): void {}
      @Handle(Send) two(): void {}
    }
    await expect(start([Mailer])).rejects.toThrow(
      new DeclarationError("Mailer has two handlers for 'email.send'"),
    );
  });

  it('a handler and a schedule of the same name', async () => {
    @Actor()
    class Mailer {
      @Handle(Send) deliver(): void {}
      send(): void {}
    }
    declareHandler(Mailer.prototype, { handles: { verb: 'send' }, method: 'send' });
    await expect(start([Mailer])).rejects.toThrow(
      new DeclarationError("Mailer has two handlers for 'email.send'"),
    );
  });

  it('two classes for one actor', async () => {
    @Actor()
    class Mailer {
      @Handle(Send) send(): void {}
    }
    @Actor()
    class Canceller {
      @Handle(Cancel) cancel(): void {}
    }
    await expect(start([Mailer, Canceller])).rejects.toThrow(
      new DeclarationError("two classes are the actor 'email': Mailer and Canceller"),
    );
  });

  it('two handled classes of one type', async () => {
    class Other extends Message('email.send', z.object({ other: z.string() })) {}
    @Actor()
    class Mailer {
      @Handle(Send) send(): void {}
    }
    await expect(start([Mailer], classes(Other))).rejects.toThrow(
      new DeclarationError("two message classes have the type 'email.send': Other and Send"),
    );
  });

  it('an actor without handlers', async () => {
    @Actor({ name: 'idle' })
    class Idle {}
    await expect(start([Idle])).rejects.toThrow(
      new DeclarationError('Idle is an actor without handlers'),
    );
  });

  it('handlers in a class that is no actor', async () => {
    @Injectable()
    class Forgotten {
      @Handle(Send) send(): void {}
    }
    await expect(start([Forgotten])).rejects.toThrow(
      new DeclarationError('Forgotten has handlers but is not an actor: add @Actor()'),
    );
  });

  it('a schedule that nobody stored', async () => {
    @Actor({ name: 'clock' })
    class Clock {
      tick(): void {}
    }
    declareHandler(Clock.prototype, { handles: { verb: 'tick' }, method: 'tick' });
    await expect(start([Clock])).rejects.toThrow(
      new DeclarationError("the schedule 'clock.tick' is not stored: import SchedulerModule"),
    );
  });

  it('a registered message that its actor does not handle', async () => {
    @Actor()
    class Mailer {
      @Handle(Send) send(): void {}
    }
    await expect(start([Mailer], classes(Send, Cancel))).rejects.toThrow(
      new DeclarationError("actor 'email' runs here but has no handler for 'email.cancel'"),
    );
  });

  it('messages of two actors in one class', async () => {
    @Actor()
    class Both {
      @Handle(Send) send(): void {}
      @Handle(Book) book(): void {}
    }
    await expect(start([Both])).rejects.toThrow(
      new DeclarationError(
        "Both would be two actors, 'email' and 'travel': an actor handles messages of one name",
      ),
    );
  });

  it('a name other than that of its messages', async () => {
    @Actor({ name: 'post' })
    class Mailer {
      @Handle(Send) send(): void {}
    }
    await expect(start([Mailer])).rejects.toThrow(
      new DeclarationError(
        "Mailer would be two actors, 'email' and 'post': an actor handles messages of one name",
      ),
    );
  });

  it('nothing but schedules and no name', async () => {
    @Actor()
    class Clock {
      tick(): void {}
    }
    declareHandler(Clock.prototype, { handles: { verb: 'tick' }, method: 'tick' });
    await expect(start([Clock])).rejects.toThrow(
      new DeclarationError(
        "Clock handles only schedules: name it, @Actor({ name: '...' }), or add the @Handle that is missing",
      ),
    );
  });

  it.each(['', 'Clock', 'a b', 'a.b', '1a', 'a'.repeat(64), 'meta:x'])(
    'the name %j',
    async (name) => {
      @Actor({ name })
      class Clock {
        tick(): void {}
      }
      declareHandler(Clock.prototype, { handles: { verb: 'tick' }, method: 'tick' });
      await expect(start([Clock])).rejects.toThrow(
        new OptionError('@Actor Clock name', `must match /^[a-z][a-z0-9-]{0,62}$/, got '${name}'`),
      );
    },
  );

  it('an unknown option, where it is declared', () => {
    expect(() => Actor({ retries: 3 } as never)).toThrow(
      new OptionError('@Actor retries', 'is not an option'),
    );
  });

  it.each([0, -1, 1.5, 10_001, NaN, Infinity, '4'])('a concurrency of %o', async (concurrency) => {
    @Actor({ concurrency: concurrency as number })
    class Mailer {
      @Handle(Send) send(): void {}
    }
    await expect(start([Mailer])).rejects.toThrow(
      new OptionError('@Actor Mailer concurrency', 'must be a whole number from 1 to 10000'),
    );
  });

  it.each<[object, string, string]>([
    [{ attempts: 0 }, 'retry.attempts', 'must be a whole number from 1 to 100, got 0'],
    [{ jitter: 2 }, 'retry.jitter', 'must be a number from 0 to 1, got 2'],
    [{ delay: '1 s' }, 'retry.delay', `must be milliseconds or a string such as '10s', got "1 s"`],
    [{ times: 3 }, 'retry.times', 'is not an option'],
  ])('a retry policy of %o', async (retry, path, problem) => {
    @Actor({ retry })
    class Mailer {
      @Handle(Send) send(): void {}
    }
    await expect(start([Mailer])).rejects.toThrow(
      new OptionError(`@Actor Mailer ${path}`, problem),
    );
  });

  it('a scope of its own, or of something it depends on', async () => {
    const scoped = new DeclarationError(
      'Mailer must not be request-scoped: actors live as long as the process',
    );

    const byScope = () => {
      @Injectable({ scope: Scope.REQUEST })
      @Actor()
      class Mailer {
        @Handle(Send) send(): void {}
      }
      return [Mailer];
    };
    const byDependency = () => {
      @Actor()
      class Mailer {
        constructor(@Inject(REQUEST) readonly request: unknown) {}
        @Handle(Send) send(): void {}
      }
      return [Mailer];
    };
    for (const providers of [byScope, byDependency]) {
      await expect(start(providers())).rejects.toThrow(scoped);
    }
  });

  it('an instance for each that injects it', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    @Actor()
    class Mailer {
      @Handle(Send) send(): void {}
    }
    await expect(start([Mailer])).rejects.toThrow(
      new DeclarationError('Mailer must not be transient: actors live as long as the process'),
    );
  });
});
