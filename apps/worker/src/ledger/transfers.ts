import { createHash } from 'node:crypto';

/** What an account holds, in cents, and how often something was put on it or taken from it. */
export interface Account {
  balance: number;
  entries: number;
}

/** Takes `amount` cents from one account and puts them on another. */
export interface Transfer {
  id: string;
  from: string;
  to: string;
  amount: number;
}

/** All that is sent in one run. The same name and number make the same list, in whatever process. */
export interface Run {
  /** Cents put on each account at first. */
  openings: ReadonlyMap<string, number>;
  transfers: readonly Transfer[];
}

const ACCOUNTS = 20;
/** In cents. */
const LEFT_AT_LEAST = 100_000;

/**
 * Between accounts drawn by hash. The n-th moves n cents: no two are alike, so one that is lost and another that is doubled
 * cannot make up for each other. Accounts are opened with all they will pay: none fails, in whatever order they happen.
 */
export function runOf(name: string, count: number): Run {
  const accounts = Array.from(
    { length: ACCOUNTS },
    (_, n) => `${name}.${String(n + 1).padStart(2, '0')}`,
  );
  const openings = new Map(accounts.map((account) => [account, LEFT_AT_LEAST]));
  const transfers = Array.from({ length: count }, (_, n) => {
    const id = `${name}/${n + 1}`;
    const drawn = createHash('sha256').update(id).digest();
    const payer = drawn.readUInt32LE(0) % ACCOUNTS;
    const payee = (payer + 1 + (drawn.readUInt32LE(4) % (ACCOUNTS - 1))) % ACCOUNTS;
    return { id, from: accounts[payer]!, to: accounts[payee]!, amount: n + 1 };
  });
  for (const { from, amount } of transfers) openings.set(from, openings.get(from)! + amount);
  return { openings, transfers };
}

/** What the accounts must hold when each transfer has happened once: arithmetic alone, nothing is asked of the store. */
export function expectedOf({ openings, transfers }: Run): Map<string, Account> {
  const books = new Map(
    [...openings].map(([account, balance]) => [account, { balance, entries: 1 }]),
  );
  const book = (account: string, amount: number): void => {
    const { balance, entries } = books.get(account)!;
    books.set(account, { balance: balance + amount, entries: entries + 1 });
  };
  for (const { from, to, amount } of transfers) {
    book(from, -amount);
    book(to, amount);
  }
  return books;
}
