import { describe, expect, it } from 'vitest';
import { audit } from './audit.js';
import { expectedOf, runOf, type Transfer } from './transfers.js';

const run = runOf('ledger', 40);
const expected = expectedOf(run);

/** What is found when these transfers have happened, and no others. */
const after = (transfers: readonly Transfer[]) =>
  audit(expected, expectedOf({ ...run, transfers }));
const without = (lost: Transfer) => run.transfers.filter((each) => each !== lost);

describe('a run', () => {
  it('is the same list in every process, between two accounts each time', () => {
    expect(runOf('ledger', 40)).toEqual(run);
    expect(runOf('other', 40).transfers[0]).not.toMatchObject({ from: run.transfers[0]!.from });
    expect(run.transfers.filter(({ from, to }) => from === to)).toEqual([]);
    expect(new Set(run.transfers.map(({ amount }) => amount)).size).toBe(40);
  });

  it('leaves each account with what it was opened with beyond its payments, and what came in', () => {
    const sum = [...expected.values()].reduce((all, { balance }) => all + balance, 0);
    expect(sum).toBe(20 * 100_000 + (40 * 41) / 2);
    const entries = [...expected.values()].reduce((all, each) => all + each.entries, 0);
    expect(entries).toBe(20 + 2 * 40);
    const largest = runOf('ledger', 50_000).openings.values();
    expect(Math.max(...largest)).toBeLessThanOrEqual(1_000_000_000); // the most that a deposit may be
  });
});

describe('an audit', () => {
  it('is right when each transfer has happened once, in any order', () => {
    expect(after(run.transfers.toReversed())).toEqual({
      isRight: true,
      lines: [
        'accounts that hold what they must: 20 of 20',
        'sum of all balances: 20,008.20, and must be 20,008.20',
        'transfers: 40, each counted once; 0 lost, 0 doubled',
      ],
    });
  });

  it.each(run.transfers)('sees $id lost, and doubled', (transfer) => {
    const lost = after(without(transfer));
    expect(lost.isRight).toBe(false);
    expect(lost.lines.at(-1)).toBe('transfers: 40; entries on accounts: 2 lost, 0 doubled');
    const doubled = after([...run.transfers, transfer]);
    expect(doubled.isRight).toBe(false);
    expect(doubled.lines.at(-1)).toBe('transfers: 40; entries on accounts: 0 lost, 2 doubled');
  });

  it('sees any one lost and another doubled, whatever the sum', () => {
    for (const lost of run.transfers) {
      for (const doubled of without(lost)) {
        expect(after([...without(lost), doubled]).isRight, `${lost.id}, ${doubled.id}`).toBe(false);
      }
    }
  });

  it('names the account, and what is wrong with it', () => {
    const [account = '', must = { balance: 0, entries: 0 }] = [...expected][0] ?? [];
    const found = new Map(expected).set(account, { ...must, balance: must.balance + 1 });
    const { isRight, lines } = audit(expected, found);
    expect(isRight).toBe(false);
    expect(lines).toContainEqual(expect.stringContaining(`${account} holds `));
    expect(lines).toContain('accounts that hold what they must: 19 of 20');
    expect(lines).toContain('sum of all balances: 20,008.21, and must be 20,008.20');
    found.delete(account);
    expect(audit(expected, found).lines[1]).toContain(`${account} holds 0.00 after 0 entries`);
  });
});
