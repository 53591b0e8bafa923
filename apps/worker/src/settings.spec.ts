import { join } from 'node:path';
import { OptionError } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import { MailRates } from './email/mail.rates.js';
import { AllowedAddresses } from './outbound/allowed.addresses.js';
import { Settings } from './settings.js';

describe('Settings', () => {
  it('has a default for everything, also for empty variables', () => {
    const names = [
      'SMTP_URL',
      'OUTBOX_DIR',
      'MAIL_FROM',
      'MAIL_TEMPLATES',
      'MAIL_ATTACHMENTS',
      'MAIL_RATES',
      'WEBHOOK_SECRET',
      'WEBHOOK_ALLOW',
      'WEBHOOK_TIMEOUT_MS',
      'SIGNUPS_FILE',
      'VAPID_PUBLIC_KEY',
      'VAPID_PRIVATE_KEY',
      'VAPID_SUBJECT',
    ];
    for (const env of [{}, Object.fromEntries(names.map((name) => [name, '']))]) {
      expect(new Settings(env)).toEqual({
        smtpUrl: undefined,
        outboxDir: './outbox',
        mailFrom: 'Callsheet <callsheet@localhost>',
        mailDomain: 'localhost',
        mailTemplates: join(import.meta.dirname, 'email/templates'),
        mailAttachments: './attachments',
        mailRates: new MailRates(),
        webhookSecrets: [],
        allowed: new AllowedAddresses(),
        webhookTimeout: 10_000,
        vapid: undefined,
        signupsFile: './signups.csv',
      });
    }
  });

  it('takes the domain of the sender', () => {
    expect(new Settings({ MAIL_FROM: 'Ada <ada@example.org>' }).mailDomain).toBe('example.org');
    expect(new Settings({ MAIL_FROM: 'ada@example.org' }).mailDomain).toBe('example.org');
  });

  it.each([
    ['SMTP_URL', 'mail.example.org:25'],
    ['SMTP_URL', 'https://user:hunter2@example.org'],
    ['SMTP_URL', 'smtp://'],
    ['MAIL_FROM', 'Callsheet'],
    ['MAIL_FROM', 'a@example.org\r\nBcc: eve@example.org'],
    ['MAIL_TEMPLATES', '/no/such/folder'],
    ['MAIL_TEMPLATES', import.meta.filename],
    ['MAIL_ATTACHMENTS', '/no/such/folder'],
    ['MAIL_RATES', 'example.org'],
    ['MAIL_RATES', 'example.org=10'],
    ['MAIL_RATES', 'example.org=0/s'],
    ['MAIL_RATES', 'example.org=1001/s'],
    ['MAIL_RATES', 'example.org=-1/s'],
    ['MAIL_RATES', 'example.org=10/w'],
    ['MAIL_RATES', '*.example.org=10/s'],
    ['MAIL_RATES', 'ada@example.org=10/s'],
    ['MAIL_RATES', 'a.org=1/s,A.org=2/s'],
    ['WEBHOOK_SECRET', 'hunter2'],
    ['WEBHOOK_SECRET', 'whsec_hunter2'],
    ['WEBHOOK_SECRET', `whsec_${'A'.repeat(31)}!`],
    ['WEBHOOK_SECRET', `whsec_${Buffer.alloc(65).toString('base64')}`],
    ['WEBHOOK_SECRET', `whsec_${'A'.repeat(32)},hunter2`],
    ['WEBHOOK_ALLOW', '10.0.0.0/33'],
    ['WEBHOOK_ALLOW', '127.1'],
    ['WEBHOOK_ALLOW', 'http://example.org'],
    ['WEBHOOK_ALLOW', '*.example.org'],
    ['WEBHOOK_TIMEOUT_MS', '10s'],
    ['WEBHOOK_TIMEOUT_MS', '0'],
    ['WEBHOOK_TIMEOUT_MS', '300001'],
    ['EMAIL_RETRY_DELAY', 'soon'],
    ['WEBHOOK_RETRY_DELAY', '-1s'],
  ])('refuses %s=%j by name, without its value', (name, value) => {
    const make = () => new Settings({ [name]: value });
    expect(make).toThrow(OptionError);
    expect(make).toThrow(new RegExp(`^${name} must be `));
    expect(make).not.toThrow(/hunter2/);
  });
});
