import { Deposit, GetBalance, Transfer, Withdraw } from '@callsheet/contracts';
import { Actor, Actors, Handle, Read, type Turn } from '@callsheet/messaging';
import { z } from 'zod';
import { InsufficientFunds } from './insufficient.funds.js';

/** What is kept of an account. A turn that would overdraw it, or leave the whole cents, cannot commit. */
export const AccountState = z.object({
  /** In cents. */
  balance: z.int().min(0).default(0),
  /** How often something was put on the account or taken from it. */
  entries: z.int().min(0).default(0),
});

type AccountTurn = Turn<typeof AccountState>;

/** A ledger. Every account is a key: its messages are handled one by one, and its state is committed with each of them. */
@Actor({ state: AccountState })
export class AccountActor {
  constructor(private readonly actors: Actors) {}

  @Handle(Deposit)
  deposit({ amount }: Deposit, turn: AccountTurn): { balance: number } {
    return book(turn, amount);
  }

  @Handle(Withdraw)
  withdraw({ amount }: Withdraw, turn: AccountTurn): { balance: number } {
    return take(turn, amount);
  }

  /** The deposit is stored in the step that commits the withdrawal, or neither is: no crash comes between them. */
  @Handle(Transfer)
  async transfer({ to, amount }: Transfer, turn: AccountTurn): Promise<{ balance: number }> {
    const left = take(turn, amount);
    await this.actors.tell(new Deposit({ accountId: to, amount }));
    return left;
  }

  @Read(GetBalance)
  balance(_: GetBalance, { state }: AccountTurn): number {
    return state.balance;
  }
}

function take(turn: AccountTurn, amount: number): { balance: number } {
  const { balance } = turn.state;
  if (balance < amount) throw new InsufficientFunds(balance, amount);
  return book(turn, -amount);
}

function book({ state }: AccountTurn, amount: number): { balance: number } {
  state.balance += amount;
  state.entries += 1;
  return { balance: state.balance };
}
