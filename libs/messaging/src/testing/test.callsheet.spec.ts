import { readFile } from 'node:fs/promises';
import { Controller, Injectable, Module, Post } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Actor, Handle, On, Read } from '../actor.decorators.js';
import { Actors } from '../actors.js';
import { ENGINE, type Engine } from '../engine.js';
import { Message } from '../message.js';
import { RejectError } from '../messaging.errors.js';
import { CallsheetModule } from '../messaging.module.js';
import type { Turn } from '../turn.js';
import { TestCallsheet } from './test.callsheet.js';
import type { TestCallsheetOptions } from './test.module.js';
import { VirtualClock } from './virtual.clock.js';

const AccountState = z.object({
  balance: z.number().default(0),
  isClosed: z.boolean().default(false),
});
type AccountTurn = Turn<typeof AccountState>;

const account = { accountId: z.string() };
const withAmount = z.object({ ...account, amount: z.number() });
class Deposit extends Message('account.deposit', withAmount, { key: 'accountId' }) {}
class Withdraw extends Message('account.withdraw', withAmount, {
  key: 'accountId',
  reply: z.object({ balance: z.number() }),
}) {}
class Close extends Message('account.close', z.object(account), { key: 'accountId' }) {}
class Balance extends Message('account.balance', z.object(account), {
  key: 'accountId',
  reply: z.number(),
}) {}
class Deposited extends Message('account.deposited', withAmount) {}
class SendMail extends Message('mail.send', z.object({ to: z.string() })) {}

@Actor({ state: AccountState, retry: { attempts: 5, delay: '1s' }, on: [[RangeError, 'reject']] })
class AccountActor {
  constructor(private readonly actors: Actors) {}

  @Handle(Deposit) async deposit(m: Deposit, turn: AccountTurn): Promise<void> {
    turn.state.balance += m.amount;
    await this.actors.publish(new Deposited({ accountId: m.accountId, amount: m.amount }));
    const idle = { delay: '90d', id: `idle:${m.accountId}`, replace: true } as const;
    await this.actors.tell(new Close({ accountId: m.accountId }), idle);
  }

  @Handle(Withdraw) withdraw(m: Withdraw, turn: AccountTurn): { balance: number } {
    if (turn.state.balance < m.amount) throw new RangeError('too little');
    turn.state.balance -= m.amount;
    return { balance: turn.state.balance };
  }

  @Handle(Close) async close(m: Close, turn: AccountTurn): Promise<void> {
    if (turn.attempt < 3) throw new Error('bank is away');
    turn.state.isClosed = true;
    await this.actors.tell(new SendMail({ to: m.accountId }));
  }

  @Read(Balance) balance(_: Balance, turn: AccountTurn): number {
    return turn.state.balance;
  }
}

@Actor()
class MailActor {
  static readonly sent: string[] = [];
  @Handle(SendMail) send({ to }: SendMail): void {
    MailActor.sent.push(to);
  }
  @On(Deposited) deposited({ amount }: Deposited): void {
    MailActor.sent.push(`deposited ${amount}`);
  }
}

let open: TestCallsheet[] = [];

afterEach(async () => {
  MailActor.sent.length = 0;
  for (const t of open) await t.close();
  open = [];
});

async function create(options: TestCallsheetOptions): Promise<TestCallsheet> {
  const t = await TestCallsheet.create(options);
  open.push(t);
  return t;
}

const bank = (): Promise<TestCallsheet> => create({ providers: [AccountActor, MailActor] });

const deposit = (amount: number, accountId = 'a'): Deposit => new Deposit({ accountId, amount });

