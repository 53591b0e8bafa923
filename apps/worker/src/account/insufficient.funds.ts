import { RejectError } from '@callsheet/messaging';

/** An account holds less than was to be taken. Waiting does not mend it, so the message is rejected at once. */
export class InsufficientFunds extends RejectError {
  override readonly code = 'insufficient_funds';

  constructor(
    /** What the account holds, in cents. */
    readonly balance: number,
    /** What was to be taken, in cents. */
    readonly amount: number,
  ) {
    super(`the account holds ${balance}, which is less than ${amount}`);
  }
}
