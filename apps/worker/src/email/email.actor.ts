import { SendEmail } from '@callsheet/contracts';
import {
  Actor,
  Actors,
  Handle,
  InvalidMessageError,
  RejectError,
  type Turn,
} from '@callsheet/messaging';
import { retryDelay, Settings } from '../settings.js';
import { AT_ONCE, Mailer } from './mailer.js';
import { pacedId, SendPacedEmail } from './paced.email.messages.js';

/**
 * Sends email, five at a time, each tried 8 times unless its sender says otherwise. Mail to a domain with a limit (`MAIL_RATES`) goes on to the actor
 * `paced-email`, where it has the domain as its key, and is as good as sent for this actor.
 */
@Actor({
  retry: { attempts: 8, delay: retryDelay('EMAIL_RETRY_DELAY', '1s') },
  concurrency: AT_ONCE,
})
export class EmailActor {
  constructor(
    private readonly mailer: Mailer,
    private readonly actors: Actors,
    private readonly settings: Settings,
  ) {}

  @Handle(SendEmail)
  async send(mail: SendEmail, turn: Turn): Promise<void> {
    const { id, signal, attempt, attempts, now, deadline, headers } = turn;
    const domain = this.settings.mailRates.strictest(mail.to);
    if (domain === undefined) {
      return this.mailer.send(mail, { id, signal, isLast: attempt >= attempts });
    }
    // One that is redriven after its time is to be sent all the same.
    const ttl = deadline && deadline > now ? deadline.getTime() - now.getTime() : undefined;
    try {
      const paced = new SendPacedEmail({
        ...{ domain, id, attempt: 1, attempts },
        mail: structuredClone(mail),
      });
      await this.actors.tell(paced, {
        id: pacedId(id, 1),
        headers: { ...headers },
        ...(ttl !== undefined && { ttl }),
      });
    } catch (error) {
      throw error instanceof InvalidMessageError ? tooLarge(domain, error) : error;
    }
  }
}

/** What goes with a mail on its way takes some bytes, and a level of its depth. */
function tooLarge(domain: string, cause: InvalidMessageError): RejectError {
  return new RejectError(
    `the mail is too large or too deep to wait for the limit of ${domain}: a file or a template makes it smaller`,
    { cause },
  );
}