describe('TestCallsheet', () => {
  it('lets messages start in drain, and answers how many turns ended', async () => {
    const t = await bank();
    await t.actors.tell(deposit(10));
    await t.actors.tell(deposit(5));
    await new Promise(setImmediate);
    expect(t.state(AccountActor, 'a')).toBeUndefined();
    // Two deposits, and a copy of the event of each.
    expect(await t.drain()).toBe(4);
    expect(await t.drain()).toBe(0);
    expect(t.state(AccountActor, 'a')).toEqual({ balance: 15, isClosed: false });
    expect(t.state(AccountActor, 'b')).toBeUndefined();
    expect(MailActor.sent).toEqual(['deposited 10', 'deposited 5']);
  });

  it('shows what was sent, as instances, once per id', async () => {
    const t = await bank();
    await t.actors.tell(deposit(10), { id: 'one' });
    await t.actors.tell(deposit(10), { id: 'one' });
    await t.actors.tell(deposit(5));
    await t.drain();
    const deposits = t.sent(Deposit);
    expect(deposits.map(({ amount }) => amount)).toEqual([10, 5]);
    expect(deposits[0]).toBeInstanceOf(Deposit);
    expect(t.sent(Deposited)).toHaveLength(2);
    expect(t.sent(Close)).toHaveLength(1);
    expect(t.sent(SendMail)).toEqual([]);
  });

  it('moves time: a timer is moved, comes, is retried with back-off, and sends', async () => {
    const t = await bank();
    await t.actors.tell(deposit(10));
    await t.advance('89d');
    await t.actors.tell(deposit(1));
    await t.advance('89d');
    expect(t.state(AccountActor, 'a')).toEqual({ balance: 11, isClosed: false });
    expect(t.sent(SendMail)).toEqual([]);
    await t.advance('1d');
    await t.advance('10s');
    expect(t.state(AccountActor, 'a')).toEqual({ balance: 11, isClosed: true });
    expect(t.sent(SendMail)).toEqual([expect.objectContaining({ to: 'a' })]);
    expect(t.now).toEqual(new Date(Date.UTC(2026, 0, 1) + 179 * 86_400_000 + 10_000));
  });

  it('answers who asks, without draining; a reply that takes time comes when time passes', async () => {
    const t = await bank();
    await t.actors.tell(deposit(10));
    const withdraw = new Withdraw({ accountId: 'a', amount: 4 });
    expect(await t.actors.ask(withdraw, { id: 'w' })).toEqual({ balance: 6 });
    expect(await t.actors.ask(withdraw, { id: 'w' })).toEqual({ balance: 6 });
    expect(await t.actors.ask(new Balance({ accountId: 'a' }))).toBe(6);
    const much = t.actors.ask(new Withdraw({ accountId: 'a', amount: 400 }));
    await expect(much).rejects.toMatchObject({ code: 'ask_failed', reason: 'rejected' });
    const never = t.actors.ask(new SendMail({ to: 'x' }), { timeout: '2s' });
    await expect(never).resolves.toBeUndefined();
    t.probe(SendMail).fail(new Error('down'));
    const late = t.actors.ask(new SendMail({ to: 'y' }));
    await t.advance('5s');
    await expect(late).resolves.toBeUndefined();
    t.probe(SendMail).fail(new Error('down'), 100);
    const asked = t.actors.ask(new SendMail({ to: 'z' }), { timeout: '2s' });
    await Promise.all([
      expect(asked).rejects.toMatchObject({ code: 'ask_timeout' }),
      t.advance('3s'),
    ]);
  });

  it('shows dead letters, redrives and cancels', async () => {
    const t = await bank();
    await t.actors.tell(new Withdraw({ accountId: 'a', amount: 4 }));
    await t.actors.tell(new Withdraw({ accountId: 'b', amount: 9 }));
    const { id } = await t.actors.tell(new SendMail({ to: 'x' }), { delay: '1h' });
    await t.drain();
    expect(t.dead).toMatchObject([
      { reason: 'rejected', envelope: { data: { amount: 4 } }, fingerprint: expect.any(String) },
      { reason: 'rejected', envelope: { data: { amount: 9 } } },
    ]);
    expect(await t.cancel(id)).toBe('cancelled');
    await t.actors.tell(deposit(10));
    await t.drain();
    expect(await t.redrive({ actor: 'mail' })).toBe(0);
    expect(await t.redrive()).toBe(2);
    await t.drain();
    expect(t.dead).toMatchObject([{ envelope: { data: { amount: 9 } } }]);
    expect(t.state(AccountActor, 'a')).toMatchObject({ balance: 6 });
    await t.advance('2h');
    expect(MailActor.sent).toEqual(['deposited 10']);
  });

  it('drives ttl, rate limits, batches and time limits', async () => {
    const seen: string[] = [];
    class Slow extends Message('slow.do', z.object({ n: z.number() })) {}
    class Gather extends Message('gather.do', z.object({ n: z.number() })) {}
    class Hang extends Message('hang.do', z.object({})) {}
    @Actor({ rateLimit: { max: 2, per: '1m' }, retry: { attempts: 1 } })
    class SlowActor {
      @Handle(Slow) do({ n }: Slow): void {
        seen.push(`slow ${n}`);
      }
    }
    @Actor()
    class GatherActor {
      @Handle(Gather, { batch: { max: 3, wait: '20s' } }) do(messages: readonly Gather[]): void {
        seen.push(`batch ${messages.map(({ n }) => n).join()}`);
      }
    }
    @Actor({ retry: { attempts: 1 } })
    class HangActor {
      @Handle(Hang, { timeout: '10s' }) async do(): Promise<void> {
        await new Promise(() => undefined);
      }
    }
    const t = await create({ providers: [SlowActor, GatherActor, HangActor] });
    const slow = [1, 2, 3, 4, 5].map((n) => ({
      message: new Slow({ n }),
      options: { ttl: '90s' },
    }));
    await t.actors.tellMany(slow as never);
    await t.drain();
    expect(seen.splice(0)).toEqual(['slow 1', 'slow 2']);
    await t.advance('1m');
    expect(seen.splice(0)).toEqual(['slow 3', 'slow 4']);
    await t.advance('1m');
    expect(seen.splice(0)).toEqual([]);
    expect(t.dead).toMatchObject([{ reason: 'expired', envelope: { data: { n: 5 } } }]);

    await t.actors.tellMany([1, 2, 3, 4].map((n) => new Gather({ n })));
    await t.drain();
    expect(seen.splice(0)).toEqual(['batch 1,2,3']);
    await t.advance('19s');
    expect(seen).toEqual([]);
    await t.advance('1s');
    expect(seen.splice(0)).toEqual(['batch 4']);

    await t.actors.tell(new Hang({}));
    await t.advance('11s');
    expect(t.dead[1]).toMatchObject({ history: [{ error: { code: 'turn_timeout' } }] });
  });

  it('serves by priority, as far as the concurrency goes', async () => {
    const seen: string[] = [];
    class Do extends Message('do.it', z.object({ n: z.string() })) {}
    @Actor({ concurrency: 1 })
    class Doing {
      @Handle(Do) async do({ n }: Do): Promise<void> {
        seen.push(`${n} begins`);
        await new Promise(setImmediate);
        seen.push(`${n} ends`);
      }
    }
    const t = await create({ providers: [Doing] });
    await t.actors.tell(new Do({ n: 'low' }), { priority: 'low' });
    await t.actors.tell(new Do({ n: 'high' }), { priority: 'high' });
    await t.drain();
    expect(seen).toEqual(['high begins', 'high ends', 'low begins', 'low ends']);
  });

  it('waits for what a handler really does outside', async () => {
    class Load extends Message('load.do', z.object({})) {}
    let size = 0;
    @Actor()
    class Loader {
      @Handle(Load) async do(): Promise<void> {
        await new Promise((resolve) => setTimeout(resolve, 60));
        size = (await readFile(new URL(import.meta.url))).length;
      }
    }
    const t = await create({ providers: [Loader] });
    await t.actors.tell(new Load({}));
    expect(await t.drain()).toBe(1);
    expect(size).toBeGreaterThan(0);
  });

  it('ends an endless chain, and names the busiest', async () => {
    class Ping extends Message('game.ping', z.object({})) {}
    class Pong extends Message('game.pong', z.object({})) {}
    @Actor()
    class Game {
      constructor(private readonly actors: Actors) {}
      @Handle(Ping) async ping(): Promise<void> {
        await this.actors.tellMany([new Pong({}), new Ping({})]);
      }
      @Handle(Pong) pong(): void {}
    }
    const t = await create({ providers: [Game] });
    await t.actors.tell(new Ping({}));
    await expect(t.drain(1_000)).rejects.toThrow(
      /^more than 1000 turns without time passing: .* Busiest: game.p[io]ng \(50\d\), game.p[io]ng \(50\d\)$/,
    );
  });
});

