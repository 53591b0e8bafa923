import type { Provider } from '@nestjs/common';
import { Bounces } from '../../apps/worker/src/email/bounces.js';
import { EmailActor } from '../../apps/worker/src/email/email.actor.js';
import { MailAttachments } from '../../apps/worker/src/email/mail.attachments.js';
import { MailTemplates } from '../../apps/worker/src/email/mail.templates.js';
import { Mailer } from '../../apps/worker/src/email/mailer.js';
import { PacedEmailActor } from '../../apps/worker/src/email/paced.email.actor.js';
import { GuardedFetch } from '../../apps/worker/src/outbound/guarded.fetch.js';
import { Settings } from '../../apps/worker/src/settings.js';

/** The part of a worker that sends mail, with these variables as its environment. */
export function mailProviders(env: Record<string, string>): Provider[] {
  const settings = new Settings(env);
  return [
    EmailActor,
    PacedEmailActor,
    Mailer,
    MailTemplates,
    MailAttachments,
    Bounces,
    { provide: GuardedFetch, useFactory: () => new GuardedFetch(settings.allowed) },
    { provide: Settings, useValue: settings },
  ];
}
