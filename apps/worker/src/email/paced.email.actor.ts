import {
  Actor,
  Actors,
  CLOCK,
  Handle,
  PostponeError,
  RejectError,
  RetryLaterError,
  toMilliseconds,
  type Clock,
  type Turn,
} from '@callsheet/messaging';
import { Inject } from '@nestjs/common';
import { z } from 'zod';
import { retryDelay, Settings } from '../settings.js';
import { AT_ONCE, Mailer } from './mailer.js';
import { pacedId, SendPacedEmail } from './paced.email.messages.js';
import { MailRefusedError } from './refusals.js';

/** What is kept of a domain. */
export const Lane = z.object({
  /** When the last mail to it went to the server, epoch milliseconds. */
  last: z.int().default(0),
});

/** More than clocks of workers can differ, ms. */
const CLOCKS_DIFFER = 60_000;
/** The longest wait before another attempt, ms. */
const LONGEST_DELAY = 300_000;

/**
 * Sends the mails of one domain after the other, no sooner than its limit (`MAIL_RATES`) allows: one key, one turn at a time over all
 * workers, and the time when the last mail went to the server is committed with it. What comes too early is postponed, and those behind
 * it wait too.
 *
 * A mail that the server does not take now is sent again later as a new message: it takes its place behind the others, so that it
 * does not hold them up, and its attempt counts for the limit.
 *
 * One that failed for good commits nothing: it keeps its place until the next mail may go, and its second attempt only ends it. So the
 * wait is in the store and takes no turn from other domains.
 */
@Actor({ state: Lane, retry: { attempts: 2 }, concurrency: AT_ONCE, journal: { keep: 100 } })
export class PacedEmailActor {
  constructor(
    private readonly mailer: Mailer,
    private readonly actors: Actors,
    private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Handle(SendPacedEmail)
  async send(
    { domain, id, attempt, attempts, mail }: SendPacedEmail,
    turn: Turn<typeof Lane>,
  ): Promise<void> {
    const { signal, deadline } = turn;
    const now = turn.now.getTime();
    const delay = delayAfter(attempt);
    const isLast = attempt >= attempts || now + delay >= (deadline?.getTime() ?? Infinity);
    if (turn.attempt > 1) {
      const text = `a mail to ${domain} failed in the attempt before, which tells why`;
      throw isLast ? new Error(text) : new MailRefusedError(text, [], false);
    }
    const gap = this.settings.mailRates.gapOf(domain) ?? 0;
    const { last } = turn.state;
    // Further ahead than clocks of workers differ: this one was put back.
    const wait = last - now > CLOCKS_DIFFER ? 0 : last + gap - now;
    if (wait > 0) {
      throw new PostponeError(`it is not yet the turn of a mail to ${domain}`, { after: wait });
    }
    let isBegun = false;
    const begun = (): void => {
      isBegun = true;
      turn.state.last = this.clock.now();
      turn.journal({ mail: id, attempt, at: turn.state.last });
    };
    try {
      await this.mailer.send(mail, { id, isLast, signal, begun });
    } catch (error) {
      signal.throwIfAborted();
      const isFinal = error instanceof RejectError;
      if (isFinal && !isBegun) throw error;
      if (isLast || isFinal) {
        const { message: reason } = error as Error;
        throw new RetryLaterError(reason, { after: isBegun ? gap : 0, cause: error });
      }
      const next = new SendPacedEmail({ domain, id, attempt: attempt + 1, attempts, mail });
      await this.actors.tell(next, {
        id: pacedId(id, attempt + 1),
        headers: { ...turn.headers },
        delay,
        // It counts from the end of the delay.
        ...(deadline && { ttl: Math.max(1, deadline.getTime() - delay - this.clock.now()) }),
      });
    }
  }
}

/** As the actor `email` waits, ms: doubled with each attempt. */
function delayAfter(attempt: number): number {
  const first = toMilliseconds(retryDelay('EMAIL_RETRY_DELAY', '1s'), 'EMAIL_RETRY_DELAY');
  return Math.min(first * 2 ** (attempt - 1), LONGEST_DELAY);
}