describe('a probe', () => {
  it('stands in for an actor that is not there; what has none waits on', async () => {
    class Other extends Message('mail.other', z.object({})) {}
    const t = await create({ providers: [AccountActor] });
    const probe = t.probe(SendMail);
    await t.actors.tell(new SendMail({ to: 'ada' }));
    const { id } = await t.actors.tell(new Other({}));
    expect(await probe.next()).toMatchObject({ to: 'ada' });
    await expect(probe.next()).rejects.toThrow('no mail.send came: the probe got 1 in all');
    expect(probe.received[0]).toBeInstanceOf(SendMail);
    expect(t.probe(SendMail)).toBe(probe);
    await t.advance('30d');
    expect((await t.get<Engine>(ENGINE as never).find(id, ['mail']))?.state).toBe('delayed');
  });

  it('stands in for one that is, fails as told, with the supervision of that actor, and replies', async () => {
    const t = await bank();
    const probe = t.probe(Withdraw).reply({ balance: 99 });
    const withdraw = new Withdraw({ accountId: 'a', amount: 4 });
    expect(await t.actors.ask(withdraw)).toEqual({ balance: 99 });
    probe.fail(new RangeError('no')).fail(new Error('away'), 2);
    await t.actors.tell(withdraw);
    await t.drain();
    expect(t.dead).toMatchObject([{ reason: 'rejected' }]);
    await t.actors.tell(withdraw);
    await t.advance('1m');
    expect(probe.received).toHaveLength(5);
    expect(t.dead).toHaveLength(1);
    expect(t.state(AccountActor, 'a')).toBeUndefined();
  });

  it('gets events: in place of their subscribers, or when there are none', async () => {
    class Unheard extends Message('account.unheard', z.object({})) {}
    const t = await bank();
    const [deposited, unheard] = [t.probe(Deposited), t.probe(Unheard)];
    await t.actors.tell(deposit(3));
    await t.drain();
    expect(await t.actors.publish(new Unheard({}))).toMatchObject({
      receivers: ['callsheet-probe'],
    });
    expect(await deposited.next()).toMatchObject({ amount: 3 });
    expect(await unheard.next()).toBeInstanceOf(Unheard);
    expect(MailActor.sent).toEqual([]);
    expect(deposited.received).toHaveLength(1);
  });

  it('may throw what becomes a dead letter', async () => {
    const t = await create({});
    t.probe(SendMail).fail(new RejectError('no such address'));
    await t.actors.tell(new SendMail({ to: 'x' }));
    await t.drain();
    expect(t.dead).toMatchObject([
      { reason: 'rejected', history: [{ error: { message: 'no such address' } }] },
    ]);
  });
});

