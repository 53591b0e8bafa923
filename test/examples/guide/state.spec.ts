import {
  Actor,
  ActorHost,
  Actors,
  CallsheetModule,
  ENGINE,
  Handle,
  Keys,
  Message,
  QuarantineError,
  Read,
  RejectError,
  type Turn,
} from '@callsheet/messaging';
import { explore, TestCallsheet } from '@callsheet/messaging/testing';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const accountId = z.string().min(1);
const amount = z.number().positive();

// The key says which account a message is for: one turn at a time for each, in the order sent.
export class Deposit extends Message('account.deposit', z.object({ accountId, amount }), {
  key: 'accountId',
}) {}
export class Withdraw extends Message('account.withdraw', z.object({ accountId, amount }), {
  key: 'accountId',
  reply: z.object({ balance: z.number() }),
}) {}
export class GetBalance extends Message('account.balance', z.object({ accountId }), {
  key: 'accountId',
  reply: z.number(),
}) {}
export class CloseIdle extends Message('account.closeIdle', z.object({ accountId }), {
  key: 'accountId',
}) {}
export class Notify extends Message('mail.notify', z.object({ text: z.string() })) {}

export class InsufficientFunds extends RejectError {
  override readonly code = 'insufficient_funds';
}

// What the schema makes of {} is the state of a new account.
export const AccountState = z.object({
  balance: z.number().default(0),
  closed: z.boolean().default(false),
});

@Actor({ state: AccountState })
export class AccountActor {
  constructor(private readonly actors: Actors) {}

  @Handle(Deposit)
  async deposit({ accountId, amount }: Deposit, turn: Turn<typeof AccountState>) {
    turn.state.balance += amount; // committed with the end of the message ...
    await this.actors.tell(new Notify({ text: `+${amount}` })); // ... together with this ...
    await this.actors.tell(new CloseIdle({ accountId }), {
      id: `idle-${accountId}`,
      delay: '90d',
      replace: true, // ... and this timer, which moves
    });
  }

  @Handle(Withdraw)
  withdraw({ amount }: Withdraw, turn: Turn<typeof AccountState>) {
    if (amount > turn.state.balance) throw new InsufficientFunds('not enough on the account');
    turn.state.balance -= amount;
    return { balance: turn.state.balance };
  }

  @Handle(CloseIdle)
  close(_: CloseIdle, turn: Turn<typeof AccountState>) {
    turn.state.closed = true;
  }

  // Beside the turns of the account; it can neither change its state nor send.
  @Read(GetBalance)
  balance(_: GetBalance, turn: Turn<typeof AccountState>) {
    return turn.state.balance;
  }
}

@Actor()
export class MailActor {
  @Handle(Notify) notify() {}
}

const providers = [AccountActor, MailActor];

// A year later: the amount is in cents. State that the first version stored is read, and is stored as the second.
const AccountStateV2 = z.object({
  cents: z.bigint().default(0n),
  closed: z.boolean().default(false),
});

@Actor({
  state: {
    schema: AccountStateV2,
    version: 2,
    upcast: {
      1: ({ balance, ...rest }) => ({
        ...rest,
        cents: BigInt(Math.round((balance as number) * 100)),
      }),
    },
    maxBytes: 16 * 1024,
  },
})
class AccountActorV2 {
  @Handle(Deposit)
  deposit({ amount }: Deposit, turn: Turn<typeof AccountStateV2>) {
    turn.state.cents += BigInt(Math.round(amount * 100));
  }
  @Handle(Withdraw) withdraw() {
    return { balance: 0 };
  }
  @Handle(CloseIdle) close() {}
  @Read(GetBalance) balance(_: GetBalance, turn: Turn<typeof AccountStateV2>) {
    return Number(turn.state.cents) / 100;
  }
}

// Looks at accounts from wherever it runs: it needs the class of the actor, not the actor.
@Injectable()
export class AccountDesk {
  constructor(private readonly keys: Keys) {}

