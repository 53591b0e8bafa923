import { Message } from '@callsheet/messaging';
import { z } from 'zod';

const address = z.email('must be an email address').max(254);

/** An email to send. Fields that are not declared are refused. */
export class SendEmail extends Message(
  'email.send',
  z
    .strictObject({
      /** One address, or a list of 1 to 50. All of them stand in the same mail. */
      to: z.union([address, z.array(address).min(1).max(50)], {
        error: 'must be an email address, or a list of 1 to 50 of them',
      }),
      /**
       * 1 to 998 characters, the length of a line in RFC 5322. Control characters are refused: a line break would begin
       * a header of the sender's choice.
       */
      subject: z
        .string()
        .min(1)
        .max(998)
        .regex(/^\P{Cc}*$/u, 'must be one line, without control characters'),
      /** Plain text body. */
      text: z.string().min(1).optional(),
      /** HTML body. With `text` too, the reader's program chooses. */
      html: z.string().min(1).optional(),
      /** Where answers go, when not to the sender. */
      replyTo: address.optional(),
    })
    .refine(({ text, html }) => text !== undefined || html !== undefined, {
      error: 'needs text, html or both',
    }),
) {}
