import { DeliverWebhook } from '@callsheet/contracts';
import { Actor, Handle, type Turn } from '@callsheet/messaging';
import { retryDelay } from '../settings.js';
import { WebhookClient } from './webhook.client.js';

/**
 * Delivers webhooks, those of one endpoint one by one, in the order sent. While one of them is tried again, those behind it
 * wait; other endpoints go on. One that fails for good becomes a dead letter with the receiver's last answer.
 *
 * Many turns at a time, because each waits for its receiver and an endpoint takes no more than one.
 */
@Actor({
  retry: { attempts: 8, delay: retryDelay('WEBHOOK_RETRY_DELAY', '1s') },
  concurrency: 50,
})
export class WebhookActor {
  constructor(private readonly client: WebhookClient) {}

  @Handle(DeliverWebhook)
  async deliver(webhook: DeliverWebhook, turn: Turn): Promise<void> {
    await this.client.deliver(webhook, turn);
  }
}
