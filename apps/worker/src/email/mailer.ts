import type { Email } from '@callsheet/contracts';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { NodemailerError, Transporter } from 'nodemailer';
import { Settings } from '../settings.js';
import { Bounces } from './bounces.js';
import { MailAttachments } from './mail.attachments.js';
import { mailName } from './mail.name.js';
import { MailTemplates } from './mail.templates.js';
import { outbox, type Delivery } from './outbox.js';
import { MailDeferredError, MailRefusedError, partialRefusal, refusalOf } from './refusals.js';

/** One attempt to send a mail. */
export interface Attempt {
  /** Of the message that the mail was sent with: the same in every attempt. */
  readonly id: string;
  /** Whether there will be no other one if the server does not take the mail now. */
  readonly isLast: boolean;
  readonly signal: AbortSignal;
  /** Called when the mail is ready and goes to the server: not when its template or an attachment fails. */
  readonly begun?: () => void;
}

/** How many mails each of the actors `email` and `paced-email` sends at once: every one may have 20 MB of attachments in memory. */
export const AT_ONCE = 5;
const CONNECTIONS = 2 * AT_ONCE;

/** Sends mail over a pool of SMTP connections, or into the outbox folder when no server is set. */
@Injectable()
export class Mailer implements OnApplicationShutdown {
  /** Made for the first mail: loading nodemailer takes 0.1 s, which a start does without. */
  private transport?: Promise<Transporter<Delivery>>;
  private readonly logger = new Logger(Mailer.name);

  constructor(
    private readonly settings: Settings,
    private readonly templates: MailTemplates,
    private readonly attachments: MailAttachments,
    private readonly bounces: Bounces,
  ) {
    const { smtpUrl, outboxDir } = settings;
    this.logger.log(
      smtpUrl
        ? `mail goes to ${smtpUrl.protocol}//${smtpUrl.host}`
        : `mail goes to files in ${outboxDir}; set SMTP_URL to send it`,
    );
  }

  /**
   * One attempt. Resolves when the server has taken the mail for every recipient.
   *
   * The Message-ID follows from the id, so a mail that is sent again, because the server's answer was lost say, is
   * recognised by receivers that look for duplicates, and overwrites its file in the outbox.
   *
   * What the server refuses and will not be asked again is published as EmailBounced; if that fails after some recipients have got
   * the mail, it stands in the log only.
   *
   * @throws RejectError when its template cannot be filled or an attachment cannot be had
   * @throws MailRefusedError, a RejectError, when the server refuses the mail for good (5xx), or takes it for some recipients only:
   *   another attempt would reach those twice
   * @throws MailDeferredError when it may take it later: 4xx, a refused login, no connection
   * @throws Error for what else may be mended: a full disk, a file that does not come
   */
  async send(mail: Email, attempt: Attempt): Promise<void> {
    const messageId = `<${mailName(attempt.id)}@${this.settings.mailDomain}>`;
    try {
      await this.deliver(mail, messageId, attempt);
    } catch (error) {
      const isDeferred = error instanceof MailDeferredError;
      if (error instanceof MailRefusedError || (isDeferred && attempt.isLast)) {
        await this.tell({ id: attempt.id, messageId }, error);
      }
      throw error;
    }
  }

  /** Publishes the bounces. When that fails the mail may be tried again, but not when some have got it. */
  private async tell(
    mail: { id: string; messageId: string },
    error: MailRefusedError | MailDeferredError,
  ): Promise<void> {
    try {
      await this.bounces.publish(mail, error.refusals);
    } catch (failure) {
      if (!(error instanceof MailRefusedError && error.isSent)) throw failure;
      this.logger.error(`${mail.id}: a bounce could not be published: ${String(failure)}`);
    }
  }

  private async deliver(mail: Email, messageId: string, { signal, begun }: Attempt): Promise<void> {
    const { template, data = {}, attachments = [], replyTo } = mail;
    const to = typeof mail.to === 'string' ? [mail.to] : [...mail.to];
    const { subject, text, html } =
      template === undefined ? mail : await this.templates.render(template, data);
    const files = await this.attachments.load(attachments, signal);
    const transport = await (this.transport ??= transportOf(this.settings));
    signal.throwIfAborted();
    begun?.();
    const delivery = await transport
      .sendMail({
        from: this.settings.mailFrom,
        to,
        replyTo,
        subject,
        text,
        html,
        attachments: [...files],
        messageId,
        disableFileAccess: true,
        disableUrlAccess: true,
        signal,
      })
      .catch((error: NodemailerError) => {
        signal.throwIfAborted();
        throw this.settings.smtpUrl ? refusalOf(error, this.settings.smtpUrl.host, to) : error;
      });
    const refused = delivery.rejectedErrors ?? [];
    if (refused.length > 0) throw partialRefusal(refused);
  }

  /** Closes the pool; by now no turn runs. */
  async onApplicationShutdown(): Promise<void> {
    (await this.transport)?.close();
  }
}

async function transportOf({ smtpUrl, outboxDir }: Settings): Promise<Transporter<Delivery>> {
  // oxlint-disable-next-line no-restricted-imports -- this is when it is needed
  const { createTransport } = await import('nodemailer');
  if (!smtpUrl) return createTransport(outbox(outboxDir));
  return createTransport({
    url: smtpUrl.href,
    pool: true,
    maxConnections: CONNECTIONS,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    // The pool would silently send a mail again when a connection closes; attempts are counted by the actor.
    maxRequeues: 0,
  }) as Transporter<Delivery>;
}