  async balanceOf(accountId: string): Promise<number | undefined> {
    const state = await this.keys.state(AccountActor, accountId); // typed by the actor's turns
    return state?.balance;
  }

  async troubles() {
    const stopped = await this.keys.quarantined(AccountActor); // each with the failure that stopped it
    const behind = await this.keys.list(AccountActor, { by: 'depth', limit: 10 });
    return { stopped, behind };
  }

  /** Goes on with the message that stopped it: mend the cause first. */
  async release(accountId: string) {
    return this.keys.release(AccountActor, accountId);
  }
}

export class Board extends Message('trip.board', z.object({ trip: z.string(), who: z.string() }), {
  key: 'trip',
}) {}
export class Land extends Message('trip.land', z.object({ trip: z.string() }), { key: 'trip' }) {}

const TripState = z.object({ aboard: z.number().default(0) });

@Actor({ state: TripState, journal: { keep: 500 } })
export class TripActor {
  @Handle(Board)
  board({ who }: Board, turn: Turn<typeof TripState>) {
    turn.state.aboard += 1;
    turn.journal({ event: 'boarded', who }); // there if the turn commits, and only then
  }

  @Handle(Land)
  land(_: Land, turn: Turn<typeof TripState>) {
    turn.forget(); // neither state nor journal is left: the trip is as one that never was
  }
}

@Injectable()
export class TripDesk {
  constructor(private readonly keys: Keys) {}

  /** Newest first; `before` is the id of the last row of the page before. */
  async log(trip: string, before?: string) {
    return this.keys.journal(TripActor, trip, { limit: 50, ...(before && { before }) });
  }

  /** All trips that have a state, page by page, in the order of their names. */
  async *trips() {
    for (let after: string | undefined; ;) {
      const page = await this.keys.states(TripActor, { limit: 500, ...(after && { after }) });
      yield* page;
      if (page.length < 500) return;
      after = page.at(-1)?.key;
    }
  }
}

@Injectable()
class Ledger {
  addsUp = true;
}

/** The account of a bank that checks its ledger. */
@Actor({ state: AccountState })
class AuditedActor {
  constructor(private readonly ledger: Ledger) {}

  @Handle(Deposit) deposit({ amount }: Deposit, turn: Turn<typeof AccountState>) {
    turn.state.balance += amount;
  }
  @Handle(Withdraw) withdraw({ amount }: Withdraw, turn: Turn<typeof AccountState>) {
    if (!this.ledger.addsUp) throw new QuarantineError('the ledger does not add up');
    turn.state.balance -= amount;
    return { balance: turn.state.balance };
  }
}

