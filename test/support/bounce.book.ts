import { EmailBounced } from '@callsheet/contracts';
import { Actor, On } from '@callsheet/messaging';

/** Keeps what is told of refused mails. */
@Actor({ name: 'book' })
export class BounceBook {
  readonly bounced: EmailBounced[] = [];

  @On(EmailBounced)
  mark(event: EmailBounced): void {
    this.bounced.push(event);
  }
}
