import { Message } from '@callsheet/messaging';
import { z } from 'zod';

const address = z.email('must be an email address').max(254);

/**
 * Subject of an email: 1 to 998 characters, the length of a line in RFC 5322. Control characters are refused: a line break
 * would begin a header of the sender's choice.
 */
export const mailSubject = z
  .string()
  .min(1)
  .max(998)
  .regex(/^\P{Cc}*$/u, 'must be one line, without control characters');

/** A file to send with an email. The message only names it: it is read when the email is sent. */
const attachment = z.strictObject({
  /** What the reader's program calls it: 1 to 200 characters, without slashes and control characters. */
  filename: z
    .string()
    .max(200)
    .regex(/^[^/\\\p{Cc}]+$/u, 'must be a name without slashes and control characters'),
  /**
   * Where it is: a path within the worker's folder of attachments (`MAIL_ATTACHMENTS`), `invoices/42.pdf` say, or an http or https
   * URL, which must lead where the worker may go (`WEBHOOK_ALLOW`). At most 2,048 characters.
   */
  ref: z
    .string()
    .max(2_048)
    .refine(isReference, 'must be a relative path without .., or an http:// or https:// URL'),
  /** Lower-case hexadecimal SHA-256 of its content; other content is not sent. Default: any will do. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')
    .optional(),
  /** `application/pdf` say; no `multipart/` or `message/`, which are made of parts. Default: what the file name tells. */
  contentType: z
    .string()
    .max(127)
    .regex(
      /^(?!multipart\/|message\/)[\w.+-]+\/[\w.+-]+$/i,
      "must be '<type>/<subtype>', not multipart or message",
    )
    .optional(),
  /** Makes it part of the HTML body, which shows it as `cid:<this>`: 1 to 100 letters, digits, `_.@-`. */
  cid: z
    .string()
    .max(100)
    .regex(/^[\w.@-]+$/, 'must be letters, digits, dots, dashes, underscores, @')
    .optional(),
});
export type EmailAttachment = z.output<typeof attachment>;

/** The fields of an email. Either `subject` with `text`, `html` or both, or a `template` with its `data`. */
export const email = z
  .strictObject({
    /** One address, or a list of 1 to 50. All of them stand in the same mail. */
    to: z.union([address, z.array(address).min(1).max(50)], {
      error: 'must be an email address, or a list of 1 to 50 of them',
    }),
    /** One line of 1 to 998 characters. */
    subject: mailSubject.optional(),
    /** Plain text body. */
    text: z.string().min(1).optional(),
    /** HTML body. With `text` too, the reader's program chooses. */
    html: z.string().min(1).optional(),
    /** Name of a template that the worker has, in place of subject, text and html: 1 to 64 letters, digits, `_-`. */
    template: z
      .string()
      .max(64)
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'must be letters, digits, dashes, underscores')
      .optional(),
    /** What the template is filled with. Default: nothing. */
    data: z.record(z.string(), z.unknown()).optional(),
    /** Where answers go, when not to the sender. */
    replyTo: address.optional(),
    /** At most 20 files. */
    attachments: z.array(attachment).max(20).optional(),
  })
  .superRefine(({ subject, text, html, template, data }, context) => {
    const refuse = (path: string[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    if (template !== undefined) {
      if (subject === undefined && text === undefined && html === undefined) return;
      return refuse(['template'], 'takes the place of subject, text and html: give either');
    }
    if (data !== undefined) refuse(['data'], 'is for a template: name one');
    if (subject === undefined) refuse(['subject'], 'is needed, or a template');
    if (text === undefined && html === undefined) refuse([], 'needs text, html or both');
  });

export type Email = z.output<typeof email>;

/** Actor that sends mail to domains with a limit. Its messages come from the actor `email`, and from nobody else. */
export const PACED_EMAIL = 'paced-email';

/** An email to send, found by who gets it. Fields that are not declared are refused. */
export class SendEmail extends Message('email.send', email, { search: ['to'] }) {}

/**
 * Event: a mail server refused an email for one of its recipients, so it did not get there. Whoever keeps addresses may mark this
 * one: for good when `permanent` and `status` begins with `5.1`, which is about the address.
 */
export class EmailBounced extends Message(
  'email.bounced',
  z.object({
    /** Id of the message that the email was sent with. */
    id: z.string(),
    /** Message-ID of the email, in angle brackets. */
    messageId: z.string(),
    /** The address, as it stood in the email. */
    recipient: z.string(),
    /** Enhanced status code (RFC 3463): that of the answer, else `5.0.0` or `4.0.0`. */
    status: z.string().regex(/^[245]\.\d{1,3}\.\d{1,3}$/),
    /** Whether it would be refused again (5xx). If not, it was refused as often as it was tried (4xx). */
    permanent: z.boolean(),
    /** What the server answered, at most 200 characters. */
    diagnostic: z.string(),
  }),
) {}

function isReference(ref: string): boolean {
  if (/^https?:\/\//i.test(ref)) {
    if (!URL.canParse(ref)) return false;
    const { username, password } = new URL(ref);
    return username === '' && password === '';
  }
  const isPath = /^[^/\\:\p{Cc}][^\\:\p{Cc}]*$/u.test(ref);
  return isPath && ref.split('/').every((part) => !['', '.', '..'].includes(part));
}
