import 'reflect-metadata';
import { Inject, Injectable, Scope, type Provider } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Actor, Handle, On, Read } from './actor.decorators.js';
import { ActorHost } from './actor.host.js';
import { Message, type MessageClass } from './message.js';
import { MessageRegistry } from './message.registry.js';
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
      host.actors().map(({ name, target, concurrency, retry, handlers }) => ({
        ...{ name, target, concurrency, retry },
        types: [...handlers.keys()],
      })),
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

  it('with what each declares, checked, durations in milliseconds', async () => {
    class Deposit extends Message('account.deposit', z.object({ id: z.string() }), { key: 'id' }) {}
    class Balance extends Message('account.balance', z.object({ id: z.string() }), { key: 'id' }) {}
    class Index extends Message('search.index', z.object({})) {}
    class Down extends Error {}

    @Actor({
      state: z.object({ balance: z.number().default(0) }),
      on: [[Down, 'pause']],
      pause: { for: '1m' },
      rateLimit: { max: 5, per: '1s' },
      mailbox: { max: 100 },
    })
    class Accounts {
      @Handle(Deposit, { timeout: '10s' }) deposit(): void {}
      @Read(Balance) balance(): void {}
    }
    @Actor({ concurrency: 5, reserved: 2 })
    class Search {
      @Handle(Index, { batch: { max: 50 } }) index(_: readonly Index[]): void {}
      @On(Book) booked(): void {}
    }
    const { host, registry } = await start([Accounts, Search]);
    const [accounts, search] = host.actors();
    expect(accounts).toMatchObject({
      supervision: [[Down, 'pause']],
      pause: { for: 60_000, max: 600_000 },
      rateLimit: { max: 5, per: 1_000 },
      mailbox: 100,
    });
    expect(accounts?.state?.load(undefined)).toEqual({ balance: 0 });
    expect(Object.fromEntries(accounts?.handlers ?? [])).toEqual({
      'account.deposit': { kind: 'handle', message: Deposit, method: 'deposit', timeout: 10_000 },
      'account.balance': { kind: 'read', message: Balance, method: 'balance' },
    });
    // At least as many turns at once as fill the largest batch, beside those that are reserved.
    expect(search).toMatchObject({ name: 'search', concurrency: 52, reserved: 2 });
    expect(search?.handlers.get('search.index')?.batch).toEqual({ max: 50, wait: 20 });
    expect(search?.handlers.get('travel.book')?.kind).toBe('on');
    expect(registry.actors()).toContain('search');
  });

  it('may be request-scoped', async () => {
    @Injectable({ scope: Scope.REQUEST })
    @Actor()
    class Mailer {
      @Handle(Send) send(): void {}
    }
    @Actor()
    class Agent {
      constructor(@Inject(REQUEST) readonly request: unknown) {}
      @Handle(Book) book(): void {}
    }
    const { host } = await start([Mailer, Agent]);
    expect(host.actors().map(({ name }) => name)).toEqual(['email', 'travel']);
  });

  it('need no handler for an event that another one subscribes to', async () => {
    @Actor()
    class Mailer {
      @Handle(Send) send(): void {}
    }
    @Actor({ name: 'statistics' })
    class Statistics {
      @On(Cancel) cancelled(): void {}
    }
    const { host } = await start([Mailer, Statistics], classes(Send, Cancel));
    expect(host.actors()).toHaveLength(2);
  });
});
