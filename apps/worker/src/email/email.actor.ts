import { SendEmail } from '@callsheet/contracts';
import { Actor, Actors, Handle, type Turn } from '@callsheet/messaging';
import { retryDelay, Settings } from '../settings.js';
import { Mailer } from './mailer.js';
import { pacedId, SendPacedEmail } from './paced.email.messages.js';

/** How often a mail is tried. */
export const ATTEMPTS = 8;

/**
 * Sends email, five at a time: as many as the pool has connections. Mail to a domain with a limit (`MAIL_RATES`) goes on to the actor
 * `paced-email`, where it has the domain as its key, and is as good as sent for this actor.
 */
@Actor({
  retry: { attempts: ATTEMPTS, delay: retryDelay('EMAIL_RETRY_DELAY', '1s') },
  concurrency: 5,
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
    const ttl = deadline && Math.max(1, deadline.getTime() - now.getTime());
    const paced = new SendPacedEmail({ domain, id, attempt: 1, mail: structuredClone(mail) });
    await this.actors.tell(paced, {
      id: pacedId(id, 1),
      headers: { ...headers },
      ...(ttl !== undefined && { ttl }),
    });
  }
}
