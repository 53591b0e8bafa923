import { SendEmail } from '@callsheet/contracts';
import { csvFile, messages, Pipeline, type Source } from '@callsheet/sync';
import { z } from 'zod';
import { Settings } from '../settings.js';

const Signup = z.object({ id: z.string().min(1).max(100), email: z.email(), name: z.string() });
type Signup = z.output<typeof Signup>;

/** Welcomes everybody in a file of sign-ups, once: its records become messages. Shows a data sync pipeline without any server. */
@Pipeline({ name: 'signups', every: '30s', page: 100, schema: Signup })
export class SignupSync {
  readonly from: Source;
  readonly to = messages<Signup>({
    message: ({ email, name }) =>
      new SendEmail({ to: email, subject: `Welcome, ${name}`, text: 'It is good to have you.' }),
    send: ({ id }) => ({ id: `welcome-${id}` }),
  });

  constructor(settings: Settings) {
    this.from = csvFile({ path: settings.signupsFile });
  }
}
