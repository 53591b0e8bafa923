import { Deposit, GetBalance, Transfer, Withdraw } from '@callsheet/contracts';
import { explore, TestCallsheet } from '@callsheet/messaging/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccountActor } from './account.actor.js';

const providers = [AccountActor];

let t: TestCallsheet;
beforeEach(async () => {
  t = await TestCallsheet.create({ providers });
});
afterEach(() => t.close());

const deposit = (accountId: string, amount: number) =>
  t.actors.tell(new Deposit({ accountId, amount }));

describe('an account', () => {
  it('holds what was put on it less what was taken', async () => {
    expect(await t.actors.ask(new Deposit({ accountId: 'ada', amount: 1_000 }))).toEqual({
      balance: 1_000,
    });
    expect(await t.actors.ask(new Withdraw({ accountId: 'ada', amount: 300 }))).toEqual({
      balance: 700,
    });
    expect(await t.actors.ask(new GetBalance({ accountId: 'ada' }))).toBe(700);
    expect(t.state(AccountActor, 'ada')).toEqual({ balance: 700, entries: 2 });
  });

  it('that there is not holds nothing, and reading makes none', async () => {
    expect(await t.actors.ask(new GetBalance({ accountId: 'nobody' }))).toBe(0);
    expect(t.state(AccountActor, 'nobody')).toBeUndefined();
  });

  it('can be emptied, but not overdrawn: the asker learns why, and nothing is taken', async () => {
    await deposit('ada', 500);
    await expect(
      t.actors.ask(new Withdraw({ accountId: 'ada', amount: 501 })),
    ).rejects.toMatchObject({
      reason: 'rejected',
      error: {
        code: 'insufficient_funds',
        message: 'the account holds 500, which is less than 501',
      },
    });
    expect(t.state(AccountActor, 'ada')).toEqual({ balance: 500, entries: 1 });
    expect(await t.actors.ask(new Withdraw({ accountId: 'ada', amount: 500 }))).toEqual({
      balance: 0,
    });
    expect(t.dead).toMatchObject([{ reason: 'rejected', history: [{ attempt: 1 }] }]);
  });

  it('repeats nothing that is sent again with its id', async () => {
    for (let n = 0; n < 3; n++) {
      await t.actors.tell(new Deposit({ accountId: 'ada', amount: 5 }), { id: 'pay-day' });
      await t.drain();
    }
    expect(t.state(AccountActor, 'ada')).toEqual({ balance: 5, entries: 1 });
  });
});

describe('a transfer', () => {
  it('takes from one account and puts on the other', async () => {
    await deposit('ada', 1_000);
    const transfer = new Transfer({ accountId: 'ada', to: 'grace', amount: 400 });
    expect(await t.actors.ask(transfer)).toEqual({ balance: 600 });
    await t.drain();
    expect(t.state(AccountActor, 'ada')).toEqual({ balance: 600, entries: 2 });
    expect(t.state(AccountActor, 'grace')).toEqual({ balance: 400, entries: 1 });
    expect(t.sent(Deposit)).toHaveLength(2);
  });

  it('that cannot be paid puts nothing anywhere', async () => {
    await deposit('ada', 100);
    await t.actors.tell(new Transfer({ accountId: 'ada', to: 'grace', amount: 101 }));
    await t.drain();
    expect(t.state(AccountActor, 'ada')).toEqual({ balance: 100, entries: 1 });
    expect(t.state(AccountActor, 'grace')).toBeUndefined();
    expect(t.dead).toHaveLength(1);
  });

  it('happens once whatever crashes, in any order of turns', async () => {
    await explore({ providers, seeds: 25, crash: 'everywhere' }, async (world) => {
      const names = ['ada', 'grace', 'alan'];
      for (const accountId of names) {
        await world.actors.tell(new Deposit({ accountId, amount: 100 }));
      }
      await world.actors.tell(new Transfer({ accountId: 'ada', to: 'grace', amount: 30 }));
      await world.actors.tell(new Transfer({ accountId: 'grace', to: 'alan', amount: 50 }));
      await world.actors.tell(new Transfer({ accountId: 'alan', to: 'ada', amount: 70 }));
      await world.advance('1d');
      const states = names.map((name) => world.state(AccountActor, name));
      expect(states).toEqual([
        { balance: 140, entries: 3 },
        { balance: 80, entries: 3 },
        { balance: 80, entries: 3 },
      ]);
      expect(world.dead).toEqual([]);
    });
  });
});
