import { Message } from '@callsheet/messaging';
import { z } from 'zod';

/** As many characters as a key may have. */
const LONGEST_ENDPOINT = 200;

/**
 * An event to deliver to a URL by HTTP POST, signed. Events of one endpoint arrive in the order sent: each waits for the one
 * before it to arrive or to be given up. Fields that are not declared are refused.
 */
export class DeliverWebhook extends Message(
  'webhook.deliver',
  z
    .strictObject({
      /** The receiver: http or https, at most 2,048 characters, without user name and password. */
      url: z
        .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
        .max(2_048)
        .refine(withoutCredentials, 'must not contain a user name or password'),
      /** What happened, `invoice.paid` say; 1 to 128 letters, digits, `_.-`. Arrives as `type`. */
      event: z
        .string()
        .max(128)
        .regex(
          /^[A-Za-z0-9][A-Za-z0-9_.-]*$/,
          'must be letters, digits, dots, dashes, underscores',
        ),
      /** Any JSON object. Arrives as `data`. */
      payload: z.record(z.string(), z.unknown()),
      /**
       * What stays in order, 1 to 200 characters: one receiver, or one of its customers. Default: the URL without its query (the
       * first 200 characters).
       */
      endpoint: z.string().min(1).max(LONGEST_ENDPOINT).optional(),
    })
    .transform(({ endpoint, ...event }) => ({
      ...event,
      endpoint: endpoint ?? endpointOf(event.url),
    })),
  { key: 'endpoint' },
) {}

function endpointOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return (origin + pathname).slice(0, LONGEST_ENDPOINT);
}

function withoutCredentials(url: string): boolean {
  if (!URL.canParse(url)) return true;
  const { username, password } = new URL(url);
  return username === '' && password === '';
}
