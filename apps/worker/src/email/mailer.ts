import { createHash } from 'node:crypto';
import { SendEmail } from '@callsheet/contracts';
import { RejectError, type Turn } from '@callsheet/messaging';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { NodemailerError, Transporter } from 'nodemailer';
import { excerpt } from '../excerpt.js';
import { Settings } from '../settings.js';
import { MailAttachments } from './mail.attachments.js';
import { MailTemplates } from './mail.templates.js';
import { outbox, type Delivery } from './outbox.js';

/** Sends mail over a pool of SMTP connections, or into the outbox folder when no server is set. */
@Injectable()
export class Mailer implements OnApplicationShutdown {
  /** Made for the first mail: loading nodemailer takes 0.1 s, which a start does without. */
  private transport?: Promise<Transporter<Delivery>>;

  constructor(
    private readonly settings: Settings,
    private readonly templates: MailTemplates,
    private readonly attachments: MailAttachments,
  ) {
    const { smtpUrl, outboxDir } = settings;
    new Logger(Mailer.name).log(
      smtpUrl
        ? `mail goes to ${smtpUrl.protocol}//${smtpUrl.host}`
        : `mail goes to files in ${outboxDir}; set SMTP_URL to send it`,
    );
  }

  /**
   * One attempt. Resolves when the server has taken the mail for every recipient.
   *
   * The Message-ID follows from the turn's id, so a mail that is sent again, because the server's answer was lost say, is
   * recognised by receivers that look for duplicates, and overwrites its file in the outbox.
   *
   * @throws RejectError when its template cannot be filled or an attachment cannot be had, when the server refuses the mail for good
   *   (5xx), or takes it for some recipients only: another attempt would reach those twice
   * @throws Error when it may be accepted later: 4xx, a refused login, no connection, a full disk
   */
  async send(mail: SendEmail, turn: Pick<Turn, 'id' | 'signal'>): Promise<void> {
    const { template, data = {}, attachments = [] } = mail;
    const { subject, text, html } =
      template === undefined ? mail : await this.templates.render(template, data);
    const files = await this.attachments.load(attachments, turn.signal);
    const transport = await (this.transport ??= transportOf(this.settings));
    turn.signal.throwIfAborted();
    const delivery = await transport
      .sendMail({
        from: this.settings.mailFrom,
        to: typeof mail.to === 'string' ? mail.to : [...mail.to],
        replyTo: mail.replyTo,
        subject,
        text,
        html,
        attachments: [...files],
        messageId: `<${nameOf(turn.id)}@${this.settings.mailDomain}>`,
        disableFileAccess: true,
        disableUrlAccess: true,
        signal: turn.signal,
      })
      .catch((error: NodemailerError) => {
        turn.signal.throwIfAborted();
        throw this.settings.smtpUrl ? refusal(error, this.settings.smtpUrl.host) : error;
      });
    const refused = delivery.rejectedErrors ?? [];
    if (refused.length > 0) {
      const list = refused
        .map(({ recipient, response }) => `${recipient} (${response})`)
        .join(', ');
      throw new RejectError(`the mail was sent, but not to ${excerpt(list)}`);
    }
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
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    // The pool would silently send a mail again when a connection closes; attempts are counted by the actor.
    maxRequeues: 0,
  }) as Transporter<Delivery>;
}

/** A 5xx is final only when it is about the mail: one about greeting or login can be mended by the operator. */
function refusal(error: NodemailerError, host: string): Error {
  const { response, responseCode = 0, command, code } = error;
  const message = response
    ? `SMTP server ${host} answered '${excerpt(response)}' to ${command}`
    : `SMTP server ${host} failed: ${excerpt(error.message)}`;
  const final = responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE');
  return final ? new RejectError(message, { cause: error }) : new Error(message, { cause: error });
}

/** An id as part of a Message-ID and of a file name: itself when that is safe, else shortened and with a digest. */
function nameOf(id: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,99}$/.test(id)) return id;
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 16);
  return `${id.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 40)}-${digest}`;
}
