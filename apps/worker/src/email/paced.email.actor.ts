import {
  Actor,
  Actors,
  CLOCK,
  Handle,
  PostponeError,
  RejectError,
  toMilliseconds,
  type Clock,
  type Turn,
} from '@callsheet/messaging';
import { Inject } from '@nestjs/common';
import { z } from 'zod';
import { retryDelay, Settings } from '../settings.js';
import { ATTEMPTS } from './email.actor.js';
import { Mailer } from './mailer.js';
import { pacedId, SendPacedEmail } from './paced.email.messages.js';
import { MailRefusedError } from './refusals.js';

/** What is kept of a domain. */
export const Lane = z.object({
  /** When the last mail to it was tried, epoch milliseconds. */
  last: z.int().default(0),
});

/** More than clocks of workers can differ, ms. */
const CLOCKS_DIFFER = 60_000;
/** The longest wait before another attempt, and after a refusal, ms. */
const LONGEST_DELAY = 300_000;
const LONGEST_REST = 60_000;

/**
 * Sends the mails of one domain after the other, no sooner than its limit (`MAIL_RATES`) allows: one key, one turn at a time over all
 * workers, and the time of the last mail is committed with it. What comes too early is postponed, and those behind it wait too.
 *
 * A mail that the server does not take now is sent again later as a new message: it takes its place behind the others, so that it
 * does not hold them up, and its attempt counts for the limit. Hence one attempt per message.
 */
@Actor({ state: Lane, retry: { attempts: 1 }, concurrency: 50, journal: { keep: 100 } })
export class PacedEmailActor {
  constructor(
    private readonly mailer: Mailer,
    private readonly actors: Actors,
    private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Handle(SendPacedEmail)
  async send(
    { domain, id, attempt, mail }: SendPacedEmail,
    turn: Turn<typeof Lane>,
  ): Promise<void> {
    const now = turn.now.getTime();
    const gap = this.settings.mailRates.gapOf(domain) ?? 0;
    const { last } = turn.state;
    // Further ahead than clocks of workers differ: this one was put back.
    const wait = last - now > CLOCKS_DIFFER ? 0 : last + gap - now;
    if (wait > 0) {
      throw new PostponeError(`it is not yet the turn of a mail to ${domain}`, { after: wait });
    }
    turn.state.last = now;
    turn.journal({ mail: id, attempt, at: now });
    const isLast = attempt >= ATTEMPTS;
    try {
      await this.mailer.send(mail, { id, isLast, signal: turn.signal });
    } catch (error) {
      turn.signal.throwIfAborted();
      if (isLast || error instanceof RejectError) {
        await this.rest(error, gap, turn.signal);
        throw error;
      }
      await this.actors.tell(new SendPacedEmail({ domain, id, attempt: attempt + 1, mail }), {
        id: pacedId(id, attempt + 1),
        headers: { ...turn.headers },
        delay: delayAfter(attempt),
      });
    }
  }

  /**
   * A turn that fails commits nothing, not even the time of this mail: so it lasts until the next one may come. Not when some
   * recipients have got the mail: a process that stops meanwhile would hand it back, and they would get it again.
   */
  private async rest(error: unknown, gap: number, signal: AbortSignal): Promise<void> {
    if (error instanceof MailRefusedError && error.isSent) return;
    await new Promise<void>((resolve) => {
      const cancel = this.clock.after(Math.min(gap, LONGEST_REST), resolve);
      signal.addEventListener('abort', () => (cancel(), resolve()), { once: true });
    });
  }
}

/** As the actor `email` waits, ms: doubled with each attempt. */
function delayAfter(attempt: number): number {
  const first = toMilliseconds(retryDelay('EMAIL_RETRY_DELAY', '1s'), 'EMAIL_RETRY_DELAY');
  return Math.min(first * 2 ** (attempt - 1), LONGEST_DELAY);
}
