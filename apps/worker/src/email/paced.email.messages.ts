import { email } from '@callsheet/contracts';
import { Message } from '@callsheet/messaging';
import { z } from 'zod';
import { mailName } from './mail.name.js';

/** A mail to a domain with a limit, which waits for its turn there. Only the actor `email`, and it itself, send it. */
export class SendPacedEmail extends Message(
  'paced-email.send',
  z.strictObject({
    /** Whose limit it waits for. */
    domain: z.string().min(1).max(200),
    /** Of the message that the mail was sent with. */
    id: z.string(),
    /** Number of this attempt, from 1. */
    attempt: z.int().min(1),
    /** How many there are in all. */
    attempts: z.int().min(1),
    mail: email,
  }),
  { key: 'domain' },
) {}

/** Id of the message that makes this attempt: `<id of the mail>@paced-email`, from the second on with its number. */
export function pacedId(id: string, attempt: number): string {
  return `${mailName(id)}@paced-email${attempt > 1 ? `-${attempt}` : ''}`;
}
