import 'reflect-metadata';
import { Injectable, Scope, type Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  Actor,
  declareHandler,
  Handle,
  On,
  Read,
  type ActorOptions,
  type OnOptions,
} from './actor.decorators.js';
import { ActorHost } from './actor.host.js';
import { Message, type MessageClass } from './message.js';
import { MessageRegistry } from './message.registry.js';
import { DeclarationError, OptionError } from './messaging.errors.js';
import { CallsheetModule } from './messaging.module.js';

class Send extends Message('email.send', z.object({})) {}
class Cancel extends Message('email.cancel', z.object({})) {}
class Book extends Message('travel.book', z.object({})) {}

/** A method decorator as a call, for classes made in tables. */
const mark =
  (decorate: (target: never, method: string, descriptor: never) => void) =>
  (target: object): void =>
    decorate(target as never, 'send', {} as never);

const OCCURRENCE = { kind: 'occurrence' } as const;

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
    declareHandler(Mailer.prototype, { ...OCCURRENCE, method: 'send', handles: { verb: 'send' } });
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

  it('a handler of what an actor sends that is not there', async () => {
    @Actor({ name: 'clock' })
    class Clock {
      tick(): void {}
    }
    const handles = { verb: 'tick', sentBy: 'schedules' };
    declareHandler(Clock.prototype, { ...OCCURRENCE, method: 'tick', handles });
    await expect(start([Clock])).rejects.toThrow(
      new DeclarationError(
        "'clock.tick' is sent by the actor 'schedules', which is not here: import SchedulerModule",
      ),
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
    declareHandler(Clock.prototype, { ...OCCURRENCE, method: 'tick', handles: { verb: 'tick' } });
    await expect(start([Clock])).rejects.toThrow(
      new DeclarationError(
        "Clock handles only events or schedules: name it, @Actor({ name: '...' }), or add the @Handle that is missing",
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
      declareHandler(Clock.prototype, { ...OCCURRENCE, method: 'tick', handles: { verb: 'tick' } });
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

  it.each([-1, 1.5, 4, NaN, '1'])('%o reserved turns of four', async (reserved) => {
    @Actor({ concurrency: 4, reserved: reserved as number })
    class Mailer {
      @Handle(Send) send(): void {}
    }
    await expect(start([Mailer])).rejects.toThrow(
      new OptionError(
        '@Actor Mailer reserved',
        'must be a whole number from 0 to 3: one turn at least is for any',
      ),
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

  const keyed = Message('account.deposit', z.object({ id: z.string() }), { key: 'id' });
  const asked = Message('email.count', z.object({}), { reply: z.number() });
  const counter = z.object({ n: z.number().default(0) });

  it.each<[string, ActorOptions, (target: object) => void, string]>([
    [
      'state with messages that have no key',
      { state: counter },
      mark(Handle(Send)),
      "Mailer.send handles 'email.send', which has no key: the state of an actor belongs to a key, so declare Message(..., { key })",
    ],
    [
      'a read of a message without key',
      {},
      mark(Read(Send)),
      "Mailer.send handles 'email.send', which has no key: @Read reads the state of a key, so declare Message(..., { key })",
    ],
    [
      'a read without state',
      {},
      mark(Read(keyed)),
      'Mailer.send is a @Read, but its actor has no state to read',
    ],
    [
      'batches of messages with a key',
      {},
      mark(Handle(keyed, { batch: { max: 5 } })),
      "Mailer.send cannot get 'account.deposit' in batches: messages of one key are handled one by one",
    ],
    [
      'batches of messages with a reply',
      {},
      mark(Handle(asked, { batch: { max: 5 } })),
      'Mailer.send cannot get messages with a reply in batches',
    ],
    [
      'state without defaults',
      { state: z.object({ n: z.number() }) },
      mark(Handle(keyed)),
      'so give its fields defaults',
    ],
    [
      'two handlers for a pattern',
      { name: 'mailer' },
      (target: object) => {
        mark(On('travel.**'))(target);
        mark(On('travel.**'))(target);
      },
      "Mailer has two handlers for 'travel.**'",
    ],
    [
      'a pattern and a state',
      { name: 'mailer', state: counter },
      mark(On('travel.**')),
      'Mailer.send handles events of any type, and the state of an actor belongs to a key',
    ],
    [
      'nothing but events and no name',
      {},
      mark(On(Book)),
      "Mailer handles only events or schedules: name it, @Actor({ name: '...' }), or add the @Handle that is missing",
    ],
  ])('%s', async (_, options, declare, problem) => {
    class Mailer {
      send(): void {}
    }
    declare(Mailer.prototype);
    Actor(options)(Mailer);
    const refusal = await start([Mailer]).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DeclarationError);
    expect((refusal as Error).message).toContain(problem);
  });

  const WHOLE = 'must be a whole number from 1 to 1000000';
  it.each<[object, string, string]>([
    [{ rateLimit: { max: 0, per: '1s' } }, 'rateLimit.max', WHOLE],
    [{ rateLimit: { max: 5, per: 0 } }, 'rateLimit.per', 'must be longer than 0'],
    [{ mailbox: { max: 1.5 } }, 'mailbox.max', WHOLE],
    [{ journal: { keep: 0 } }, 'journal.keep', 'must be a whole number from 1 to 100000'],
    [{ journal: { keep: 100_001 } }, 'journal.keep', 'must be a whole number from 1 to 100000'],
    [{ pause: { for: '0s' } }, 'pause.for', 'must be longer than 0'],
    [{ pause: { max: -1 } }, 'pause.max', `must be milliseconds or a string such as '10s', got -1`],
    [
      { on: [[Error]] },
      'on.0',
      "must end with one of retry, reject, quarantine, pause, got 'undefined'",
    ],
    [{ state: {} }, 'state', 'must be a Standard Schema, or { schema, version, upcast }'],
    [
      { state: { schema: {} } },
      'state',
      'must be a Standard Schema, or { schema, version, upcast }',
    ],
    [{ state: { schema: counter, size: 5 } }, 'state size', 'is not an option'],
    [{ state: { schema: counter, version: 0 } }, 'state version', 'must be a whole number from 1'],
    [
      { state: { schema: counter, version: 3, upcast: { 1: (old: unknown) => old } } },
      'state upcast.2',
      'must be a function: version is 3',
    ],
    [
      { state: { schema: counter, upcast: { 1: (old: unknown) => old } } },
      'state upcast.1',
      'is for no older version: version is 1',
    ],
    [{ state: { schema: counter, upcast: 5 } }, 'state upcast', 'must be an object of functions'],
    ...[0, 1.5, 1024 * 1024 + 1, '1mb'].map((maxBytes): [object, string, string] => [
      { state: { schema: counter, maxBytes } },
      'state maxBytes',
      'must be a whole number from 1 to 1048576',
    ]),
    [
      { state: { schema: counter, maxBytes: 5 } },
      'state maxBytes',
      'is 5, but the state of a new key already takes 7 bytes',
    ],
  ])('options %o', async (options, path, problem) => {
    @Actor(options)
    class Mailer {
      @Handle(Send) send(): void {}
    }
    await expect(start([Mailer])).rejects.toThrow(
      new OptionError(`@Actor Mailer ${path}`, problem),
    );
  });

  it.each<[object, string, string]>([
    [{ timeout: 0 }, 'timeout', 'must be longer than 0'],
    [{ batch: { max: 0 } }, 'batch.max', 'must be a whole number from 1 to 1000'],
    [
      { batch: { max: 5, wait: 'x' } },
      'batch.wait',
      `must be milliseconds or a string such as '10s', got "x"`,
    ],
  ])('a handler with %o', async (options, path, problem) => {
    @Actor()
    class Mailer {
      @Handle(Send, options as { timeout: number }) send(): void {}
    }
    await expect(start([Mailer])).rejects.toThrow(new OptionError(`Mailer.send ${path}`, problem));
  });

  it.each<[[MessageClass | string, OnOptions?], string, string]>([
    [[Book, { when: 'data.' }], 'when', 'is not CEL'],
    [[Book, { when: 'nothing.here' }], 'when', "names 'nothing'"],
    [[Book, { topic: 'a..b' }], 'topic', 'must be'],
    [['a.***'], 'pattern', 'must be'],
    [['a.*', { when: '1 +' }], 'when', 'is not CEL'],
  ])('events by %o', async (declared, path, problem) => {
    class Mailer {
      send(): void {}
    }
    mark(On(...(declared as [MessageClass])))(Mailer.prototype);
    Actor({ name: 'mailer' })(Mailer);
    const refusal: unknown = await start([Mailer]).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(OptionError);
    expect((refusal as Error).message).toContain(`Mailer.send ${path} ${problem}`);
  });

  it('unknown options of handlers, where they are declared', () => {
    expect(() => Handle(Send, { retries: 3 } as never)).toThrow('@Handle retries is not an option');
    expect(() => On(Send, { batch: {} } as never)).toThrow('@On batch is not an option');
    expect(() => On('a.*', { topic: 'b' } as never)).toThrow('@On topic is not an option');
    expect(() => On(Send, { routed: true, when: 'true' })).toThrow(
      '@On routed cannot be combined with when or topic',
    );
    expect(() => Read(Send, { key: 1 } as never)).toThrow('@Read key is not an option');
  });

  it('an instance for each that injects it', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    @Actor()
    class Mailer {
      @Handle(Send) send(): void {}
    }
    await expect(start([Mailer])).rejects.toThrow(
      new DeclarationError(
        'Mailer must not be transient: nobody injects an actor, so it would have no instance',
      ),
    );
  });
});
