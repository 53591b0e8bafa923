import { Actor, Actors, Handle, Message, Read, RejectError, type Turn } from '@callsheet/messaging';
import { explore, TestCallsheet } from '@callsheet/messaging/testing';
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
});