describe('state', () => {
  it('belongs to a key, and is committed with the message', async () => {
    const t = await TestCallsheet.create({ providers });
    const account = t.actors.ref('a-1'); // messages to it need not repeat the key
    await account.tell(Deposit, { amount: 10 });
    await t.drain();
    expect(await account.ask(Withdraw, { amount: 4 })).toEqual({ balance: 6 });
    await expect(account.ask(Withdraw, { amount: 7 })).rejects.toMatchObject({
      error: { code: 'insufficient_funds' },
    });
    expect(await account.ask(GetBalance, {})).toBe(6);
    await t.advance('89d');
    await account.tell(Deposit, { amount: 1 });
    await t.advance('89d');
    expect(t.state(AccountActor, 'a-1')).toEqual({ balance: 7, closed: false });
    await t.advance('1d');
    expect(t.state(AccountActor, 'a-1')).toEqual({ balance: 7, closed: true });
    await t.close();
  });

  it('is right whatever crashes, in any order of turns', async () => {
    await explore({ providers, seeds: 25, crash: 'everywhere' }, async (t) => {
      for (const amount of [1, 2, 3, 4]) {
        await t.actors.tell(new Deposit({ accountId: 'a-1', amount }));
      }
      await t.advance('1d');
      expect(t.state(AccountActor, 'a-1')).toMatchObject({ balance: 10 });
      expect(t.sent(Notify)).toHaveLength(4);
    });
  });

  it('of an older version is upcast, and stored as the new one', async () => {
    const url = 'memory:';
    const first = await Test.createTestingModule({
      imports: [CallsheetModule.forRoot({ url })],
      providers,
    }).compile();
    await first.init();
    await first.get(Actors).tell(new Deposit({ accountId: 'a-1', amount: 6 }));
    await first.get(Actors).ask(new Withdraw({ accountId: 'a-1', amount: 1 }));
    await first.get(ActorHost).stop();

    // The next release, on the same store.
    const second = await Test.createTestingModule({
      imports: [CallsheetModule.forRoot({ url })],
      providers: [AccountActorV2, MailActor],
    })
      .overrideProvider(ENGINE)
      .useValue(first.get(ENGINE))
      .compile();
    await second.init();
    const account = second.get(Actors).ref('a-1');
    expect(await account.ask(GetBalance, {})).toBe(5);
    expect(await second.get(Keys).state(AccountActor, 'a-1')).toMatchObject({ balance: 5 });
    await account.tell(Deposit, { amount: 2 });
    await account.ask(Withdraw, { amount: 1 });
    expect(await second.get(Keys).state(AccountActorV2, 'a-1')).toEqual({
      cents: 700n,
      closed: false,
    });
    // What the new release has written is not for the old one.
    await expect(second.get(Keys).state(AccountActor, 'a-1')).rejects.toMatchObject({
      code: 'newer_version',
    });
    await second.close();
    await first.close();
  });

  it('is there for operators, and so are the keys that stopped', async () => {
    const t = await TestCallsheet.create({ providers: [AuditedActor, Ledger, AccountDesk] });
    const desk = t.get(AccountDesk);
    expect(await desk.balanceOf('a-1')).toBeUndefined();
    const account = t.actors.ref('a-1');
    await account.tell(Deposit, { amount: 10 });
    await t.drain();
    expect(await desk.balanceOf('a-1')).toBe(10);

    t.get(Ledger).addsUp = false;
    await account.tell(Withdraw, { amount: 1 });
    await account.tell(Deposit, { amount: 5 });
    await t.drain();
    const { stopped, behind } = await desk.troubles();
    expect(stopped).toMatchObject([
      { key: 'a-1', attempt: { error: { message: 'the ledger does not add up' } } },
    ]);
    expect(behind).toMatchObject([{ key: 'a-1', isQuarantined: true }]);

    t.get(Ledger).addsUp = true;
    expect(await desk.release('a-1')).toBe(true);
    await t.drain();
    expect(await desk.balanceOf('a-1')).toBe(14);
    await t.close();
  });

  it('comes with a journal, is listed, and is forgotten', async () => {
    const t = await TestCallsheet.create({ providers: [TripActor, TripDesk] });
    for (const who of ['ada', 'bob']) await t.actors.tell(new Board({ trip: 'x-1', who }));
    await t.actors.tell(new Board({ trip: 'x-2', who: 'cyd' }));
    await t.drain();
    const desk = t.get(TripDesk);
    const rows = await desk.log('x-1');
    expect(rows.map(({ row }) => row['who'])).toEqual(['bob', 'ada']);
    expect(await desk.log('x-1', rows[0]?.id)).toEqual(rows.slice(1));
    const trips = [];
    for await (const trip of desk.trips()) trips.push(trip);
    expect(trips).toEqual([
      { key: 'x-1', state: { aboard: 2 } },
      { key: 'x-2', state: { aboard: 1 } },
    ]);
    await t.actors.tell(new Land({ trip: 'x-1' }));
    await t.drain();
    expect(await desk.log('x-1')).toEqual([]);
    expect(await t.get(Keys).states(TripActor)).toMatchObject([{ key: 'x-2' }]);
    await t.close();
  });
});