describe('the application under test', () => {
  const unreachable = { url: 'redis://localhost:1' };

  it('runs in memory whatever its URL is, and however deep CallsheetModule is imported', async () => {
    @Module({ imports: [CallsheetModule.forRoot(unreachable)], providers: [MailActor] })
    class Deep {}
    @Module({ imports: [Deep] })
    class App {}
    const t = await create({ imports: [App] });
    await t.actors.tell(new SendMail({ to: 'x' }));
    await t.drain();
    expect(MailActor.sent).toEqual(['x']);
  });

  it('may get its options from a factory', async () => {
    const options = Promise.resolve(unreachable);
    const imported = CallsheetModule.forRootAsync({ useFactory: () => options });
    const t = await create({ imports: [Promise.resolve(imported)], providers: [MailActor] });
    await t.actors.tell(new SendMail({ to: 'x' }));
    expect(await t.drain()).toBe(1);
  });

  it('may be a testing module of your own, with controllers say', async () => {
    @Controller()
    class Mails {
      constructor(private readonly actors: Actors) {}
      @Post() async send(): Promise<void> {
        await this.actors.tell(new SendMail({ to: 'http' }));
      }
    }
    const builder = Test.createTestingModule({
      imports: [CallsheetModule.forRoot(unreachable)],
      controllers: [Mails],
      providers: [MailActor],
    });
    const now = new Date('2030-05-05T05:05:05Z');
    const module = await TestCallsheet.override(builder, { now }).compile();
    await module.init();
    const t = TestCallsheet.from(module);
    open.push(t);
    await t.get(Mails).send();
    await t.drain();
    expect(MailActor.sent).toEqual(['http']);
    expect(t.now).toEqual(now);
  });

  it('may be changed before it is compiled', async () => {
    @Injectable()
    class Smtp {
      name = 'real';
    }
    const t = await create({
      providers: [Smtp],
      override: (builder) => builder.overrideProvider(Smtp).useValue({ name: 'fake' }),
    });
    expect(t.get(Smtp).name).toBe('fake');
  });

  it('must be on the test kit', async () => {
    const module = await Test.createTestingModule({
      imports: [CallsheetModule.forRoot({ url: 'memory:' })],
    }).compile();
    await module.init();
    expect(() => TestCallsheet.from(module)).toThrow(
      'build it with TestCallsheet.override(builder)',
    );
    await module.close();
  });

  it('is closed at the end of its block, with turns that are still waiting', async () => {
    class Gather extends Message('gather.do', z.object({})) {}
    @Actor()
    class GatherActor {
      @Handle(Gather, { batch: { max: 3, wait: '1h' } }) do(): void {}
    }
    let clock: VirtualClock;
    {
      await using t = await TestCallsheet.create({ providers: [GatherActor] });
      await t.actors.tell(new Gather({}));
      await t.actors.tell(new Gather({}), { delay: '1h' });
      await t.drain();
      clock = (t.get(ENGINE as never) as { clock: VirtualClock }).clock;
      expect(clock.pending).toBeGreaterThan(0);
    }
    expect(clock.pending).toBe(0);
  });
});
