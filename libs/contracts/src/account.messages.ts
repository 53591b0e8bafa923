import { Message } from '@callsheet/messaging';
import { z } from 'zod';

/** Whose account: 1 to 64 letters, digits, `_.-`, the first a letter or digit. */
const accountId = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'must be letters, digits, dots, dashes, underscores');

/** Whole cents, from 1 to ten million in the currency's unit: sums stay exact. */
const amount = z.int('must be a whole number of cents').min(1).max(1_000_000_000);

/** What an account holds after a turn, in cents. */
const balance = z.object({ balance: z.int() });

// Every message names its account, so each account has one turn at a time, in the order sent.

/** Puts money on an account; one that is new begins with nothing. */
export class Deposit extends Message('account.deposit', z.strictObject({ accountId, amount }), {
  key: 'accountId',
  reply: balance,
}) {}

/** Takes money from an account; rejected as `insufficient_funds` when it holds less. */
export class Withdraw extends Message('account.withdraw', z.strictObject({ accountId, amount }), {
  key: 'accountId',
  reply: balance,
}) {}

/** Takes money from an account, as {@link Withdraw}, and has it put on another. The reply is the balance of the first. */
export class Transfer extends Message(
  'account.transfer',
  z
    .strictObject({ accountId, to: accountId, amount })
    .refine(({ accountId: from, to }) => from !== to, {
      path: ['to'],
      error: 'must be another account',
    }),
  { key: 'accountId', reply: balance },
) {}

/** What an account holds, in cents; 0 for one that there is not. */
export class GetBalance extends Message('account.balance', z.strictObject({ accountId }), {
  key: 'accountId',
  reply: z.int(),
}) {}
