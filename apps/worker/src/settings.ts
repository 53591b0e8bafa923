import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parseSecrets } from '@callsheet/contracts';
import { OptionError, type Duration } from '@callsheet/messaging';
import { MailRates } from './email/mail.rates.js';
import { AllowedAddresses } from './outbound/allowed.addresses.js';
import { vapidOf, type Vapid } from './push/vapid.js';

type Environment = Readonly<Record<string, string | undefined>>;

const DURATION = /^\d+(\.\d+)?(ms|s|m|h|d)$/;
/** Copied into `dist` by the build: see nest-cli.json. */
const TEMPLATES = join(import.meta.dirname, 'email/templates');
const SENDER = /^\P{Cc}*@([A-Za-z0-9.-]+)>?$/u;

/**
 * What the environment says about the worker's own work. An empty variable counts as not set.
 *
 * The constructor checks all of it, so that a mistake is told at start and not by the first message.
 *
 * @throws OptionError naming the variable; never with its value when that may hold a secret
 */
export class Settings {
  /** `SMTP_URL`: `smtp://` or `smtps://`, with credentials if needed. Not set: mail is written to `outboxDir`. */
  readonly smtpUrl: URL | undefined;
  /** `OUTBOX_DIR`: folder for `.eml` files. Default `./outbox`. */
  readonly outboxDir: string;
  /** `MAIL_FROM`: sender of all mail. Default `Callsheet <callsheet@localhost>`. */
  readonly mailFrom: string;
  /** Domain of `mailFrom`: the right-hand side of every Message-ID. */
  readonly mailDomain: string;
  /** `MAIL_TEMPLATES`: folder with a folder for each mail template. Default: the one of examples beside this code. */
  readonly mailTemplates: string;
  /** `MAIL_ATTACHMENTS`: folder of the files that mails may name as attachments. Default `./attachments`; there need not be one. */
  readonly mailAttachments: string;
  /** `MAIL_RATES`: how many mails per time a domain gets, `example.org=10/s,*=100/m` say. Default: no limits. */
  readonly mailRates: MailRates;
  /**
   * `WEBHOOK_SECRET`: key of the signatures, as `whsec_<base64>`; several, with commas between, while receivers change from one
   * to another: each delivery has a signature of each. Not set: none.
   */
  readonly webhookSecrets: readonly Buffer[];
  /** `WEBHOOK_ALLOW`: addresses that are not public, to which messages may lead all the same. Default none. */
  readonly allowed: AllowedAddresses;
  /** `WEBHOOK_TIMEOUT_MS`: how long a receiver, or a push service, may take, 1 to 300,000 milliseconds. Default 10,000. */
  readonly webhookTimeout: number;
  /** `VAPID_PUBLIC_KEY`, `VAPID_PRIVATE_KEY`, `VAPID_SUBJECT`: who pushes. None set: undefined, and pushes are written to `outboxDir`. */
  readonly vapid: Vapid | undefined;
  /** `ALERT_WEBHOOK_URL`: http or https, told what is wrong with schedules. Not set: undefined. */
  readonly alertUrl: string | undefined;
  /** `SIGNUPS_FILE`: CSV of sign-ups, read as it grows; there need not be one. Default `./signups.csv`. */
  readonly signupsFile: string;

  constructor(env: Environment) {
    this.smtpUrl = env.SMTP_URL ? smtpUrl(env.SMTP_URL) : undefined;
    this.outboxDir = env.OUTBOX_DIR || './outbox';
    this.mailFrom = env.MAIL_FROM || 'Callsheet <callsheet@localhost>';
    this.mailDomain = senderDomain(this.mailFrom);
    this.mailTemplates = folder('MAIL_TEMPLATES', env) ?? TEMPLATES;
    this.mailAttachments = folder('MAIL_ATTACHMENTS', env) ?? './attachments';
    this.mailRates = new MailRates(env.MAIL_RATES);
    this.webhookSecrets = env.WEBHOOK_SECRET
      ? parseSecrets(env.WEBHOOK_SECRET, 'WEBHOOK_SECRET')
      : [];
    this.allowed = new AllowedAddresses(env.WEBHOOK_ALLOW);
    this.webhookTimeout = timeout(env.WEBHOOK_TIMEOUT_MS || '10000');
    this.vapid = vapidOf(env);
    this.alertUrl = env.ALERT_WEBHOOK_URL ? alertUrl(env.ALERT_WEBHOOK_URL) : undefined;
    this.signupsFile = env.SIGNUPS_FILE || './signups.csv';
    for (const name of ['EMAIL_RETRY_DELAY', 'WEBHOOK_RETRY_DELAY'] as const) {
      if (!DURATION.test(retryDelay(name, '1s', env) as string)) {
        throw new OptionError(name, "must be a duration such as '500ms' or '2s'");
      }
    }
  }
}

/**
 * Wait before the second attempt, for the options of an actor. Not checked here: it is read while modules load, where an
 * error could not be told well; {@link Settings} checks it.
 */
export function retryDelay(
  name: 'EMAIL_RETRY_DELAY' | 'WEBHOOK_RETRY_DELAY',
  fallback: Duration,
  env: Environment = process.env,
): Duration {
  return (env[name] || fallback) as Duration;
}

function smtpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.hostname || !['smtp:', 'smtps:'].includes(url.protocol)) {
    throw new OptionError('SMTP_URL', 'must be smtp://host:port or smtps://host:port');
  }
  return url;
}

function senderDomain(from: string): string {
  const domain = SENDER.exec(from)?.[1];
  if (!domain) {
    throw new OptionError('MAIL_FROM', "must be an address, such as 'Name <name@example.org>'");
  }
  return domain;
}

function folder(name: 'MAIL_TEMPLATES' | 'MAIL_ATTACHMENTS', env: Environment): string | undefined {
  const path = env[name];
  if (!path) return undefined;
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new OptionError(name, 'must be a folder that there is');
}

function timeout(text: string): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > 300_000) {
    throw new OptionError('WEBHOOK_TIMEOUT_MS', 'must be a whole number from 1 to 300000');
  }
  return value;
}

function alertUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new OptionError('ALERT_WEBHOOK_URL', 'must be an http:// or https:// URL');
}
