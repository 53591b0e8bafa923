import type { Account } from './transfers.js';

type Books = ReadonlyMap<string, Account>;

/** How the accounts compare with what they must hold. */
export interface Audit {
  isRight: boolean;
  /** One line each. */
  lines: string[];
}

/** Account by account, because a fault on one must not make up for a fault on another. */
export function audit(expected: Books, found: Books): Audit {
  const pairs = [...expected].map(([account, must]) => ({
    account,
    must,
    has: found.get(account) ?? { balance: 0, entries: 0 },
  }));
  const wrong = pairs.filter(
    ({ must, has }) => must.balance !== has.balance || must.entries !== has.entries,
  );
  const surplus = pairs.map(({ must, has }) => has.entries - must.entries);
  const lost = total(surplus.map((entries) => Math.max(0, -entries)));
  const doubled = total(surplus.map((entries) => Math.max(0, entries)));
  const isRight = wrong.length === 0;
  const transfers = (total(pairs.map(({ must }) => must.entries)) - pairs.length) / 2;
  return {
    isRight,
    lines: [
      `accounts that hold what they must: ${pairs.length - wrong.length} of ${pairs.length}`,
      ...wrong.map(
        ({ account, must, has }) =>
          `  ${account} holds ${money(has.balance)} after ${has.entries} entries, and must hold ${money(must.balance)} after ${must.entries}`,
      ),
      `sum of all balances: ${money(sumOf(pairs.map(({ has }) => has)))}, and must be ${money(sumOf(pairs.map(({ must }) => must)))}`,
      isRight
        ? `transfers: ${transfers}, each counted once; 0 lost, 0 doubled`
        : `transfers: ${transfers}; entries on accounts: ${lost} lost, ${doubled} doubled`,
    ],
  };
}

function sumOf(accounts: readonly Account[]): number {
  return total(accounts.map(({ balance }) => balance));
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}

function money(cents: number): string {
  return (cents / 100).toLocaleString('en', { minimumFractionDigits: 2 });
}
