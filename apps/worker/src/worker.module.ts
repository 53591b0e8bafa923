import { RoutesActor, UnroutedActor } from '@callsheet/messaging';
import { SchedulerModule } from '@callsheet/scheduler';
import { SyncModule } from '@callsheet/sync';
import { Module } from '@nestjs/common';
import { AccountActor } from './account/account.actor.js';
import { AlertActor } from './alerts/alert.actor.js';
import { ChatActor } from './chat/chat.actor.js';
import { Bounces } from './email/bounces.js';
import { EmailActor } from './email/email.actor.js';
import { MailAttachments } from './email/mail.attachments.js';
import { MailTemplates } from './email/mail.templates.js';
import { Mailer } from './email/mailer.js';
import { PacedEmailActor } from './email/paced.email.actor.js';
import { HeartbeatActor } from './heartbeat/heartbeat.actor.js';
import { GuardedFetch } from './outbound/guarded.fetch.js';
import { PushActor } from './push/push.actor.js';
import { PushClient } from './push/push.client.js';
import { PushDeviceActor } from './push/push.device.actor.js';
import { Settings } from './settings.js';
import { SignupSync } from './sync/signup.sync.js';
import { WebhookActor } from './webhook/webhook.actor.js';
import { WebhookClient } from './webhook/webhook.client.js';

/** The actors and what they work with. Import it beside `CallsheetModule.forRoot(...)`. */
@Module({
  imports: [SchedulerModule, SyncModule],
  providers: [
    AccountActor,
    ChatActor,
    EmailActor,
    PacedEmailActor,
    WebhookActor,
    PushActor,
    PushDeviceActor,
    HeartbeatActor,
    AlertActor,
    RoutesActor,
    UnroutedActor,
    SignupSync,
    Mailer,
    MailTemplates,
    MailAttachments,
    Bounces,
    WebhookClient,
    PushClient,
    {
      provide: GuardedFetch,
      inject: [Settings],
      useFactory: ({ allowed }: Settings) => new GuardedFetch(allowed),
    },
    { provide: Settings, useFactory: () => new Settings(process.env) },
  ],
})
export class WorkerModule {}
