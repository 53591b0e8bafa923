import { DeliverWebhook, generateSecret, signatures } from '@callsheet/contracts';
import type { Turn } from '@callsheet/messaging';
import { Injectable, Logger } from '@nestjs/common';
import type { RequestInit } from 'undici';
import { GuardedFetch } from '../outbound/guarded.fetch.js';
import { post, withoutQuery } from '../outbound/post.js';
import { Settings } from '../settings.js';
import { EndpointGoneError } from './endpoint.gone.error.js';

/** Delivers webhooks: an HTTP POST, signed after Standard Webhooks, to public addresses and those that are allowed. */
@Injectable()
export class WebhookClient {
  private readonly secrets: readonly Buffer[];
  private readonly timeout: number;

  constructor(
    settings: Settings,
    private readonly guarded: GuardedFetch,
  ) {
    this.timeout = settings.webhookTimeout;
    const { webhookSecrets } = settings;
    this.secrets = webhookSecrets.length > 0 ? webhookSecrets : [generateSecret()];
    if (webhookSecrets.length === 0) {
      new Logger(WebhookClient.name).warn(
        'WEBHOOK_SECRET is not set: webhooks are signed with a random secret of this process, so receivers cannot verify them',
      );
    }
  }

  /**
   * One attempt. Resolves when the receiver answers 2xx; then it has the event, possibly not for the first time: the same
   * `webhook-id` in every attempt tells it so. Redirects are not followed.
   *
   * @throws AddressRefusedError, a RejectError, when the URL leads to an address that is not allowed; nothing is sent
   * @throws EndpointGoneError, a RejectError, for 410
   * @throws RejectError for an answer that another attempt will not change: 3xx, and 4xx but 408, 425 and 429
   * @throws RetryLaterError when a 429 or 503 says when to come again, at most an hour ahead
   * @throws Error for any other answer, no answer in time, or no connection
   * @throws the reason of `turn.signal` when it aborts
   */
  async deliver(webhook: DeliverWebhook, turn: Pick<Turn, 'id' | 'sentAt' | 'signal'>) {
    const { url } = webhook;
    const answer = await post(this.guarded, url, this.seal(webhook, turn), {
      target: `POST ${withoutQuery(url)}`,
      timeout: this.timeout,
      signal: turn.signal,
    });
    if (answer.ok) return;
    const refusal = answer.refusal();
    throw answer.status === 410 ? new EndpointGoneError(refusal.message) : refusal;
  }

  private seal({ event, payload }: DeliverWebhook, turn: Pick<Turn, 'id' | 'sentAt'>): RequestInit {
    const id = headerValue(turn.id);
    const timestamp = Math.floor(Date.now() / 1_000);
    const body = JSON.stringify({
      type: event,
      timestamp: turn.sentAt.toISOString(),
      data: payload,
    });
    return {
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'callsheet',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signatures(this.secrets, id, timestamp, body),
      },
    };
  }
}

/** A sender's id may hold anything; a header only visible ASCII. Distinct ids stay distinct. */
function headerValue(id: string): string {
  return /^[!-$&-~]+$/.test(id) ? id : encodeURIComponent(id);
}
