import { ECDH } from 'node:crypto';
import { Message } from '@callsheet/messaging';
import { z } from 'zod';

/** As much as fits into the 4,096 bytes that every push service takes, when it is encrypted. */
export const PUSH_PAYLOAD_BYTES = 3_993;
/** Four weeks: push services keep nothing longer. Seconds. */
const LONGEST_TTL = 2_419_200;
const DAY = 86_400;

const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** Whose devices: 1 to 200 characters. */
const user = z.string().min(1).max(200);

const endpoint = z
  .url({ protocol: /^https$/, error: 'must be an https:// URL' })
  .max(2_048)
  .refine((url) => !/^https:\/\/[^/?#]*@/i.test(url), 'must not contain a user name or password');

/** What a browser says of a subscription: `JSON.stringify(subscription)` there. */
export const pushSubscription = z.strictObject({
  /** Where its push service takes messages for this device: whoever has it may try. */
  endpoint,
  /** When it ends, epoch milliseconds; null or absent: it does not say. */
  expirationTime: z.number().nullish(),
  keys: z.strictObject({
    /** Public key of the device, a point of P-256. */
    p256dh: z.string().refine(isPoint, 'must be the base64url of a point of P-256'),
    /** What else it takes to encrypt for the device: 16 bytes. */
    auth: z.string().regex(/^[A-Za-z0-9_-]{22}$/, 'must be the base64url of 16 bytes'),
  }),
});
export type PushSubscription = z.output<typeof pushSubscription>;

/** How much of a device's battery a push is worth (RFC 8030, section 5.3). */
export const pushUrgency = z.enum(['very-low', 'low', 'normal', 'high']);

/** Adds a device to those of a user. One that is there gets the new keys; of more than 20 the oldest goes. */
export class SavePushSubscription extends Message(
  'push.save',
  z.strictObject({ user, subscription: pushSubscription }),
  { key: 'user', secret: ['subscription'] },
) {}

/** Takes a device from those of a user, if it is there. */
export class RemovePushSubscription extends Message(
  'push.remove',
  z.strictObject({ user, endpoint }),
  { key: 'user', secret: ['endpoint'] },
) {}

/**
 * Shows something on every device of a user. The reply tells how many there are: each has a delivery of its own then, with
 * retries of its own. What the service worker there gets is {@link pushPayload}, at most 3,993 bytes.
 */
export class SendPush extends Message(
  'push.send',
  z
    .strictObject({
      user,
      title: z.string().min(1).max(200),
      body: z.string().max(2_000),
      /** What to open. */
      url: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }).optional(),
      /** Anything else for the service worker. */
      data: z.record(z.string(), z.unknown()).optional(),
      /** Seconds from when it is sent, after which nobody wants it any more; 1 to four weeks. Default a day. */
      ttl: z.int().min(1).max(LONGEST_TTL).default(DAY),
      /** Default: that of the message's priority: high for 10 and better, normal to 100, low to 1,000, else very-low. */
      urgency: pushUrgency.optional(),
      /** 1 to 32 letters, digits, `-_`: takes the place of an earlier one of the same topic that has not reached a device. */
      topic: z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,32}$/, 'must be 1 to 32 letters, digits, dashes, underscores')
        .optional(),
    })
    .refine(
      (push) => Buffer.byteLength(pushPayload(push)) <= PUSH_PAYLOAD_BYTES,
      `title, body, url and data must take at most ${PUSH_PAYLOAD_BYTES} bytes as JSON`,
    ),
  { key: 'user', reply: z.object({ devices: z.int() }) },
) {}

/** What the service worker of a device gets: `event.data.json()` is `{ title, body, url?, data? }`. */
export function pushPayload(push: {
  readonly title: string;
  readonly body: string;
  readonly url?: string | undefined;
  readonly data?: object | undefined;
}): string {
  const { title, body, url, data } = push;
  return JSON.stringify({ title, body, url, data });
}

function isPoint(text: string): boolean {
  if (!BASE64URL.test(text)) return false;
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== 65) return false;
  try {
    ECDH.convertKey(bytes, 'prime256v1');
    return true;
  } catch {
    return false;
  }
}
