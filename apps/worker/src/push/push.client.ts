import type { Turn } from '@callsheet/messaging';
import { Injectable, Logger } from '@nestjs/common';
import { digestOf } from '../digest.js';
import { GuardedFetch } from '../outbound/guarded.fetch.js';
import { post } from '../outbound/post.js';
import { Settings } from '../settings.js';
import { storeFile } from '../store.file.js';
import type { DeliverPush } from './push.delivery.js';
import { PushExpiredError } from './push.expired.error.js';
import type { Vapid } from './vapid.js';

type PushTurn = Pick<Turn, 'id' | 'now' | 'deadline' | 'signal'>;

/** Four weeks, for a push without deadline, seconds. */
const LONGEST_TTL = 2_419_200;

/**
 * Hands pushes to the push services of browsers (RFC 8030), encrypted for the device (RFC 8291) and signed by the application
 * (RFC 8292); or into the outbox folder when no keys are set.
 */
@Injectable()
export class PushClient {
  constructor(
    private readonly settings: Settings,
    private readonly guarded: GuardedFetch,
  ) {
    const { vapid, outboxDir } = settings;
    if (vapid) return;
    new Logger(PushClient.name).log(
      `pushes go to files in ${outboxDir}; set VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY and VAPID_SUBJECT to send them`,
    );
  }

  /**
   * One attempt. The push service keeps it for the device for what is left of its time. Nothing of the endpoint but its origin
   * stands in errors: whoever has it may push.
   *
   * @returns 'gone' when the push service does not know the device any more (404, 410), else 'taken'
   * @throws PushExpiredError, a RejectError, when its time is up
   * @throws AddressRefusedError, a RejectError, when the endpoint leads to an address that is not allowed; nothing is sent
   * @throws RejectError for an answer that another attempt will not change: 3xx, and 4xx but 408, 425 and 429
   * @throws RetryLaterError when a 429 or 503 says when to come again, at most an hour ahead
   * @throws Error for any other answer, no answer in time, or no connection
   * @throws the reason of `turn.signal` when it aborts
   */
  async deliver(push: DeliverPush, turn: PushTurn): Promise<'taken' | 'gone'> {
    const { vapid } = this.settings;
    const ttl = secondsLeft(turn);
    // The framework asks that of the first attempt alone.
    if (ttl <= 0) throw new PushExpiredError('its ttl is over: not sent again');
    if (!vapid) return this.write(push, ttl, turn.id);
    const { endpoint, headers, body } = await requestOf(push, ttl, vapid);
    const answer = await post(
      this.guarded,
      endpoint,
      { headers, body },
      {
        target: `push service ${new URL(endpoint).origin}`,
        timeout: this.settings.webhookTimeout,
        signal: turn.signal,
      },
    );
    if (answer.ok) return 'taken';
    if ([404, 410].includes(answer.status)) return 'gone';
    throw answer.refusal();
  }

  /** The same push overwrites its file. */
  private async write(push: DeliverPush, ttl: number, id: string): Promise<'taken'> {
    const { user, device, payload, urgency, topic } = push;
    const shown = { user, device, ttl, urgency, topic, payload: JSON.parse(payload) as unknown };
    await storeFile(
      this.settings.outboxDir,
      `${digestOf(id, 16)}.push.json`,
      `${JSON.stringify(shown, undefined, 2)}\n`,
    );
    return 'taken';
  }
}

function secondsLeft({ deadline, now }: PushTurn): number {
  return deadline ? Math.ceil((deadline.getTime() - now.getTime()) / 1_000) : LONGEST_TTL;
}

/** Loads the library for the first push: a start does without it. */
async function requestOf(push: DeliverPush, ttl: number, vapid: Vapid) {
  const { subscription, payload, urgency, topic } = push;
  // oxlint-disable-next-line no-restricted-imports -- this is when it is needed
  const { default: library } = await import('web-push');
  const { endpoint, headers, body } = library.generateRequestDetails(
    { endpoint: subscription.endpoint, keys: { ...subscription.keys } },
    payload,
    {
      ...{ vapidDetails: vapid, TTL: ttl, urgency, contentEncoding: 'aes128gcm' },
      ...(topic !== undefined && { topic }),
    },
  );
  const { 'Content-Length': _, ...rest } = headers;
  return { endpoint, headers: { ...rest, TTL: String(ttl) }, body };
}
