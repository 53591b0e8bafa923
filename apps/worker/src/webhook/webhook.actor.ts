import { DeliverWebhook } from '@callsheet/contracts';
import { Actor, Handle, type Turn } from '@callsheet/messaging';
import { retryDelay } from '../settings.js';
import { WebhookClient } from './webhook.client.js';

/** Delivers webhooks; one that fails for good becomes a dead letter with the receiver's last answer. */
@Actor({ retry: { attempts: 8, delay: retryDelay('WEBHOOK_RETRY_DELAY', '1s') } })
export class WebhookActor {
  constructor(private readonly client: WebhookClient) {}

  @Handle(DeliverWebhook)
  async deliver(webhook: DeliverWebhook, turn: Turn): Promise<void> {
    await this.client.deliver(webhook, turn);
  }
}
