import { SendEmail } from '@callsheet/contracts';
import { Actor, Handle, type Turn } from '@callsheet/messaging';
import { retryDelay } from '../settings.js';
import { Mailer } from './mailer.js';

/** Sends email, five at a time: as many as the pool has connections. */
@Actor({
  retry: { attempts: 8, delay: retryDelay('EMAIL_RETRY_DELAY', '1s') },
  concurrency: 5,
})
export class EmailActor {
  constructor(private readonly mailer: Mailer) {}

  @Handle(SendEmail)
  async send(mail: SendEmail, turn: Turn): Promise<void> {
    const { id, signal, attempt, attempts } = turn;
    await this.mailer.send(mail, { id, signal, isLast: attempt >= attempts });
  }
}
